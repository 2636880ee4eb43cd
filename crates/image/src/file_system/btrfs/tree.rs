//! The trees: sorted items, in blocks of one size. Every block is checked when it is read, and kept for all threads.

use std::sync::Arc;

use super::{
    super::{ReadError, disk::Fields as _},
    checksum::Checksum,
    pool::Pool,
};
use crate::block::Cache;

/// How much of the trees is kept for all threads, in bytes.
const CACHED: usize = 4 << 20;

/// What a block begins with, in bytes.
const HEADER: usize = 0x65;

/// How long the head of an item is in a leaf, and a pointer in a node above, in bytes.
const ITEM: usize = 25;
const POINTER: usize = 33;

/// Levels that a tree can have.
const LEVELS: u8 = 8;

/// What items are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub object: u64,
    pub kind: u8,
    pub offset: u64,
}

impl Key {
    /// How long one is on disk, in bytes.
    pub const LENGTH: usize = 17;

    pub const fn new(object: u64, kind: u8, offset: u64) -> Self {
        Self { object, kind, offset }
    }

    /// The key at the beginning of some bytes.
    pub fn read(bytes: &[u8]) -> Self {
        Self { object: bytes.u64(0), kind: bytes.u8(8), offset: bytes.u64(9) }
    }
}

/// Where a block of a tree lies, and what tells it from an older one that lay there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    pub address: u64,
    pub level: u8,
    pub generation: u64,
}

/// The blocks of all trees.
pub struct Nodes {
    pub pool: Pool,
    checksum: Checksum,
    /// How long a block is, in bytes.
    size: usize,
    uuid: [u8; 16],
    cache: Arc<Cache>,
    owner: u32,
}

impl Nodes {
    pub fn new(pool: Pool, checksum: Checksum, size: u32, uuid: [u8; 16]) -> Self {
        let cache = Cache::new(CACHED);
        Self { pool, checksum, size: size as usize, uuid, owner: cache.owner(), cache }
    }

    /// A block that was asked for by what leads to it.
    fn node(&self, root: Root) -> Result<Node, ReadError> {
        if root.level >= LEVELS {
            return Err(ReadError::Damaged(format!("a tree of {} levels", root.level)));
        }
        if let Some(node) = self.cache.get(self.owner, root.address).map(Node) {
            return node.check_place(root).map(|()| node);
        }
        let bytes = self.pool.read_checked(root.address, self.size, &|bytes| {
            self.check(root.address, bytes)?;
            Node::check_header(bytes, root)
        })?;
        Ok(Node(self.cache.put(self.owner, root.address, bytes)))
    }

    /// Whether a block is whole, and one of this place: after that, its items lie inside it and are sorted.
    fn check(&self, address: u64, bytes: &[u8]) -> Result<(), ReadError> {
        let damaged =
            |what: &str| Err(ReadError::Damaged(format!("the block of a tree at {address} {what}")));
        if !self.checksum.holds(bytes) {
            return damaged("has a wrong checksum");
        }
        if bytes.get(0x20..0x30) != Some(&self.uuid) || bytes.u64(0x30) != address {
            return damaged("belongs to another place, or another file system");
        }
        let (level, count) = (level(bytes), count(bytes));
        let entry = if level == 0 { ITEM } else { POINTER };
        let heads = count.saturating_mul(entry).saturating_add(HEADER);
        if heads > bytes.len() || level > 0 && count == 0 {
            return damaged(&format!("has {count} entries"));
        }
        for at in 0..count {
            if at > 0 && key(bytes, at - 1) >= key(bytes, at) {
                return damaged("is not sorted");
            }
            if level == 0 {
                let (start, length) = item(bytes, at);
                if start < heads || start.saturating_add(length) > bytes.len() {
                    return damaged("has an item that does not lie in it");
                }
            }
        }
        Ok(())
    }

    /// The leaf in which a key would lie: its first key is not larger, unless the tree has only larger ones.
    pub fn leaf(&self, root: Root, wanted: Key) -> Result<Node, ReadError> {
        Ok(Cursor::seek(self, root, wanted)?.into_leaf())
    }
}

/// A checked block of a tree.
#[derive(Clone)]
pub struct Node(Arc<Vec<u8>>);

fn level(bytes: &[u8]) -> u8 {
    bytes.u8(0x64)
}

fn count(bytes: &[u8]) -> usize {
    bytes.u32(0x60) as usize
}

fn key(bytes: &[u8], at: usize) -> Key {
    let entry = if level(bytes) == 0 { ITEM } else { POINTER };
    let start = HEADER.saturating_add(at.saturating_mul(entry));
    Key::read(bytes.get(start..).unwrap_or_default())
}

/// Where an item lies in its leaf, and how long it is.
fn item(bytes: &[u8], at: usize) -> (usize, usize) {
    let head = bytes.get(HEADER.saturating_add(at.saturating_mul(ITEM))..).unwrap_or_default();
    ((head.u32(Key::LENGTH) as usize).saturating_add(HEADER), head.u32(Key::LENGTH + 4) as usize)
}

