//! NTFS: a reader of our own, with compressed files (LZNT1). Files that Windows encrypted, keeps elsewhere, or has
//! compressed in its newer way (WOF) are told to be so when they are read.
//!
//! The log is replayed in memory. Names are UTF-16 there and WTF-8 here.

mod folder;
mod log;
pub(super) mod lznt1;
mod record;
mod stream;
mod volume;

use std::{
    ops::ControlFlow,
    sync::{Arc, OnceLock},
};

use self::{
    log::Outcome,
    record::{Record, kind},
    stream::Stream,
    volume::Volume,
};
use super::{
    Entry, FileKind, FileSystem, Metadata, Place, ReadError, Reader,
    disk::{Disk, Fields as _},
    names::{Shown, is_name, utf16, wtf8},
    search,
};
use crate::FilePath;

const LOG: u64 = 2;
const VOLUME: u64 = 3;
const ROOT: u64 = 5;
const UPPER_CASE: u64 = 10;

/// How long a reparse point may be, in bytes.
const REPARSE: u64 = 16 << 10;

#[derive(Debug)]
struct Ntfs {
    volume: Volume,
    label: String,
    serial: String,
    notes: Vec<String>,
    /// The table of upper case, once it was needed; empty when it cannot be read.
    upper: Arc<OnceLock<Vec<u16>>>,
}

pub(super) fn open(disk: Disk) -> Result<Arc<dyn FileSystem>, ReadError> {
    let mut volume = Volume::open(disk)?;
    let record = volume.record(VOLUME)?;
    let information = record.value(kind::VOLUME_INFORMATION).unwrap_or_default();
    let (major, minor) = (information.u8(8), information.u8(9));
    if !matches!(major, 1 | 3) {
        return Err(ReadError::Unsupported(format!("NTFS {major}.{minor}; 1.2 to 3.1 are read")));
    }
    let is_marked = information.u16(10) & 1 != 0;
    let (mut volume, notes) = replay(volume, is_marked)?;
    let label = record.value(kind::VOLUME_NAME).unwrap_or_default();
    let label = wtf8(label.chunks_exact(2).map(|unit| unit.u16(0)));
    if !volume.record(ROOT)?.is_folder() {
        return Err(ReadError::Damaged("the root is not a folder".into()));
    }
    Ok(Arc::new(Ntfs {
        label: String::from_utf8_lossy(&label).into_owned(),
        serial: format!("{:016X}", volume.serial),
        notes,
        volume,
        upper: Arc::default(),
    }))
}

/// Replays the log; returns the volume as it is then, and what is to be told about it.
fn replay(mut volume: Volume, is_marked: bool) -> Result<(Volume, Vec<String>), ReadError> {
    let mut run = || {
        let record = volume.record(LOG)?;
        match volume.stream(&record, kind::DATA, &[])? {
            Some(log) => log::replay(&volume, log),
            None => Ok(Outcome::Closed),
        }
    };
    let note = match run() {
        Ok(Outcome::Closed) if !is_marked => return Ok((volume, Vec::new())),
        Ok(Outcome::Closed) => {
            "the volume is marked to be checked by Windows; its log ($LogFile) is empty".into()
        }
        Ok(Outcome::Nothing) => {
            "the volume was not cleanly unmounted; its log ($LogFile) held nothing that was missing".into()
        }
        Ok(Outcome::Replayed { disk, redone, undone }) => {
            volume = Volume::open(disk)?;
            format!(
                "the volume was not cleanly unmounted; its log ($LogFile) was replayed in memory: {redone} changes \
                 made, {undone} of unfinished transactions taken back"
            )
        }
        Err(error) => format!(
            "the volume was not cleanly unmounted; its log ($LogFile) is not replayed, and files are as they were \
             written: {error}"
        ),
    };
    Ok((volume, vec![note]))
}

impl FileSystem for Ntfs {
    fn kind(&self) -> &'static str {
        "ntfs"
    }

    fn label(&self) -> &str {
        &self.label
    }

    fn uuid(&self) -> &str {
        &self.serial
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn reader(&self) -> Result<Box<dyn Reader>, ReadError> {
        Ok(Box::new(NtfsReader { volume: self.volume.clone(), last: None, upper: self.upper.clone() }))
    }
}

struct NtfsReader {
    volume: Volume,
    /// The file that was read last.
    last: Option<(u64, Stream)>,
    upper: Arc<OnceLock<Vec<u16>>>,
}

/// What a reparse point makes of a file.
enum Reparse {
    /// A symbolic link, or a junction.
    Link(Vec<u8>),
    /// Its bytes lie elsewhere.
    Elsewhere(String),
    /// Nothing that changes its bytes.
    Other,
}

impl NtfsReader {
    /// The volume's table of upper case: a unit for each.
    fn upper(&mut self) -> Arc<OnceLock<Vec<u16>>> {
        if self.upper.get().is_none() {
            let record = self.volume.record(UPPER_CASE);
            let table = record.and_then(|record| self.volume.value(&record, kind::DATA, 128 << 10));
            let table = table.ok().flatten().unwrap_or_default();
            // Another thread may have been faster, with the same result.
            let _ = self.upper.set(table.chunks_exact(2).map(|unit| unit.u16(0)).collect());
        }
        self.upper.clone()
    }

