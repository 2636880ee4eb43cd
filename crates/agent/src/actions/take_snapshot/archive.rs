//! One archive of all file systems: each as it is in its snapshot, where it is mounted on the device.

use std::{
    collections::{BTreeSet, HashMap},
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read as _, Write},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{MetadataExt as _, OpenOptionsExt as _},
    },
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use guardhouse_contract::action::take_snapshot_result::LeftOut;
use rustix::fs::{Advice, OFlags, fadvise};
use tar::{Builder, EntryType, Header};

use super::holes::{self, Content};
use crate::snapshots::btrfs;

/// Folders whose content is of the kernel and of the moment, should there be any below what is mounted there.
const PASSING: [&str; 4] = ["/dev", "/proc", "/run", "/sys"];

/// The most that is named of what is left out.
const MOST_NAMED: usize = 100;

/// How many files with several names are kept in mind; of further ones each name gets the content.
const MOST_LINKS: usize = 500_000;

/// Files that need more room than this do not stay in the memory of the system after they were read, in bytes.
const LARGE: u64 = 1 << 20;

/// A folder tree that comes into the archive.
#[derive(Debug)]
pub(super) struct Tree {
    /// Where it is to be read.
    pub(super) folder: PathBuf,
    /// Where it is mounted on the device.
    pub(super) mount_point: PathBuf,
    /// Inode numbers of what does not come into the archive, with the reason.
    pub(super) unwanted: Vec<(u64, &'static str)>,
    /// It is a snapshot of a subvolume of btrfs.
    pub(super) is_subvolume: bool,
}

/// What does not come into the archive.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Omissions {
    /// The first ones.
    pub(super) named: Vec<LeftOut>,
    /// How many there are.
    pub(super) count: u64,
}

impl Omissions {
    pub(super) fn add(&mut self, path: &Path, reason: impl Into<String>) {
        self.count += 1;
        if self.named.len() < MOST_NAMED {
            let path = path.to_string_lossy().into_owned();
            self.named.push(LeftOut { path, reason: reason.into() });
        }
    }
}

/// An archive that is being written.
pub(super) struct Archive<W: Write> {
    builder: Builder<W>,
    /// Where its trees are mounted on the device.
    mount_points: BTreeSet<PathBuf>,
    /// What does not come in.
    pub(super) omissions: Omissions,
    /// How many bytes of files were read, for those who watch.
    content_bytes: Arc<AtomicU64>,
}

/// Where the content of a file is in the archive that has several names, by its inode number; how many of them are still to
/// come.
type Links = HashMap<u64, (PathBuf, u64)>;

impl<W: Write> Archive<W> {
    pub(super) fn new(out: W, mount_points: BTreeSet<PathBuf>, content_bytes: Arc<AtomicU64>) -> Self {
        Self { builder: Builder::new(out), mount_points, omissions: Omissions::default(), content_bytes }
    }

