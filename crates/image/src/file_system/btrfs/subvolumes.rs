//! The tree of roots: the subvolumes, and where they lie in each other.

use std::sync::Arc;

use super::{
    super::{ReadError, disk::Fields as _},
    checksum::name_hash,
    items::{DIR_ITEM, REFERENCE, ROOT, ROOT_BACK_REFERENCE, names, references},
    log::Changes,
    tree::{Cursor, Key, Nodes, Root},
};
use crate::{FilePath, limits};

/// The subvolume that all others lie in.
pub const TOP: u64 = 5;

/// The root folder of every subvolume.
pub const ROOT_FOLDER: u64 = 256;

/// The ids of other subvolumes; what is above them are trees of the file system itself.
const SUBVOLUME_IDS: std::ops::RangeInclusive<u64> = 256..=u64::MAX - 256;

/// How many subvolumes are read: their number shares 64 bits with the inode.
const MOST: usize = 0xfffe;

/// The folder of the tree of roots that says which subvolume is the default one.
const ROOT_TREE_FOLDER: u64 = 6;

/// A tree of files.
pub struct Subvolume {
    pub id: u64,
    pub root: Root,
    /// What was synchronised since the last commit.
    pub changes: Option<Arc<Changes>>,
}

/// Where a subvolume lies.
pub struct Place {
    pub child: u64,
    pub parent: u64,
    /// The inode of the folder in the parent.
    pub folder: u64,
    pub name: Vec<u8>,
}

/// All subvolumes, by their ids.
#[derive(Default)]
pub struct Subvolumes {
    pub list: Vec<Subvolume>,
    places: Vec<Place>,
}

/// The root that an item of the tree of roots names.
pub fn root(item: &[u8]) -> Root {
    Root { address: item.u64(176), level: item.u8(238), generation: item.u64(160) }
}

impl Subvolumes {
    pub fn read(nodes: &Nodes, tree: Root) -> Result<Self, ReadError> {
        let mut found = Self::default();
        let mut cursor = Cursor::seek(nodes, tree, Key::new(TOP, ROOT, 0))?;
        while let Some((key, item)) = cursor.next()? {
            match key.kind {
                _ if key.object != TOP && !SUBVOLUME_IDS.contains(&key.object) => {}
                // One that nothing refers to was deleted, and is being taken apart.
                ROOT if item.u32(216) != 0 => {
                    if found.list.len() >= MOST {
                        return Err(ReadError::Limit { what: "subvolumes", limit: MOST as u64 });
                    }
                    found.list.push(Subvolume { id: key.object, root: root(item), changes: None });
                }
                // Each lies in one place.
                ROOT_BACK_REFERENCE if found.places.last().is_none_or(|last| last.child != key.object) => {
                    let name = item.get(18..18 + usize::from(item.u16(16))).unwrap_or_default().to_vec();
                    found.places.push(Place {
                        child: key.object,
                        parent: key.offset,
                        folder: item.u64(0),
                        name,
                    });
                }
                _ => {}
            }
            if found.places.len() > MOST {
                return Err(ReadError::Limit { what: "subvolumes", limit: MOST as u64 });
            }
        }
        if found.position(TOP).is_none() {
            return Err(ReadError::Damaged("it has no tree of files".into()));
        }
        Ok(found)
    }

    /// Which one of the list has an id.
    pub fn position(&self, id: u64) -> Option<u64> {
        self.list.binary_search_by_key(&id, |found| found.id).ok().map(|at| at as u64)
    }

    pub fn by_id_mut(&mut self, id: u64) -> Option<&mut Subvolume> {
        let at = self.list.binary_search_by_key(&id, |found| found.id).ok()?;
        self.list.get_mut(at)
    }

    pub fn get(&self, position: u64) -> Result<&Subvolume, ReadError> {
        let found = usize::try_from(position).ok().and_then(|at| self.list.get(at));
        found.ok_or(ReadError::NotFound("subvolume"))
    }

    fn place(&self, child: u64) -> Option<&Place> {
        self.places.binary_search_by_key(&child, |place| place.child).ok().and_then(|at| self.places.get(at))
    }

    /// Whether a name in a folder leads to a subvolume. A snapshot has the names of the subvolumes in what it is a
    /// snapshot of, but not the subvolumes.
    pub fn leads_to(&self, parent: u64, folder: u64, name: &[u8], child: u64) -> bool {
        let is_there = |place: &Place| place.parent == parent && place.folder == folder && place.name == name;
        self.place(child).is_some_and(is_there)
    }

    /// The folder that is seen when nothing says which subvolume.
    pub fn default_folder(&self, nodes: &Nodes, tree: Root) -> Result<FilePath, ReadError> {
        let key = Key::new(ROOT_TREE_FOLDER, DIR_ITEM, name_hash(!1, b"default").into());
        let leaf = nodes.leaf(tree, key)?;
        let at = leaf.below(key);
        let item = if leaf.key(at) == Some(key) { leaf.item(at) } else { &[] };
        let default = names(item).filter_map(Result::ok).find(|entry| entry.name == b"default");
        let mut id = default.map_or(TOP, |entry| entry.target.object);
        let mut path = Vec::new();
        while id != TOP {
            let place = self.place(id).ok_or(ReadError::NotFound("default subvolume"))?;
            let parent = self.get(self.position(place.parent).ok_or(ReadError::NotFound("subvolume"))?)?;
            path.push(place.name.clone());
            let mut folder = place.folder;
            while folder != ROOT_FOLDER {
                let (above, name) = parent.name(nodes, folder)?;
                path.push(name);
                folder = above;
                if path.len() > limits::DEPTH {
                    return Err(ReadError::Limit { what: "folders", limit: limits::DEPTH as u64 });
                }
            }
            id = place.parent;
            if path.len() > limits::DEPTH {
                return Err(ReadError::Limit { what: "folders", limit: limits::DEPTH as u64 });
            }
        }
        path.reverse();
        Ok(FilePath::new(&path.join(&b'/')))
    }
}

impl Subvolume {
    /// The folder above a folder, and its name there.
    fn name(&self, nodes: &Nodes, folder: u64) -> Result<(u64, Vec<u8>), ReadError> {
        let logged = self.changes.iter().map(|changes| changes.log);
        for tree in logged.chain([self.root]) {
            let mut cursor = Cursor::seek(nodes, tree, Key::new(folder, REFERENCE, 0))?;
            if let Some((key, item)) = cursor.next()?
                && (key.object, key.kind) == (folder, REFERENCE)
                && let Some(found) = references(key, item).next()
            {
                let (above, name) = found?;
                return Ok((above, name.to_vec()));
            }
        }
        Err(ReadError::NotFound("folder of the default subvolume"))
    }
}
