//! One log, put over its subvolume in the order in which the kernel does it: inodes and names that are gone, then the
//! names in logged folders, then the names by which logged inodes are referred to (`fs/btrfs/tree-log.c`).

use std::collections::{BTreeSet, HashMap};

use super::{
    super::{
        super::{FileKind, ReadError},
        checksum::name_hash,
        items::{
            DIR_INDEX, DIR_ITEM, DIR_LOG_INDEX, EXTENT, INODE, Inode, LONG_REFERENCE, Name, REFERENCE, names,
            references,
        },
        tree::{Cursor, Key, Node, Nodes, Root},
    },
    Changes, Left, Target,
};
use crate::file_system::disk::Fields as _;

pub struct Replay<'a> {
    nodes: &'a Nodes,
    tree: Root,
    changes: Changes,
    /// Names that were put into folders without a reference in the log, by inode and folder.
    unreferred: HashMap<(u64, u64), Vec<Vec<u8>>>,
    left: &'a mut Left,
    /// References of inodes that are nowhere.
    lost: usize,
}

impl<'a> Replay<'a> {
    /// What the log changes, and what of it could not be put anywhere.
    pub fn run(
        nodes: &'a Nodes,
        tree: Root,
        log: Root,
        left: &'a mut Left,
    ) -> Result<(Changes, Option<String>), ReadError> {
        let changes =
            Changes { log, inodes: HashMap::default(), folders: HashMap::default(), files: BTreeSet::new() };
        let mut replay = Self { nodes, tree, changes, unreferred: HashMap::new(), left, lost: 0 };
        replay.each(Self::inode)?;
        replay.each(Self::entry)?;
        replay.each(Self::reference)?;
        let lost = replay.lost;
        let problem = (lost > 0).then(|| format!("has {lost} references of inodes that are nowhere"));
        Ok((replay.changes, problem))
    }

    /// Goes through the items of the log. What belongs to an inode without links is left out: it was a temporary file.
    fn each(&mut self, step: fn(&mut Self, Key, &[u8]) -> Result<(), ReadError>) -> Result<(), ReadError> {
        let mut cursor = Cursor::seek(self.nodes, self.changes.log, Key::new(0, 0, 0))?;
        let mut unlinked = None;
        while let Some((key, item)) = cursor.next()? {
            self.left.look()?;
            if key.kind == INODE {
                unlinked = Some(key.object).filter(|_| item.u32(40) == 0);
            }
            if unlinked != Some(key.object) {
                step(self, key, item)?;
            }
        }
        Ok(())
    }

    fn inode(&mut self, key: Key, item: &[u8]) -> Result<(), ReadError> {
        match key.kind {
            INODE => {
                let mut inode = Inode::read(item)?;
                let before = self.committed(key.object)?;
                if inode.metadata.kind == FileKind::Folder && before.is_some() {
                    self.remove_names(key.object)?;
                }
                if let Some(before) = before {
                    inode = merged(before, inode);
                }
                self.left.keep()?;
                self.changes.inodes.insert(key.object, inode);
            }
            EXTENT if !self.changes.files.contains(&key.object) => {
                self.left.keep()?;
                self.changes.files.insert(key.object);
            }
            _ => {}
        }
        Ok(())
    }