impl Node {
    fn check_header(bytes: &[u8], root: Root) -> Result<(), ReadError> {
        if level(bytes) != root.level || bytes.u64(0x50) != root.generation {
            return Err(ReadError::Damaged(format!(
                "the block of a tree at {} has level {} and generation {} instead of {} and {}",
                root.address,
                level(bytes),
                bytes.u64(0x50),
                root.level,
                root.generation
            )));
        }
        Ok(())
    }

    fn check_place(&self, root: Root) -> Result<(), ReadError> {
        Self::check_header(&self.0, root)
    }

    fn count(&self) -> usize {
        count(&self.0)
    }

    /// The key of an entry; `None` behind the last.
    pub fn key(&self, at: usize) -> Option<Key> {
        (at < self.count()).then(|| key(&self.0, at))
    }

    fn last_key(&self) -> Option<Key> {
        self.key(self.count().checked_sub(1)?)
    }

    /// Whether a key lies between the first and the last of a leaf, so that this is the leaf for it.
    pub fn spans(&self, wanted: Key) -> bool {
        self.key(0).is_some_and(|first| first <= wanted) && self.last_key().is_some_and(|last| wanted <= last)
    }

    /// How many entries have a key below `wanted`.
    pub fn below(&self, wanted: Key) -> usize {
        let (mut low, mut high) = (0, self.count());
        while low < high {
            let middle = low + (high - low) / 2;
            match key(&self.0, middle) < wanted {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    }

    /// The bytes of an item.
    pub fn item(&self, at: usize) -> &[u8] {
        let (start, length) = item(&self.0, at);
        self.0.get(start..start.saturating_add(length)).unwrap_or_default()
    }

    fn child(&self, at: usize) -> Root {
        let pointer = self.0.get(HEADER.saturating_add(at.saturating_mul(POINTER))..).unwrap_or_default();
        Root {
            address: pointer.u64(Key::LENGTH),
            level: level(&self.0).saturating_sub(1),
            generation: pointer.u64(Key::LENGTH + 8),
        }
    }
}

/// A place in a tree, that moves on through its items.
pub struct Cursor<'a> {
    nodes: &'a Nodes,
    /// The way to the leaf from the root, and which entry of each it goes through.
    above: Vec<(Node, usize)>,
    leaf: Node,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// The first item whose key is not below `wanted`.
    pub fn seek(nodes: &'a Nodes, root: Root, wanted: Key) -> Result<Self, ReadError> {
        let node = nodes.node(root)?;
        let mut cursor = Self { nodes, above: Vec::new(), leaf: node.clone(), at: 0 };
        cursor.descend(node, Some(wanted))?;
        Ok(cursor)
    }

    fn into_leaf(self) -> Node {
        self.leaf
    }

    /// From a node down to the leaf for a key, or to the first one. Ends because every level is below the one before.
    fn descend(&mut self, mut node: Node, wanted: Option<Key>) -> Result<(), ReadError> {
        while level(&node.0) > 0 {
            let at = wanted.map_or(0, |wanted| match node.key(node.below(wanted)) {
                Some(key) if key == wanted => node.below(wanted),
                _ => node.below(wanted).saturating_sub(1),
            });
            let child = self.child(&node, at)?;
            self.above.push((node, at));
            node = child;
        }
        self.at = wanted.map_or(0, |wanted| node.below(wanted));
        self.leaf = node;
        Ok(())
    }

    /// A child whose keys are those that its parent says: so that the keys of a tree rise, and no way through it leads
    /// twice to one place.
    fn child(&self, node: &Node, at: usize) -> Result<Node, ReadError> {
        let root = node.child(at);
        let child = self.nodes.node(root)?;
        let next = |node: &Node, at: usize| node.key(at.saturating_add(1));
        let bound = next(node, at).or_else(|| self.above.iter().rev().find_map(|(node, at)| next(node, *at)));
        let is_below = bound.is_none_or(|bound| child.last_key().is_some_and(|last| last < bound));
        if child.key(0) != node.key(at) || child.key(0).is_none() || !is_below {
            return Err(ReadError::Damaged(format!(
                "the block of a tree at {} has other keys than its parent says",
                root.address
            )));
        }
        Ok(child)
    }

    /// The next item; `None` at the end of the tree.
    pub fn next(&mut self) -> Result<Option<(Key, &[u8])>, ReadError> {
        while self.at >= self.leaf.count() {
            if !self.next_leaf()? {
                return Ok(None);
            }
        }
        let at = self.at;
        self.at += 1;
        Ok(self.leaf.key(at).map(|key| (key, self.leaf.item(at))))
    }

    fn next_leaf(&mut self) -> Result<bool, ReadError> {
        while let Some((node, at)) = self.above.pop() {
            let at = at.saturating_add(1);
            if at < node.count() {
                let child = self.child(&node, at)?;
                self.above.push((node, at));
                return self.descend(child, None).map(|()| true);
            }
        }
        Ok(false)
    }
}
