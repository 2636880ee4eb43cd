//! The documents in what is imported: a file, the members of a zip or a tar, the files below a folder.

use std::{
    fs::{self, File},
    io::{self, BufReader, Cursor, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;

use crate::import::{ImportError, Intake, document, meter::Allowance};

/// How deep folders may lie in each other.
const DEEPEST: usize = 32;

/// Where a tar says that it is one.
const TAR_MAGIC: std::ops::Range<usize> = 257..262;

/// How much of a file is looked at to see what it is.
const HEAD: usize = 512;

/// What is imported.
#[derive(Debug)]
pub enum Content {
    /// A file or a folder.
    Path(PathBuf),
    /// An open file, and what to call it.
    File(String, File),
    /// What is in memory already, and what to call it.
    Bytes(String, Vec<u8>),
}

impl Content {
    /// What to call it.
    #[must_use]
    pub fn place(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::Path(path) => path.to_string_lossy(),
            Self::File(name, _) | Self::Bytes(name, _) => name.into(),
        }
    }
}

/// A source of bytes that may be gone through twice.
trait Bytes: Read + Seek {}
impl<T: Read + Seek> Bytes for T {}

/// Reads every document of a content.
pub(super) fn each(content: Content, intake: &mut Intake<'_, '_>) -> Result<(), ImportError> {
    let place = content.place().into_owned();
    match content {
        Content::Path(path) => {
            let failed = |source| ImportError::Read { place: place.clone(), source };
            let file = File::open(&path).map_err(failed)?;
            let metadata = file.metadata().map_err(failed)?;
            if metadata.is_dir() {
                folder(&path, &path, 0, intake)
            } else {
                let length = metadata.is_file().then_some(metadata.len());
                whole(&place, file, &Allowance::of_file(length), intake)
            }
        }
        Content::File(_, file) => {
            let failed = |source| ImportError::Read { place: place.clone(), source };
            let length = file.metadata().map_err(failed)?.len();
            whole(&place, file, &Allowance::of_file(Some(length)), intake)
        }
        Content::Bytes(_, bytes) => {
            let allowance = Allowance::of_file(Some(bytes.len() as u64));
            whole(&place, Cursor::new(bytes), &allowance, intake)
        }
    }
}

/// The files below a folder, in the order of their names.
fn folder(
    root: &Path,
    folder_path: &Path,
    depth: usize,
    intake: &mut Intake<'_, '_>,
) -> Result<(), ImportError> {
    let failed = |source| ImportError::Read { place: folder_path.display().to_string(), source };
    let mut entries =
        fs::read_dir(folder_path).map_err(failed)?.collect::<io::Result<Vec<_>>>().map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let place = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            // `.git` holds every advisory a second time, and earlier states of it.
            if depth < DEEPEST && !entry.file_name().as_encoded_bytes().starts_with(b".") {
                folder(root, &path, depth.saturating_add(1), intake)?;
            }
        } else if is_archive(&place) {
            intake.tally.skip(place, "an archive in a folder is not opened; import it by itself");
        } else if is_document(&place) {
            match File::open(&path) {
                Ok(file) => {
                    let length = file.metadata().map_or(0, |metadata| metadata.len());
                    document::read(&place, file, &Allowance::of_file(Some(length)), intake)?;
                }
                Err(error) => intake.tally.skip(place, error),
            }
        }
    }
    Ok(())
}

/// One file: an archive, or a document.
fn whole(
    place: &str,
    file: impl Bytes,
    allowance: &Allowance,
    intake: &mut Intake<'_, '_>,
) -> Result<(), ImportError> {
    let failed = |source| ImportError::Read { place: place.to_owned(), source };
    let mut file = BufReader::with_capacity(1 << 17, file);
    let head = head(&mut file).map_err(failed)?;
    if head.starts_with(b"PK") {
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        return zip_members(place, file, allowance, intake);
    }
    let file = Cursor::new(head.clone()).chain(file);
    if !head.starts_with(&[0x1f, 0x8b]) {
        return tar_or_document(place, &head, file, allowance, intake);
    }
    let mut unpacked = MultiGzDecoder::new(file);
    match self::head(&mut unpacked) {
        Ok(head) => {
            let unpacked = Cursor::new(head.clone()).chain(unpacked);
            tar_or_document(place, &head, unpacked, allowance, intake)
        }
        Err(error) => {
            intake.tally.skip(place, error);
            Ok(())
        }
    }
}

/// The first bytes, or all of them where there are less.
fn head(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD);
    file.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

fn tar_or_document(
    place: &str,
    head: &[u8],
    file: impl Read,
    allowance: &Allowance,
    intake: &mut Intake<'_, '_>,
) -> Result<(), ImportError> {
    if head.get(TAR_MAGIC) == Some(b"ustar".as_slice()) {
        tar_members(place, file, allowance, intake)
    } else {
        document::read(place, file, allowance, intake)
    }
}

fn zip_members(
    place: &str,
    file: impl Bytes,
    allowance: &Allowance,
    intake: &mut Intake<'_, '_>,
) -> Result<(), ImportError> {
    let mut archive = match ZipArchive::new(file) {
        Ok(archive) => archive,
        Err(error) => {
            intake.tally.skip(place, error);
            return Ok(());
        }
    };
    for number in 0..archive.len() {
        match archive.by_index(number) {
            Ok(member) => {
                let place = String::from_utf8_lossy(member.name_raw()).into_owned();
                if member.is_file() && is_document(&place) {
                    document::read(&place, member, allowance, intake)?;
                }
            }
            Err(error) => intake.tally.skip(format!("member {number}"), error),
        }
    }
    Ok(())
}

fn tar_members(
    place: &str,
    file: impl Read,
    allowance: &Allowance,
    intake: &mut Intake<'_, '_>,
) -> Result<(), ImportError> {
    let mut archive = tar::Archive::new(file);
    let entries = match archive.entries() {
        Ok(entries) => entries,
        Err(error) => {
            intake.tally.skip(place, error);
            return Ok(());
        }
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            // Where one header is wrong, nobody knows where the next one is.
            Err(error) => {
                intake.tally.skip(place, format!("the archive breaks off: {error}"));
                return Ok(());
            }
        };
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if entry.header().entry_type().is_file() && is_document(&name) {
            document::read(&name, entry, allowance, intake)?;
        }
    }
    Ok(())
}

/// Whether a member is worth a look. Only of a file that is imported by itself, the name does not matter.
fn is_document(name: &str) -> bool {
    let extension = name.rsplit(['/', '.']).next().unwrap_or_default();
    ["json", "jsonl", "ndjson", "md"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

fn is_archive(name: &str) -> bool {
    let extension = name.rsplit(['/', '.']).next().unwrap_or_default();
    ["zip", "gz", "tgz", "tar"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}
