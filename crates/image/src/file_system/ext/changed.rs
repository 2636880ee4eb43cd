//! Files as they are after fast commits: what differs from the blocks on the disk is kept beside them.

use std::collections::BTreeMap;

use super::{super::disk::Fields as _, fast_commits::Change, inode};

/// What is different, by the number of the inode.
pub type ChangedFiles = BTreeMap<u32, Changed>;

/// Names in a folder, with their inodes; `None` for one that is not there.
pub type Names = BTreeMap<Vec<u8>, Option<u32>>;

/// What is different about a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// The inode, without the root of its blocks; empty when it is as it was.
    inode: Vec<u8>,
    /// Where blocks lie, by the first one.
    ranges: BTreeMap<u64, Range>,
    /// A folder that was made: what its blocks hold is from before.
    pub is_new_folder: bool,
    /// What the folder has of these names, whatever its blocks say.
    pub names: Names,
}

/// Blocks of a file that lie together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    /// The first block of the file after it.
    end: u64,
    /// Where the first one lies; `None` for a hole.
    block: Option<u64>,
}

/// The names that changes are about, by folder.
pub fn names(changes: &[Change]) -> BTreeMap<u32, Names> {
    let mut folders = BTreeMap::<u32, Names>::new();
    for change in changes {
        match change {
            Change::Create { folder, name, .. }
            | Change::Link { folder, name, .. }
            | Change::Unlink { folder, name, .. } => {
                folders.entry(*folder).or_default().insert(name.clone(), None);
            }
            Change::Range { .. } | Change::Inode { .. } => {}
        }
    }
    folders
}

/// What comes of changes. `before` tells what of [`names`] was there.
pub fn apply(changes: Vec<Change>, before: BTreeMap<u32, Names>) -> ChangedFiles {
    let mut files = ChangedFiles::new();
    for (folder, names) in before {
        files.entry(folder).or_default().names = names;
    }
    for change in changes {
        match change {
            Change::Range { inode, first, count, block } => {
                files.entry(inode).or_default().put(first.into(), count.into(), block);
            }
            Change::Inode { inode, bytes } => files.entry(inode).or_default().inode = bytes,
            Change::Create { folder, inode, name } => {
                let file = files.entry(inode).or_default();
                if file.inode.u16(0) & 0xf000 == 0x4000 {
                    file.is_new_folder = true;
                    file.names.values_mut().for_each(|inode| *inode = None);
                }
                link(&mut files, folder, name, inode);
            }
            Change::Link { folder, inode, name } => link(&mut files, folder, name, inode),
            Change::Unlink { folder, inode, name } => {
                let there = files.entry(folder).or_default().names.entry(name).or_default();
                // What is there under that name now is something else.
                if *there == Some(inode) {
                    *there = None;
                }
            }
        }
    }
    files
}

/// A name that is there already stays what it is, as in Linux.
fn link(files: &mut ChangedFiles, folder: u32, name: Vec<u8>, inode: u32) {
    files.entry(folder).or_default().names.entry(name).or_default().get_or_insert(inode);
}

impl Changed {
    /// The inode, given that on the disk.
    pub fn inode(&self, disk: &[u8]) -> Vec<u8> {
        let mut bytes = disk.to_vec();
        let is_inline = inode::is_inline(&self.inode);
        for (at, (to, from)) in bytes.iter_mut().zip(&self.inode).enumerate() {
            if is_inline || !inode::ROOT.contains(&at) {
                *to = *from;
            }
        }
        bytes
    }

    /// Whether the inode is another one than that on the disk.
    pub fn has_inode(&self) -> bool {
        !self.inode.is_empty()
    }

    /// Where a block of the file lies, and how many behind it lie together, when it has changed; or else how many there
    /// are to the next that has.
    pub fn run(&self, wanted: u64) -> Result<(Option<u64>, u64), u64> {
        match self.ranges.range(..=wanted).next_back() {
            Some((&first, range)) if wanted < range.end => {
                Ok((range.block.map(|block| block.saturating_add(wanted - first)), range.end - wanted))
            }
            _ => Err(self.ranges.range(wanted..).next().map_or(u64::MAX, |(next, _)| next - wanted)),
        }
    }

    /// Later ranges hide earlier ones.
    fn put(&mut self, first: u64, count: u64, block: Option<u64>) {
        let end = first + count;
        let mut hidden: Vec<(u64, Range)> =
            self.ranges.range(first..end).map(|(&start, &range)| (start, range)).collect();
        hidden.extend(self.ranges.range(..first).next_back().map(|(&start, &range)| (start, range)));
        for (start, range) in hidden.into_iter().filter(|(_, range)| range.end > first) {
            self.ranges.remove(&start);
            if start < first {
                self.ranges.insert(start, Range { end: first, block: range.block });
            }
            if range.end > end {
                let block = range.block.map(|block| block.saturating_add(end - start));
                self.ranges.insert(end, Range { end: range.end, block });
            }
        }
        if count > 0 {
            self.ranges.insert(first, Range { end, block });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_are_what_was_put_last(
            puts in prop::collection::vec((0_u64..40, 0_u64..20, prop::option::of(100_u64..1000)), 0..20),
        ) {
            let mut changed = Changed::default();
            let mut expected = [None; 64];
            for (first, count, block) in puts {
                changed.put(first, count, block);
                for at in first..first + count {
                    expected[at as usize] = Some(block.map(|block| block + at - first));
                }
            }
            for (at, expected) in expected.into_iter().enumerate() {
                let found = changed.run(at as u64);
                prop_assert_eq!(found.ok().map(|(block, _)| block), expected);
                prop_assert!(found.map_or_else(|left| left, |(_, count)| count) > 0);
            }
        }
    }

    #[test]
    fn names_follow_each_other_as_in_linux() {
        let name = |text: &str| text.as_bytes().to_vec();
        let create = |folder, inode, text| Change::Create { folder, inode, name: name(text) };
        let link = |folder, inode, text| Change::Link { folder, inode, name: name(text) };
        let unlink = |folder, inode, text| Change::Unlink { folder, inode, name: name(text) };
        let folder = Change::Inode { inode: 30, bytes: [&[0, 0x40][..], &[0; 126]].concat() };
        let changes = vec![
            unlink(2, 11, "replaced"),
            link(2, 12, "replaced"),
            unlink(2, 12, "temporary"),
            link(2, 13, "stays"),
            unlink(2, 99, "other"),
            folder,
            create(2, 30, "folder"),
            create(30, 31, "inside"),
        ];
        let mut before = super::names(&changes);
        let there = [("replaced", 11), ("temporary", 12), ("stays", 14), ("other", 15)];
        before.entry(2).or_default().extend(there.map(|(text, inode)| (name(text), Some(inode))));
        // A folder that had this number before.
        before.entry(30).or_default().insert(name("old"), Some(77));
        let files = apply(changes, before);
        let names = |folder: u32| {
            let names = files.get(&folder).expect("changed").names.iter();
            names
                .map(|(name, inode)| (String::from_utf8_lossy(name).into_owned(), *inode))
                .collect::<Vec<_>>()
        };
        let expected = [
            ("folder", Some(30)),
            ("other", Some(15)),
            ("replaced", Some(12)),
            ("stays", Some(14)),
            ("temporary", None),
        ];
        assert_eq!(names(2), expected.map(|(name, inode)| (name.to_owned(), inode)));
        assert_eq!(names(30), [("inside".to_owned(), Some(31)), ("old".to_owned(), None)]);
        assert!(files.get(&30).is_some_and(|file| file.is_new_folder));
    }
}
