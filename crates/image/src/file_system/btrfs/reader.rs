//! Reads through the trees of subvolumes, and the logs over them.

use std::{ops::ControlFlow, sync::Arc};

use super::{
    super::{Entry, FileKind, Metadata, Place, ReadError, Reader, names::Shown},
    Shared,
    extents::{self, Extent, Found, Packed, Source},
    items::{DIR_INDEX, INODE, Inode, names},
    log::{Changes, Names, Target, find_name},
    subvolumes::{ROOT_FOLDER, Subvolume, TOP},
    tree::{Cursor, Key, Node},
};
use crate::{FilePath, limits};

/// What the kernel shows for a subvolume inside a snapshot: an empty folder.
const EMPTY: u64 = 2;

/// Bits of a node that hold the inode; the ones above hold the position of the subvolume.
const INODE_BITS: u32 = 48;

pub(super) struct BtrfsReader {
    shared: Arc<Shared>,
    /// The leaf that was looked at last, and the address of its tree.
    last: Option<(u64, Node)>,
    /// The extent that was unpacked last, by its address.
    unpacked: Option<(u64, Vec<u8>)>,
}

fn inode_of(node: u64) -> u64 {
    node & ((1 << INODE_BITS) - 1)
}

impl BtrfsReader {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared, last: None, unpacked: None }
    }

    fn inode(&mut self, node: u64) -> Result<Inode, ReadError> {
        let subvolume = self.shared.subvolumes.get(node >> INODE_BITS)?;
        let number = inode_of(node);
        if let Some(inode) = subvolume.changes.as_ref().and_then(|changes| changes.inodes.get(&number)) {
            return Ok(*inode);
        }
        let key = Key::new(number, INODE, 0);
        let leaf = match &self.last {
            Some((tree, leaf)) if *tree == subvolume.root.address && leaf.spans(key) => leaf.clone(),
            _ => self.shared.nodes.leaf(subvolume.root, key)?,
        };
        let at = leaf.below(key);
        let inode = match leaf.key(at) == Some(key) {
            true => Inode::read(leaf.item(at))?,
            false => return Err(ReadError::NotFound("inode")),
        };
        self.last = Some((subvolume.root.address, leaf));
        Ok(inode)
    }

    /// The extent of a file that a byte lies in; or the end of the hole that it lies in.
    fn extent(&mut self, node: u64, position: u64) -> Result<Found, ReadError> {
        let Shared { nodes, subvolumes, sector, .. } = self.shared.as_ref();
        let (subvolume, file) = (subvolumes.get(node >> INODE_BITS)?, inode_of(node));
        let mut most = u64::MAX;
        if let Some(changes) = subvolume.changes.as_ref().filter(|changes| changes.files.contains(&file)) {
            match extents::find(nodes, changes.log, file, position, *sector, &mut self.last)? {
                Found::Nothing(end) => most = end,
                found => return Ok(found),
            }
        }
        Ok(match extents::find(nodes, subvolume.root, file, position, *sector, &mut self.last)? {
            Found::Extent(mut extent) => {
                extent.end = extent.end.min(most);
                Found::Extent(extent)
            }
            Found::Nothing(end) => Found::Nothing(end.min(most)),
        })
    }

    /// Fills `buffer` from `offset` of a file on.
    fn fill(&mut self, node: u64, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let position = offset.saturating_add(done as u64);
            let found = self.extent(node, position)?;
            let end = match &found {
                Found::Extent(extent) => extent.end,
                Found::Nothing(end) => *end,
            };
            let piece = usize::try_from(end.saturating_sub(position)).unwrap_or(usize::MAX);
            let piece = piece.clamp(1, rest.len());
            let rest = rest.get_mut(..piece).unwrap_or_default();
            match &found {
                Found::Extent(extent) => self.fill_from(extent, position, rest)?,
                Found::Nothing(_) => rest.fill(0),
            }
            done += piece;
        }
        Ok(())
    }

    fn fill_from(&mut self, extent: &Extent, position: u64, piece: &mut [u8]) -> Result<(), ReadError> {
        match extent.source(position) {
            Source::Zeros => piece.fill(0),
            Source::Plain(address) => self.shared.nodes.pool.fill(address, piece)?,
            Source::Inline(from) => copy(extent.inline(), from, piece),
            Source::Packed(packed, from) => {
                self.unpack(packed, extent)?;
                copy(
                    self.unpacked.as_ref().map(|(_, bytes)| bytes.as_slice()).unwrap_or_default(),
                    from,
                    piece,
                );
            }
        }
        Ok(())
    }

    fn unpack(&mut self, packed: Packed, extent: &Extent) -> Result<(), ReadError> {
        if packed.address.is_some() && self.unpacked.as_ref().map(|(of, _)| *of) == packed.address {
            return Ok(());
        }
        let (_, mut bytes) = self.unpacked.take().unwrap_or_default();
        let mut stored;
        let stored = match packed.address {
            Some(address) => {
                stored = vec![0; packed.stored];
                self.shared.nodes.pool.fill(address, &mut stored)?;
                stored.as_slice()
            }
            None => extent.inline(),
        };
        packed.compression.unpack(stored, packed.unpacked, self.shared.sector, &mut bytes)?;
        // No extent lies at 0.
        self.unpacked = Some((packed.address.unwrap_or(0), bytes));
        Ok(())
    }
}

