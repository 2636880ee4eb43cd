//! FAT12, FAT16 and FAT32: a reader of our own. exFAT is refused by its name.
//!
//! A file has no number there: its node is where its entry lies on the disk, which no other file shares.

mod entry;
mod head;

use std::{ops::ControlFlow, sync::Arc};

use self::{
    entry::{Entry as FatEntry, LongName, SIZE},
    head::{Head, Table},
};
use super::{
    Entry, FileKind, FileSystem, Metadata, Place, ReadError, Reader,
    disk::{Disk, Fields as _},
    names::{Shown, label},
};
use crate::FilePath;

/// The node of the root, which has no entry.
const ROOT: u64 = 0;

#[derive(Debug)]
struct Fat {
    head: Arc<Head>,
    label: String,
    notes: Vec<String>,
}

pub(super) fn open(disk: Disk) -> Result<Arc<dyn FileSystem>, ReadError> {
    let head = Arc::new(Head::read(disk)?);
    let mut notes = Vec::new();
    if head.is_dirty()? {
        notes.push("the volume was not cleanly unmounted".to_owned());
    }
    let mut reader = FatReader::new(head.clone());
    let mut name = head.label.clone();
    // The label in the root folder is newer than the one in the boot sector.
    reader.each_entry(ROOT, &mut |_, bytes| {
        if bytes.u8(11) & 0x18 == 0x8 && bytes.u8(11) != 0xf && bytes.u8(0) != 0xe5 {
            name = label(bytes.get(..11).unwrap_or_default());
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    Ok(Arc::new(Fat { head, label: name, notes }))
}

impl FileSystem for Fat {
    fn kind(&self) -> &'static str {
        "vfat"
    }

    fn label(&self) -> &str {
        &self.label
    }

    fn uuid(&self) -> &str {
        &self.head.serial
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn reader(&self) -> Result<Box<dyn Reader>, ReadError> {
        Ok(Box::new(FatReader::new(self.head.clone())))
    }
}

struct FatReader {
    head: Arc<Head>,
    table: Table,
    /// Where the reading of the last file stands: its node, how many clusters from its start, and which one that is.
    last: Option<(u64, u64, u32)>,
}

impl FatReader {
    fn new(head: Arc<Head>) -> Self {
        Self { head, table: Table::default(), last: None }
    }

    fn entry(&self, node: u64) -> Result<FatEntry, ReadError> {
        if node == ROOT {
            let metadata =
                Metadata { kind: FileKind::Folder, size: 0, mode: 0o755, uid: 0, gid: 0, modified: 0 };
            return Ok(FatEntry { metadata, cluster: self.head.root });
        }
        Ok(FatEntry::read(&self.head.disk.read(node, SIZE)?))
    }

    /// Calls `each` with every entry that is or was in use, and where it lies.
    fn each_entry(
        &mut self,
        node: u64,
        each: &mut dyn FnMut(u64, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let entry = self.entry(node)?;
        if entry.metadata.kind != FileKind::Folder {
            return Err(ReadError::NotFound("folder"));
        }
        if let Some((start, length)) = self.head.fixed_root.filter(|_| node == ROOT) {
            let length = usize::try_from(length).unwrap_or(0);
            let _ = show_part(&self.head.disk.read(start, length)?, start, each);
            return Ok(());
        }
        let mut cluster = Some(entry.cluster);
        let mut left = self.head.clusters;
        while let Some(number) = cluster {
            let start = self.head.place(number)?;
            let length = usize::try_from(self.head.cluster_size).unwrap_or(0);
            if show_part(&self.head.disk.read(start, length)?, start, each).is_break() {
                return Ok(());
            }
            left =
                left.checked_sub(1).ok_or_else(|| ReadError::Damaged("a folder that has no end".into()))?;
            cluster = self.table.next(&self.head, number)?;
        }
        Ok(())
    }

    /// The cluster that holds a position of a file, which is so many clusters from its start.
    fn cluster(&mut self, node: u64, first: u32, wanted: u64) -> Result<u32, ReadError> {
        let (mut at, mut cluster) = match self.last {
            Some((last, at, cluster)) if last == node && at <= wanted => (at, cluster),
            _ => (0, first),
        };
        while at < wanted {
            let next = self.table.next(&self.head, cluster)?;
            cluster = next.ok_or_else(|| ReadError::Damaged("the file ends before its size".into()))?;
            at += 1;
        }
        self.last = Some((node, at, cluster));
        Ok(cluster)
    }

    /// How many clusters lie behind each other from one on, and fill `length` bytes at most.
    fn count_together(&mut self, first: u32, length: u64) -> Result<u64, ReadError> {
        let (mut count, mut cluster) = (1, first);
        while count * self.head.cluster_size < length {
            match self.table.next(&self.head, cluster) {
                Ok(Some(next)) if next == cluster + 1 => cluster = next,
                _ => break,
            }
            count += 1;
        }
        Ok(count)
    }
}

fn show_part(
    bytes: &[u8],
    start: u64,
    each: &mut dyn FnMut(u64, &[u8]) -> ControlFlow<()>,
) -> ControlFlow<()> {
    for (index, entry) in bytes.chunks_exact(SIZE).enumerate() {
        // A zero says that no entry follows.
        if entry.u8(0) == 0 {
            return ControlFlow::Break(());
        }
        each(start + (index * SIZE) as u64, entry)?;
    }
    ControlFlow::Continue(())
}

impl Reader for FatReader {
    fn root(&self) -> Place {
        Place { path: FilePath::root(), node: ROOT }
    }

    fn metadata(&mut self, place: &Place) -> Result<Metadata, ReadError> {
        Ok(self.entry(place.node)?.metadata)
    }

    fn read_folder(
        &mut self,
        folder: &Place,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let mut shown = Shown::new(each);
        let mut long = LongName::default();
        self.each_entry(folder.node, &mut |node, bytes| match (bytes.u8(0), bytes.u8(11)) {
            (0xe5, _) => {
                long = LongName::default();
                ControlFlow::Continue(())
            }
            (_, 0xf) => {
                long.part(bytes);
                ControlFlow::Continue(())
            }
            // The label of the volume.
            (_, attributes) if attributes & 0x8 != 0 => ControlFlow::Continue(()),
            _ => {
                let kind = FatEntry::read(bytes).metadata.kind;
                shown.entry(&long.take(bytes), node, Some(kind))
            }
        })?;
        shown.end()
    }

    fn read_link(&mut self, _place: &Place) -> Result<Vec<u8>, ReadError> {
        Err(ReadError::NotFound("symbolic link"))
    }

    fn read_at(&mut self, place: &Place, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let entry = self.entry(place.node)?;
        if entry.metadata.kind != FileKind::File {
            return Err(ReadError::NotFound("file"));
        }
        let left = entry.metadata.size.saturating_sub(offset);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..length).unwrap_or_default();
        let size = self.head.cluster_size;
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let position = offset.saturating_add(done as u64);
            let within = position % size;
            let cluster = self.cluster(place.node, entry.cluster, position / size)?;
            let together = self.count_together(cluster, within + rest.len() as u64)? * size - within;
            let piece = usize::try_from(together).unwrap_or(usize::MAX).min(rest.len());
            let rest = rest.get_mut(..piece).unwrap_or_default();
            self.head.disk.fill(self.head.place(cluster)? + within, rest)?;
            done += piece;
        }
        Ok(length)
    }
}
