//! What the crate does not offer: a superblock without its log tree, and the default subvolume.

use fs_btrfs::{
    Filesystem, Superblock,
    fs::RootTreeItem,
    superblock::{SUPER_INFO_SIZE, SUPER_OFFSETS},
};

use super::{
    super::{
        ReadError,
        disk::{Disk, Fields as _},
        guard::guarded,
    },
    TOP, read_error,
};
use crate::{FilePath, limits};

/// Where the superblock names the log tree, in bytes from its beginning.
const LOG_ROOT: usize = 0x60;

/// How many folders are searched for one that a subvolume lies in.
const SEARCHED_FOLDERS: usize = 4096;

/// A device whose superblocks name no log tree: the state of the last commit.
pub(super) struct WithoutLog {
    disk: Disk,
    /// The copies of the superblock, and where they lie.
    heads: Vec<(u64, Vec<u8>)>,
}

impl WithoutLog {
    pub fn new(disk: Disk) -> Result<Self, ReadError> {
        let mut heads = Vec::new();
        for at in SUPER_OFFSETS {
            if at.saturating_add(SUPER_INFO_SIZE as u64) > disk.len() {
                continue;
            }
            let mut bytes = disk.read(at, SUPER_INFO_SIZE)?;
            let Ok(head) = guarded("btrfs", || Superblock::parse_at(&bytes, at).map_err(read_error)) else {
                continue;
            };
            bytes.iter_mut().skip(LOG_ROOT).take(8).for_each(|byte| *byte = 0);
            let digest = head.csum_type.digest(bytes.get(32..).unwrap_or_default());
            bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
            heads.push((at, bytes));
        }
        Ok(Self { disk, heads })
    }
}

impl fs_core::BlockRead for WithoutLog {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> fs_core::Result<()> {
        fs_core::BlockRead::read_at(&self.disk, offset, buffer)?;
        for (at, head) in &self.heads {
            let skip = usize::try_from(at.saturating_sub(offset)).unwrap_or(usize::MAX);
            let from = usize::try_from(offset.saturating_sub(*at)).unwrap_or(usize::MAX);
            let bytes = head.get(from..).unwrap_or_default();
            buffer.iter_mut().skip(skip).zip(bytes).for_each(|(to, from)| *to = *from);
        }
        Ok(())
    }

    fn size_bytes(&self) -> u64 {
        self.disk.len()
    }
}

/// Where a subvolume lies.
pub(super) struct Reference {
    pub child: u64,
    pub parent: u64,
    /// The inode of the folder in the parent.
    pub folder: u64,
    pub name: Vec<u8>,
}

/// Where the subvolumes lie, from the tree of roots: each in one place.
pub(super) fn references(items: &[RootTreeItem]) -> Vec<Reference> {
    let mut found: Vec<Reference> = Vec::new();
    for (child, kind, parent, data) in items {
        // ROOT_BACKREF. The items are sorted: a second one of a subvolume follows its first.
        if *kind == 144 && found.last().is_none_or(|last| last.child != *child) {
            let name = data.get(18..18 + usize::from(data.u16(16))).unwrap_or_default().to_vec();
            found.push(Reference { child: *child, parent: *parent, folder: data.u64(0), name });
        }
    }
    found
}

/// The folder that is seen when nothing says which subvolume.
pub(super) fn default_folder(
    top: &Filesystem,
    items: &[RootTreeItem],
    references: &[Reference],
) -> Result<FilePath, ReadError> {
    // The entry `default` in folder 6 of the tree of roots.
    let default = items.iter().find(|item| item.0 == 6 && item.1 == 84 && item.3.ends_with(b"default"));
    let mut id = default.map_or(TOP, |item| item.3.u64(0));
    let mut names = Vec::new();
    while id != TOP && names.len() < limits::DEPTH {
        let Some(reference) = references.iter().find(|reference| reference.child == id) else {
            return Err(ReadError::NotFound("default subvolume"));
        };
        names.push(reference.name.clone());
        id = reference.parent;
        let path = guarded("btrfs", || {
            let tree = if id == TOP { None } else { Some(top.open_subvolume(id).map_err(read_error)?) };
            find_folder(tree.as_ref().unwrap_or(top), reference.folder)
        })?;
        let above: Vec<_> = path.names().map(<[u8]>::to_vec).collect();
        names.extend(above.into_iter().rev());
    }
    names.reverse();
    Ok(FilePath::new(&names.join(&b'/')))
}

/// The path of a folder in a tree; folders near the root are found first.
fn find_folder(tree: &Filesystem, wanted: u64) -> Result<FilePath, ReadError> {
    let root = tree.root_inode().map_err(read_error)?.ino;
    let mut folders = vec![(root, FilePath::root())];
    let mut next = 0;
    while let Some((folder, path)) = folders.get(next).cloned() {
        if folder == wanted {
            return Ok(path);
        }
        next += 1;
        for entry in tree.read_dir(folder).map_err(read_error)? {
            let is_folder = entry.ftype == Some(fs_btrfs::inode::FileType::Directory) && entry.is_inode();
            if is_folder && folders.len() < SEARCHED_FOLDERS {
                folders.push((entry.ino, path.join(&entry.name)));
            }
        }
    }
    Err(ReadError::NotFound("folder of the default subvolume"))
}
