//! The log trees: what programs have synchronised since the last commit.
//!
//! A file that is synchronised does not wait for the next commit of the whole file system, which comes every 30 seconds:
//! its items go into a tree of their own, one for each subvolume, and the kernel puts them into the subvolume when the
//! file system is mounted after a crash. Here they lie over the subvolume instead: inodes and names are held in memory,
//! the extents of a file are looked for in the log first.

mod replay;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use self::replay::Replay;
pub use self::replay::find_name;
use super::{
    super::{FileKind, ReadError},
    items::{Inode, ROOT},
    subvolumes::{Subvolumes, root},
    tree::{Cursor, Key, Nodes, Root},
};

/// Under which number the tree of logs has them.
const LOGS: u64 = u64::MAX - 5;

/// How many inodes and names of all logs are held in memory. The logs of half a minute have some thousands.
const CHANGES: usize = 500_000;

/// How many items of all logs, and of the folders that they change, are looked at.
const ITEMS: usize = 20_000_000;

/// What all logs together may still cost.
struct Left {
    changes: usize,
    items: usize,
}

impl Left {
    /// One more inode or name is held.
    fn keep(&mut self) -> Result<(), ReadError> {
        let limit = ReadError::Limit { what: "changes in log trees", limit: CHANGES as u64 };
        self.changes = self.changes.checked_sub(1).ok_or(limit)?;
        Ok(())
    }

    /// One more item is looked at.
    fn look(&mut self) -> Result<(), ReadError> {
        let limit = ReadError::Limit { what: "items in log trees", limit: ITEMS as u64 };
        self.items = self.items.checked_sub(1).ok_or(limit)?;
        Ok(())
    }
}

/// The names that changed in a folder: where they lead now, or that they are gone.
pub type Names = BTreeMap<Vec<u8>, Option<Target>>;

/// Where a name leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    pub key: Key,
    pub kind: Option<FileKind>,
}

/// What lies over a subvolume.
pub struct Changes {
    /// Where the log lies.
    pub log: Root,
    pub inodes: HashMap<u64, Inode>,
    /// By the inodes of the folders.
    pub folders: HashMap<u64, Names>,
    /// The inodes whose extents are looked for in the log first.
    pub files: BTreeSet<u64>,
}

/// Replays the logs of all subvolumes. What could not be replayed, in sentences: those subvolumes are as the last commit
/// left them.
pub fn replay(nodes: &Nodes, logs: Root, subvolumes: &mut Subvolumes) -> Vec<String> {
    let mut problems = Vec::new();
    let mut left = Left { changes: CHANGES, items: ITEMS };
    let found = match find(nodes, logs) {
        Ok(found) => found,
        Err(error) => return vec![sentence("the log trees cannot be read", &error)],
    };
    for (id, log) in found {
        // A subvolume that was deleted needs no log any more.
        let Some(subvolume) = subvolumes.by_id_mut(id) else { continue };
        match Replay::run(nodes, subvolume.root, log, &mut left) {
            Ok((changes, problem)) => {
                subvolume.changes = Some(Arc::new(changes));
                problems.extend(problem.map(|problem| format!("the log tree of subvolume {id} {problem}")));
            }
            Err(error) => {
                problems.push(sentence(&format!("the log tree of subvolume {id} is not replayed"), &error));
            }
        }
    }
    problems
}

fn sentence(what: &str, error: &ReadError) -> String {
    format!("{what} ({error}): files are as the last commit left them, at most seconds older")
}

/// The logs, by the ids of their subvolumes.
fn find(nodes: &Nodes, logs: Root) -> Result<Vec<(u64, Root)>, ReadError> {
    let mut found = Vec::new();
    let mut cursor = Cursor::seek(nodes, logs, Key::new(LOGS, ROOT, 0))?;
    while let Some((key, item)) = cursor.next()? {
        if (key.object, key.kind) != (LOGS, ROOT) || found.len() >= CHANGES {
            break;
        }
        found.push((key.offset, root(item)));
    }
    Ok(found)
}