/// Fills `piece` from a place of some bytes on; behind their end are zeros.
fn copy(bytes: &[u8], from: usize, piece: &mut [u8]) {
    let bytes = bytes.get(from..).unwrap_or_default();
    let (start, rest) = piece.split_at_mut(bytes.len().min(piece.len()));
    start.copy_from_slice(bytes.get(..start.len()).unwrap_or_default());
    rest.fill(0);
}

impl Shared {
    /// The node of a name in the folder with the node `folder`.
    fn node(&self, subvolume: &Subvolume, folder: u64, name: &[u8], target: Key) -> Result<u64, ReadError> {
        let own = folder & !((1 << INODE_BITS) - 1);
        if target.kind == INODE {
            if target.object >> INODE_BITS != 0 {
                let inode = target.object;
                return Err(ReadError::Unsupported(format!("inode {inode}, which needs more than 48 bits")));
            }
            return Ok(own | target.object);
        }
        let is_there = self.subvolumes.leads_to(subvolume.id, inode_of(folder), name, target.object);
        let found = self.subvolumes.position(target.object).filter(|_| is_there);
        Ok(found.map_or(own | EMPTY, |found| found << INODE_BITS | ROOT_FOLDER))
    }

    /// Shows what changed in a folder since the last commit: the names that are new, or lead elsewhere.
    fn show_new(
        &self,
        subvolume: &Subvolume,
        folder: u64,
        names: &Names,
        shown: &mut Shown<'_>,
    ) -> Result<(), ReadError> {
        for (name, target) in names {
            let Some(Target { key, kind }) = target else { continue };
            if shown.entry(name, self.node(subvolume, folder, name, *key)?, *kind).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn changed_names(changes: Option<&Arc<Changes>>, folder: u64) -> Option<&Names> {
    changes.and_then(|changes| changes.folders.get(&folder))
}

impl Reader for BtrfsReader {
    fn root(&self) -> Place {
        let position = self.shared.subvolumes.position(TOP).unwrap_or(0);
        Place { path: FilePath::root(), node: position << INODE_BITS | ROOT_FOLDER }
    }

    fn metadata(&mut self, place: &Place) -> Result<Metadata, ReadError> {
        if inode_of(place.node) == EMPTY {
            let kind = FileKind::Folder;
            return Ok(Metadata { kind, size: 0, mode: 0o755, uid: 0, gid: 0, modified: 0 });
        }
        Ok(self.inode(place.node)?.metadata)
    }

    fn read_folder(
        &mut self,
        folder: &Place,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        if inode_of(folder.node) == EMPTY {
            return Ok(());
        }
        if self.inode(folder.node)?.metadata.kind != FileKind::Folder {
            return Err(ReadError::NotFound("folder"));
        }
        let Shared { nodes, subvolumes, .. } = self.shared.as_ref();
        let (subvolume, number) = (subvolumes.get(folder.node >> INODE_BITS)?, inode_of(folder.node));
        let changed = changed_names(subvolume.changes.as_ref(), number);
        let mut shown = Shown::new(each);
        let mut cursor = Cursor::seek(nodes, subvolume.root, Key::new(number, DIR_INDEX, 0))?;
        while let Some((key, item)) = cursor.next()? {
            if (key.object, key.kind) != (number, DIR_INDEX) {
                break;
            }
            for entry in names(item) {
                let entry = entry?;
                if changed.is_some_and(|changed| changed.contains_key(entry.name)) {
                    continue;
                }
                let node = self.shared.node(subvolume, folder.node, entry.name, entry.target)?;
                if shown.entry(entry.name, node, entry.kind).is_break() {
                    return shown.end();
                }
            }
        }
        if let Some(changed) = changed {
            self.shared.show_new(subvolume, folder.node, changed, &mut shown)?;
        }
        shown.end()
    }

    fn lookup(&mut self, folder: &Place, name: &[u8]) -> Result<Option<Place>, ReadError> {
        if inode_of(folder.node) == EMPTY {
            return Ok(None);
        }
        if self.inode(folder.node)?.metadata.kind != FileKind::Folder {
            return Err(ReadError::NotFound("folder"));
        }
        let Shared { nodes, subvolumes, .. } = self.shared.as_ref();
        let (subvolume, number) = (subvolumes.get(folder.node >> INODE_BITS)?, inode_of(folder.node));
        let changed = changed_names(subvolume.changes.as_ref(), number).and_then(|names| names.get(name));
        let target = match changed {
            Some(target) => *target,
            None => find_name(nodes, subvolume.root, number, name)?,
        };
        let node = |target: Target| self.shared.node(subvolume, folder.node, name, target.key);
        let node = target.map(node).transpose()?;
        Ok(node.map(|node| Place { path: folder.path.join(name), node }))
    }

    fn read_link(&mut self, place: &Place) -> Result<Vec<u8>, ReadError> {
        let metadata = self.metadata(place)?;
        if metadata.kind != FileKind::Symlink {
            return Err(ReadError::NotFound("symbolic link"));
        }
        let limit = limits::PATH_BYTES;
        let length = usize::try_from(metadata.size).ok().filter(|&length| length <= limit);
        let what = "bytes in the target of a link";
        let mut target = vec![0; length.ok_or(ReadError::Limit { what, limit: limit as u64 })?];
        self.fill(place.node, 0, &mut target)?;
        Ok(target)
    }

    fn read_at(&mut self, place: &Place, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let metadata = self.metadata(place)?;
        if metadata.kind != FileKind::File {
            return Err(ReadError::NotFound("file"));
        }
        let left = metadata.size.saturating_sub(offset);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        self.fill(place.node, offset, buffer.get_mut(..length).unwrap_or_default())?;
        Ok(length)
    }
}