    /// Adds a tree; answers how many entries it has. What cannot be read is left out.
    ///
    /// # Errors
    /// The archive cannot be written.
    pub(super) fn add(&mut self, tree: &Tree) -> io::Result<u64> {
        let mut links = Links::new();
        let mut count = 0;
        let mut folders = vec![PathBuf::new()];
        if let Some(found) = self.metadata(tree, Path::new("")) {
            count += u64::from(self.entry(tree, Path::new(""), &found, &mut links)?);
        }
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(tree.folder.join(&folder)) {
                Ok(entries) => entries,
                Err(error) => {
                    self.omissions.add(&place(tree, &folder), format!("cannot be listed: {error}"));
                    continue;
                }
            };
            for entry in entries {
                let name = match entry {
                    Ok(entry) => entry.file_name(),
                    Err(error) => {
                        self.omissions
                            .add(&place(tree, &folder), format!("cannot be listed to its end: {error}"));
                        break;
                    }
                };
                let path = folder.join(name);
                let Some(found) = self.metadata(tree, &path) else { continue };
                if self.is_unwanted(tree, &path, &found) {
                    continue;
                }
                count += u64::from(self.entry(tree, &path, &found, &mut links)?);
                if found.is_dir() && self.is_entered(tree, &path, &found) {
                    folders.push(path);
                }
            }
        }
        Ok(count)
    }

    /// What the archive is written to, meanwhile.
    pub(super) fn out(&self) -> &W {
        self.builder.get_ref()
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// The archive cannot be written.
    pub(super) fn finish(self) -> io::Result<W> {
        self.builder.into_inner()
    }

    fn metadata(&mut self, tree: &Tree, path: &Path) -> Option<Metadata> {
        match fs::symlink_metadata(tree.folder.join(path)) {
            Ok(found) => Some(found),
            Err(error) => {
                self.omissions.add(&place(tree, path), format!("cannot be read: {error}"));
                None
            }
        }
    }

    fn is_unwanted(&mut self, tree: &Tree, path: &Path, found: &Metadata) -> bool {
        if tree.is_subvolume && path == Path::new(btrfs::FOLDER) {
            return true;
        }
        let Some((_, reason)) = tree.unwanted.iter().find(|(inode, _)| *inode == found.ino()) else {
            return false;
        };
        self.omissions.add(&place(tree, path), *reason);
        true
    }

    /// Whether what is in a folder comes into the archive.
    fn is_entered(&mut self, tree: &Tree, path: &Path, found: &Metadata) -> bool {
        let place = place(tree, path);
        // What the device sees there is another tree of the archive.
        if self.mount_points.contains(&place) {
            return false;
        }
        if tree.is_subvolume && found.ino() == btrfs::PLACEHOLDER {
            self.omissions.add(&place, "a subvolume of its own, which is not mounted");
            return false;
        }
        !PASSING.iter().any(|passing| place == Path::new(passing))
    }

    /// Adds one entry; answers whether it did.
    fn entry(&mut self, tree: &Tree, path: &Path, found: &Metadata, links: &mut Links) -> io::Result<bool> {
        let place = place(tree, path);
        // The root of all has no name in the archive.
        let Ok(name) = place.strip_prefix("/").map(Path::to_owned) else { return Ok(false) };
        if name.as_os_str().is_empty() {
            return Ok(false);
        }
        let none = Path::new("");
        let mut header = header(found);
        let kind = found.file_type();
        if kind.is_dir() {
            header.set_entry_type(EntryType::Directory);
            header.set_size(0);
            return self.write(&mut header, &name, none, io::empty()).map(|()| true);
        }
        if kind.is_symlink() {
            let target = match fs::read_link(tree.folder.join(path)) {
                Ok(target) => target,
                Err(error) => {
                    self.omissions.add(&place, format!("cannot be read: {error}"));
                    return Ok(false);
                }
            };
            header.set_entry_type(EntryType::Symlink);
            header.set_size(0);
            return self.write(&mut header, &name, &target, io::empty()).map(|()| true);
        }
        if !kind.is_file() {
            // Devices, pipes and sockets have no content.
            return Ok(false);
        }
        if found.nlink() > 1 {
            if let Some((first, left)) = links.get_mut(&found.ino()) {
                let first = first.clone();
                *left -= 1;
                if *left == 0 {
                    links.remove(&found.ino());
                }
                header.set_entry_type(EntryType::Link);
                header.set_size(0);
                return self.write(&mut header, &name, &first, io::empty()).map(|()| true);
            }
            let added = self.file(tree, path, &name, &mut header)?;
            if added && links.len() < MOST_LINKS {
                links.insert(found.ino(), (name, found.nlink() - 1));
            }
            return Ok(added);
        }
        self.file(tree, path, &name, &mut header)
    }

    fn file(&mut self, tree: &Tree, path: &Path, name: &Path, header: &mut Header) -> io::Result<bool> {
        let place = place(tree, path);
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(i32::try_from(flags.bits()).unwrap_or_default())
            .open(tree.folder.join(path))
            .and_then(|file| file.metadata().map(|found| (file, found)));
        let (file, found) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                self.omissions.add(&place, format!("cannot be read: {error}"));
                return Ok(false);
            }
        };
        let size = found.size();
        header.set_entry_type(EntryType::Regular);
        header.set_size(size);
        // What takes less room than it is long has holes, or is packed.
        let (parts, map) = match found.blocks().saturating_mul(512) < size {
            true => {
                let parts = holes::parts(&file, size);
                let has_holes = parts.iter().map(|part| part.length).sum::<u64>() < size;
                let map = if has_holes { holes::describe(header, &parts, size) } else { Vec::new() };
                (parts, map)
            }
            false => (vec![holes::Part { at: 0, length: size }], Vec::new()),
        };
        let mut content = Content::new(&file, &parts);
        let bytes = Arc::clone(&self.content_bytes);
        let counted = Counted { content: &mut content, bytes };
        let written = self.write(header, name, Path::new(""), map.as_slice().chain(counted));
        if let Some(error) = content.trouble {
            self.omissions
                .add(&place, format!("cannot be read to its end, zeros stand for the rest: {error}"));
        }
        if size > LARGE {
            drop_from_memory(&file);
        }
        written.map(|()| true)
    }

    /// Writes an entry. Its names are written as they are, in entries of their own before it where they are long: a name of
    /// which the `tar` crate makes nothing must not hide a file.
    fn write(
        &mut self,
        header: &mut Header,
        name: &Path,
        target: &Path,
        content: impl io::Read,
    ) -> io::Result<()> {
        let (name, target) = (name.as_os_str().as_bytes(), target.as_os_str().as_bytes());
        for (kind, text) in [(EntryType::GNULongName, name), (EntryType::GNULongLink, target)] {
            if text.len() >= header.as_old().name.len() {
                self.long(kind, text)?;
            }
        }
        let fields = header.as_old_mut();
        for (field, text) in [(&mut fields.name, name), (&mut fields.linkname, target)] {
            field.iter_mut().zip(text).for_each(|(place, byte)| *place = *byte);
        }
        header.set_cksum();
        self.builder.append(header, content)
    }

    /// Writes an entry whose content is a name of the next one.
    fn long(&mut self, kind: EntryType, text: &[u8]) -> io::Result<()> {
        let mut header = Header::new_gnu();
        let place = b"././@LongLink";
        header.as_old_mut().name.iter_mut().zip(place).for_each(|(place, byte)| *place = *byte);
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        // The zero behind it is part of it.
        header.set_size(text.len() as u64 + 1);
        header.set_cksum();
        self.builder.append(&header, text.chain([0].as_slice()))
    }
}

/// Counts what is read.
struct Counted<'a, 'b> {
    content: &'a mut Content<'b>,
    bytes: Arc<AtomicU64>,
}

impl io::Read for Counted<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Where something is on the device.
fn place(tree: &Tree, path: &Path) -> PathBuf {
    match path.as_os_str().is_empty() {
        true => tree.mount_point.clone(),
        false => tree.mount_point.join(path),
    }
}

fn header(found: &Metadata) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(found.mode() & 0o7777);
    header.set_uid(found.uid().into());
    header.set_gid(found.gid().into());
    header.set_mtime(u64::try_from(found.mtime()).unwrap_or(0));
    header
}

/// A file that is read once does not have to push others out of the memory of the system.
fn drop_from_memory(file: &File) {
    // Costs nothing but itself.
    let _ = fadvise(file, 0, None, Advice::DontNeed);
}

#[cfg(test)]
mod tests;
