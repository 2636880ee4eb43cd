//! ext2, ext3 and ext4: a reader of our own. It finds files by inode, reads their bytes in one piece for each extent,
//! and shares the replayed journal between threads.

mod blocks;
mod changed;
mod fast_commits;
mod folder;
mod head;
mod inode;
mod journal;

use std::{cell::Cell, ops::ControlFlow, sync::Arc};

use blocks::{Blocks, Cache};
use changed::Changed;
use fast_commits::FastCommits;
use head::Head;
use inode::Inode;

use super::{Entry, FileKind, FileSystem, Metadata, Place, ReadError, Reader, disk::Disk, names::Shown};
use crate::{FilePath, limits};

#[derive(Debug)]
struct Ext {
    head: Arc<Head>,
    blocks: Blocks,
    notes: Vec<String>,
    left_out: Vec<String>,
}

/// How many folders fast commits may change: each of them is read before. An area of the usual size has room for some
/// thousand files.
const CHANGED_FOLDERS: usize = 4096;

pub(super) fn open(disk: Disk) -> Result<Arc<dyn FileSystem>, ReadError> {
    let mut head = Head::read(&disk.read(1024, 1024)?, &disk)?;
    let mut blocks = Blocks {
        disk: disk.clone(),
        size: head.block_size,
        count: head.blocks,
        replayed: Arc::default(),
        changed: Arc::default(),
    };
    let mut fast_commits = FastCommits::default();
    let (mut notes, mut left_out) = (Vec::new(), Vec::new());
    if head.is_between {
        notes.push("it was in use when it was copied, and has no journal: what was changed last may be there in part".to_owned());
    }
    if head.needs_replay && head.journal == 0 {
        left_out.push("the journal lies on another disk: changes that are only in it are missing".to_owned());
    } else if head.needs_replay {
        let replay = journal::replay(&blocks, &journal_runs(&head, &blocks)?)?;
        notes = replay.notes;
        fast_commits = replay.fast_commits;
        blocks.replayed = Arc::new(replay.blocks);
        let mut bytes = vec![0; 1024];
        let size = u64::from(head.block_size);
        blocks.fill(1024 / size, 1024 % size, &mut bytes)?;
        head = Head::read(&bytes, &disk)?;
        if head.block_size != blocks.size || head.blocks > blocks.count {
            return Err(ReadError::Damaged("the journal changes the size of the file system".into()));
        }
    }
    let mut reader = ExtReader { head: Arc::new(head), blocks, cache: Cache::default(), last: None };
    left_out
        .extend(reader.apply(fast_commits).map(|what| format!("the last changes may be missing: {what}")));
    if reader.inode(ROOT)?.metadata.kind != FileKind::Folder {
        return Err(ReadError::Damaged("the root is not a folder".into()));
    }
    Ok(Arc::new(Ext { head: reader.head, blocks: reader.blocks, notes, left_out }))
}

/// Where the journal's blocks lie.
fn journal_runs(head: &Head, blocks: &Blocks) -> Result<Vec<(u64, u64)>, ReadError> {
    let mut cache = Cache::default();
    let inode = Inode::read(head.journal.into(), head, blocks, &mut cache)?;
    let count = inode.metadata.size / u64::from(head.block_size);
    if inode.metadata.kind != FileKind::File || count > head.blocks {
        return Err(ReadError::Damaged("the journal is not a file that could be one".into()));
    }
    let (mut runs, mut at) = (Vec::new(), 0);
    while at < count {
        let run = inode.run(u32::try_from(at).unwrap_or(u32::MAX), blocks, &mut cache)?;
        let block = run.block.ok_or_else(|| ReadError::Damaged("the journal has holes".into()))?;
        runs.push((block, run.count.min(count - at)));
        at += run.count;
    }
    Ok(runs)
}

const ROOT: u64 = 2;

impl FileSystem for Ext {
    fn kind(&self) -> &'static str {
        self.head.kind
    }

    fn label(&self) -> &str {
        &self.head.label
    }

    fn uuid(&self) -> &str {
        &self.head.uuid
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn left_out(&self) -> &[String] {
        &self.left_out
    }

    fn reader(&self) -> Result<Box<dyn Reader>, ReadError> {
        Ok(Box::new(ExtReader {
            head: self.head.clone(),
            blocks: self.blocks.clone(),
            cache: Cache::default(),
            last: None,
        }))
    }
}

struct ExtReader {
    head: Arc<Head>,
    blocks: Blocks,
    cache: Cache,
    /// The inode that was used last, and its number.
    last: Option<(u64, Inode)>,
}

impl ExtReader {
    /// Puts fast commits over the files. What is left out, and why.
    fn apply(&mut self, fast_commits: FastCommits) -> Option<String> {
        let mut before = changed::names(&fast_commits.changes);
        if before.len() > CHANGED_FOLDERS {
            return Some(format!("fast commits change more than {CHANGED_FOLDERS} folders"));
        }
        for (folder, names) in &mut before {
            let place = Place { path: FilePath::root(), node: (*folder).into() };
            // What cannot be read here, whoever reads the folder meets as well; a new one is not there yet.
            let _ = self.read_folder(&place, &mut |entry| {
                if let Some(inode) = names.get_mut(entry.name) {
                    *inode = u32::try_from(entry.node).ok();
                }
                ControlFlow::Continue(())
            });
        }
        self.last = None;
        self.blocks.changed = Arc::new(changed::apply(fast_commits.changes, before));
        fast_commits.unread
    }

    fn inode(&mut self, number: u64) -> Result<Inode, ReadError> {
        match &self.last {
            Some((last, inode)) if *last == number => Ok(inode.clone()),
            _ => {
                let inode = Inode::read(number, &self.head, &self.blocks, &mut self.cache)?;
                self.last = Some((number, inode.clone()));
                Ok(inode)
            }
        }
    }