    fn reparse(&mut self, record: &Record) -> Result<Reparse, ReadError> {
        let Some(value) = self.volume.value(record, kind::REPARSE_POINT, REPARSE)? else {
            return Ok(Reparse::Other);
        };
        let data = value.get(8..).unwrap_or_default();
        Ok(match value.u32(0) {
            0xa000_000c => Reparse::Link(target(data, 12)),
            0xa000_0003 => Reparse::Link(target(data, 8)),
            // A link of the Windows Subsystem for Linux, after its version.
            0xa000_001d => Reparse::Link(data.get(4..).unwrap_or_default().to_vec()),
            0x8000_0017 => Reparse::Elsewhere("compressed by Windows in its newer way (WOF)".into()),
            0x8000_0013 => Reparse::Elsewhere("deduplicated by Windows".into()),
            tag if tag & 0xffff_0fff == 0x9000_001a => {
                let attributes = record.value(kind::STANDARD_INFORMATION).unwrap_or_default().u32(32);
                if attributes & (0x1000 | 0x40_0000) == 0 {
                    return Ok(Reparse::Other);
                }
                Reparse::Elsewhere("kept in the cloud, not on the disk".into())
            }
            _ => Reparse::Other,
        })
    }
}

/// The target of a link: the form for people, or else the one for the system.
fn target(data: &[u8], names: usize) -> Vec<u8> {
    let name = |at: usize| {
        let start = names + usize::from(data.u16(at));
        let name = data.get(start..start + usize::from(data.u16(at + 2))).unwrap_or_default();
        wtf8(name.chunks_exact(2).map(|unit| unit.u16(0)))
    };
    let shown = name(4);
    if shown.is_empty() { name(0) } else { shown }
}

impl Reader for NtfsReader {
    fn root(&self) -> Place {
        Place { path: FilePath::root(), node: ROOT }
    }

    fn metadata(&mut self, place: &Place) -> Result<Metadata, ReadError> {
        let record = self.volume.record(place.node)?;
        let times = record.value(kind::STANDARD_INFORMATION).unwrap_or_default();
        let (kind, size) = match self.reparse(&record)? {
            Reparse::Link(target) => (FileKind::Symlink, target.len() as u64),
            _ if record.is_folder() => (FileKind::Folder, 0),
            _ => {
                let data = self.volume.stream(&record, kind::DATA, &[])?;
                (FileKind::File, data.map_or(0, |data| data.size))
            }
        };
        Ok(Metadata {
            kind,
            size,
            mode: if kind == FileKind::Folder { 0o755 } else { 0o644 },
            uid: 0,
            gid: 0,
            // In steps of 100 nanoseconds since 1601.
            modified: i64::try_from(times.u64(8) / 10_000_000).unwrap_or(0).saturating_sub(11_644_473_600),
        })
    }

    fn read_folder(
        &mut self,
        folder: &Place,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let record = self.volume.record(folder.node)?;
        let mut shown = Shown::new(each);
        folder::show(&mut self.volume, &record, &mut shown)?;
        shown.end()
    }

    fn lookup(&mut self, folder: &Place, name: &[u8]) -> Result<Option<Place>, ReadError> {
        let Some(units) = utf16(name).filter(|_| is_name(name)) else { return Ok(None) };
        let record = self.volume.record(folder.node)?;
        let upper = self.upper();
        let upper = upper.get().map(Vec::as_slice).unwrap_or_default();
        let node = match upper {
            [] => search(self, folder, name)?,
            upper => folder::find(&mut self.volume, &record, &units, upper)?,
        };
        Ok(node.map(|node| Place { path: folder.path.join(name), node }))
    }

    fn read_link(&mut self, place: &Place) -> Result<Vec<u8>, ReadError> {
        let record = self.volume.record(place.node)?;
        match self.reparse(&record)? {
            Reparse::Link(target) => Ok(target),
            _ => Err(ReadError::NotFound("symbolic link")),
        }
    }

    fn read_at(&mut self, place: &Place, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        if self.last.as_ref().is_none_or(|(node, _)| *node != place.node) {
            let record = self.volume.record(place.node)?;
            if record.is_folder() {
                return Err(ReadError::NotFound("file"));
            }
            match self.reparse(&record)? {
                Reparse::Link(_) => return Err(ReadError::NotFound("file")),
                Reparse::Elsewhere(how) => return Err(ReadError::Unsupported(how)),
                Reparse::Other => {}
            }
            let Some(stream) = self.volume.stream(&record, kind::DATA, &[])? else { return Ok(0) };
            stream.check_readable()?;
            self.last = Some((place.node, stream));
        }
        match &mut self.last {
            Some((_, stream)) => stream.read_at(&self.volume.disk, offset, buffer),
            None => Ok(0),
        }
    }
}