    /// Removes the names of a folder that lie in a range that was logged, and were not logged themselves.
    fn remove_names(&mut self, folder: u64) -> Result<(), ReadError> {
        let mut next = 0;
        let mut ranges = Cursor::seek(self.nodes, self.changes.log, Key::new(folder, DIR_LOG_INDEX, 0))?;
        while let Some((range, item)) = ranges.next()? {
            if (range.object, range.kind) != (folder, DIR_LOG_INDEX) {
                break;
            }
            let (first, last) = (range.offset.max(next), item.u64(0));
            next = next.max(last.saturating_add(1));
            let mut entries = Cursor::seek(self.nodes, self.tree, Key::new(folder, DIR_INDEX, first))?;
            let mut leaf = None;
            while let Some((key, item)) = entries.next()? {
                if (key.object, key.kind) != (folder, DIR_INDEX) || key.offset > last {
                    break;
                }
                self.left.look()?;
                for entry in names(item) {
                    let entry = entry?;
                    let is_logged = self.log_item(key, &mut leaf)?.is_some_and(|(leaf, at)| {
                        names(leaf.item(at)).filter_map(Result::ok).any(|logged| logged.name == entry.name)
                    });
                    if !is_logged {
                        self.set(folder, entry.name, None)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// A name in a logged folder. When the inode's references are logged too, they put it there.
    fn entry(&mut self, key: Key, item: &[u8]) -> Result<(), ReadError> {
        if key.kind != DIR_INDEX {
            return Ok(());
        }
        for entry in names(item) {
            let Name { target, kind, name } = entry?;
            let new = Target { key: target, kind };
            let before = self.current(key.object, name)?;
            if before.is_some_and(|before| before.key == target) {
                continue;
            }
            let exists = target.kind == INODE && self.exists(target.object)?;
            if exists && before.is_some() {
                self.set(key.object, name, None)?;
            }
            if exists && !self.is_referred(target.object, key.object, name)? {
                self.unreferred.entry((target.object, key.object)).or_default().push(name.to_vec());
                self.set(key.object, name, Some(new))?;
            }
        }
        Ok(())
    }

    /// The names by which an inode is referred to from one folder: they are there afterwards, and no others.
    fn reference(&mut self, key: Key, item: &[u8]) -> Result<(), ReadError> {
        if !matches!(key.kind, REFERENCE | LONG_REFERENCE) {
            return Ok(());
        }
        let Some(inode) = self.current_inode(key.object)? else {
            self.lost += 1;
            return Ok(());
        };
        let target = Target { key: Key::new(key.object, INODE, 0), kind: Some(inode.metadata.kind) };
        let mut last = None;
        for reference in references(key, item) {
            let (folder, name) = reference?;
            // The root refers to itself. A folder that was never synchronised is nowhere: the kernel leaves it out, too.
            if folder == key.object || !self.exists(folder)? {
                continue;
            }
            if last != Some(folder) {
                self.remove_old_names(key, folder)?;
                last = Some(folder);
            }
            if self.current(folder, name)?.is_none_or(|before| before.key != target.key) {
                self.set(folder, name, Some(target))?;
            }
        }
        Ok(())
    }

    /// Removes the names that an inode had in a folder, and that its logged references do not have.
    fn remove_old_names(&mut self, key: Key, folder: u64) -> Result<(), ReadError> {
        let mut old = self.unreferred.remove(&(key.object, folder)).unwrap_or_default();
        let leaf = self.nodes.leaf(self.tree, key)?;
        let at = leaf.below(key);
        if leaf.key(at) == Some(key) {
            for reference in references(key, leaf.item(at)) {
                let (of, name) = reference?;
                if of == folder {
                    old.push(name.to_vec());
                }
            }
        }
        for name in old {
            let leads_here =
                self.current(folder, &name)?.is_some_and(|found| found.key == Key::new(key.object, INODE, 0));
            if leads_here && !self.is_referred(key.object, folder, &name)? {
                self.set(folder, &name, None)?;
            }
        }
        Ok(())
    }

    /// Whether the log has a reference of an inode to a name in a folder.
    fn is_referred(&self, inode: u64, folder: u64, name: &[u8]) -> Result<bool, ReadError> {
        let hash = u64::from(name_hash(folder as u32, name));
        for key in [Key::new(inode, REFERENCE, folder), Key::new(inode, LONG_REFERENCE, hash)] {
            if let Some((leaf, at)) = self.log_item(key, &mut None)?
                && references(key, leaf.item(at)).filter_map(Result::ok).any(|found| found == (folder, name))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// An item of the log; `last` is the leaf that was looked at last.
    fn log_item(&self, key: Key, last: &mut Option<Node>) -> Result<Option<(Node, usize)>, ReadError> {
        let leaf = match last.take().filter(|leaf| leaf.spans(key)) {
            Some(leaf) => leaf,
            None => self.nodes.leaf(self.changes.log, key)?,
        };
        *last = Some(leaf.clone());
        let at = leaf.below(key);
        Ok((leaf.key(at) == Some(key)).then_some((leaf, at)))
    }

    /// An inode as the last commit left it.
    fn committed(&self, inode: u64) -> Result<Option<Inode>, ReadError> {
        let key = Key::new(inode, INODE, 0);
        let leaf = self.nodes.leaf(self.tree, key)?;
        let at = leaf.below(key);
        (leaf.key(at) == Some(key)).then(|| Inode::read(leaf.item(at))).transpose()
    }

    fn current_inode(&self, inode: u64) -> Result<Option<Inode>, ReadError> {
        match self.changes.inodes.get(&inode) {
            Some(found) => Ok(Some(*found)),
            None => self.committed(inode),
        }
    }

    fn exists(&self, inode: u64) -> Result<bool, ReadError> {
        Ok(self.current_inode(inode)?.is_some())
    }

    /// Where a name in a folder leads now.
    fn current(&self, folder: u64, name: &[u8]) -> Result<Option<Target>, ReadError> {
        if let Some(changed) = self.changes.folders.get(&folder).and_then(|names| names.get(name)) {
            return Ok(*changed);
        }
        find_name(self.nodes, self.tree, folder, name)
    }

    fn set(&mut self, folder: u64, name: &[u8], target: Option<Target>) -> Result<(), ReadError> {
        self.left.keep()?;
        self.changes.folders.entry(folder).or_default().insert(name.to_vec(), target);
        Ok(())
    }
}

/// What an inode is after its logged version came over it. One that was logged only to say that it is there has no
/// generation, and changes no more than the length of a file, when it has one. The length of a folder follows its names.
fn merged(before: Inode, logged: Inode) -> Inode {
    let both = |kind| before.metadata.kind == kind && logged.metadata.kind == kind;
    let mut inode = if logged.generation == 0 { before } else { logged };
    if both(FileKind::Folder) {
        inode.metadata.size = before.metadata.size;
    } else if logged.generation == 0 && both(FileKind::File) && logged.metadata.size != 0 {
        inode.metadata.size = logged.metadata.size;
    }
    inode
}

/// Looks up a name in a folder of a tree, by its checksum.
pub fn find_name(nodes: &Nodes, tree: Root, folder: u64, name: &[u8]) -> Result<Option<Target>, ReadError> {
    let key = Key::new(folder, DIR_ITEM, name_hash(!1, name).into());
    let leaf = nodes.leaf(tree, key)?;
    let at = leaf.below(key);
    if leaf.key(at) != Some(key) {
        return Ok(None);
    }
    for entry in names(leaf.item(at)) {
        let entry = entry?;
        if entry.name == name {
            return Ok(Some(Target { key: entry.target, kind: entry.kind }));
        }
    }
    Ok(None)
}