    /// Fills `buffer` from `offset` of a file on, which has so many bytes.
    fn fill(&mut self, inode: &Inode, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let size = u64::from(self.head.block_size);
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let position = offset.saturating_add(done as u64);
            let within = position % size;
            let block = u32::try_from(position / size)
                .map_err(|_| ReadError::Damaged("the file is longer than its blocks can be".into()))?;
            let run = inode.run(block, &self.blocks, &mut self.cache)?;
            let length = run.count.saturating_mul(size) - within;
            let length = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
            let rest = rest.get_mut(..length).unwrap_or_default();
            match run.block {
                Some(block) => self.blocks.fill(block, within, rest)?,
                None => rest.fill(0),
            }
            done += length;
        }
        Ok(())
    }

    /// Shows the entries of a folder that lies in its inode: four bytes for the folder above, then entries, and more of
    /// them in the part that did not fit.
    fn show_inline(&self, bytes: &[u8], shown: &mut Shown<'_>) -> Result<(), ReadError> {
        let (first, second) = bytes.split_at_checked(60).unwrap_or((bytes, &[]));
        for part in [first.get(4..).unwrap_or_default(), second] {
            if folder::show(part, self.head.has_types, shown)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Shows the entries that the inode or the blocks of a folder hold.
    fn show(&mut self, inode: &Inode, shown: &mut Shown<'_>) -> Result<(), ReadError> {
        if let Some(bytes) = inode.inline() {
            return self.show_inline(&bytes, shown);
        }
        let size = u64::from(self.head.block_size);
        let count = inode.metadata.size / size;
        if count > self.head.blocks {
            return Err(ReadError::Damaged(format!("a folder of {} bytes", inode.metadata.size)));
        }
        let mut at = 0;
        while at < count {
            let run = inode.run(u32::try_from(at).unwrap_or(u32::MAX), &self.blocks, &mut self.cache)?;
            let blocks = run.count.min(count - at);
            let Some(start) = run.block else {
                at += blocks;
                continue;
            };
            for block in start..start.saturating_add(blocks) {
                let bytes = self.cache.read(&self.blocks, block, 0, self.head.block_size as usize)?;
                let is_first = at == 0 && block == start && inode.has_index();
                if inode.seed().is_some_and(|seed| !folder::has_good_tail(bytes, seed, is_first)) {
                    return Err(ReadError::Damaged("a block of the folder has a wrong checksum".into()));
                }
                if folder::show(bytes, self.head.has_types, shown)?.is_break() {
                    return Ok(());
                }
            }
            at += blocks;
        }
        Ok(())
    }

    /// Shows the entries of a folder that fast commits have changed.
    fn show_changed(
        &mut self,
        inode: &Inode,
        changed: &Changed,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let are_newer = Cell::new(true);
        let mut both = |entry: Entry<'_>| match are_newer.get() || !changed.names.contains_key(entry.name) {
            true => each(entry),
            false => ControlFlow::Continue(()),
        };
        let mut shown = Shown::new(&mut both);
        for (name, node) in changed.names.iter().filter_map(|(name, node)| Some((name, (*node)?))) {
            if shown.entry(name, node.into(), None).is_break() {
                return shown.end();
            }
        }
        are_newer.set(false);
        if !changed.is_new_folder {
            self.show(inode, &mut shown)?;
        }
        shown.end()
    }
}

impl Reader for ExtReader {
    fn root(&self) -> Place {
        Place { path: FilePath::root(), node: ROOT }
    }

    fn metadata(&mut self, place: &Place) -> Result<Metadata, ReadError> {
        Ok(self.inode(place.node)?.metadata)
    }

    fn read_folder(
        &mut self,
        folder: &Place,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let inode = self.inode(folder.node)?;
        if inode.metadata.kind != FileKind::Folder {
            return Err(ReadError::NotFound("folder"));
        }
        inode.check_readable()?;
        let changed = Arc::clone(&self.blocks.changed);
        match u32::try_from(folder.node).ok().and_then(|number| changed.get(&number)) {
            Some(changed) => self.show_changed(&inode, changed, each),
            None => {
                let mut shown = Shown::new(each);
                self.show(&inode, &mut shown)?;
                shown.end()
            }
        }
    }

    fn read_link(&mut self, place: &Place) -> Result<Vec<u8>, ReadError> {
        let inode = self.inode(place.node)?;
        if inode.metadata.kind != FileKind::Symlink {
            return Err(ReadError::NotFound("symbolic link"));
        }
        inode.check_readable()?;
        if let Some(target) = inode.inline() {
            return Ok(target);
        }
        let length = usize::try_from(inode.metadata.size).ok().filter(|&length| length <= limits::PATH_BYTES);
        let length = length.ok_or(ReadError::Limit {
            what: "bytes in the target of a link",
            limit: limits::PATH_BYTES as u64,
        })?;
        let mut target = vec![0; length];
        self.fill(&inode, 0, &mut target)?;
        Ok(target)
    }

    fn read_at(&mut self, place: &Place, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let inode = self.inode(place.node)?;
        if inode.metadata.kind != FileKind::File {
            return Err(ReadError::NotFound("file"));
        }
        inode.check_readable()?;
        let left = inode.metadata.size.saturating_sub(offset);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..length).unwrap_or_default();
        match inode.inline() {
            Some(bytes) => {
                let from =
                    usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)).unwrap_or_default();
                // What is not kept in the inode is a hole.
                buffer.fill(0);
                buffer.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            }
            None => self.fill(&inode, offset, buffer)?,
        }
        Ok(length)
    }
}
