//! The journal (jbd2): committed changes that are not in their places yet are replayed into a table of blocks.
//!
//! Source: Documentation/filesystems/ext4/journal.rst of Linux. All its numbers are big-endian.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::ReadError,
    blocks::{Blocks, Replayed},
    fast_commits::{self, FastCommits},
    head::checksum,
};

/// What every block of the journal's own begins with.
pub const MAGIC: [u8; 4] = [0xc0, 0x3b, 0x39, 0x98];

const WIDE: u32 = 0x2;
const CHECKSUMS_2: u32 = 0x8;
const CHECKSUMS_3: u32 = 0x10;
const FAST_COMMITS: u32 = 0x20;
/// How many blocks there are for fast commits when the journal does not say.
const FAST_BLOCKS: u32 = 256;
const KNOWN: u32 = 0x1 | WIDE | 0x4 | CHECKSUMS_2 | CHECKSUMS_3 | FAST_COMMITS;

/// What a replay found.
#[derive(Debug, Default)]
pub struct Replay {
    pub blocks: BTreeMap<u64, Replayed>,
    /// What comes after the last transaction.
    pub fast_commits: FastCommits,
    pub notes: Vec<String>,
}

/// The blocks of the journal's file in their order, and what its superblock says.
struct Journal<'a> {
    blocks: &'a Blocks,
    /// Where each block of the journal lies on the disk, from runs of blocks.
    runs: &'a [(u64, u64)],
    first: u32,
    end: u32,
    features: u32,
    seed: u32,
}

/// A transaction that was committed.
struct Transaction {
    sequence: u32,
    changes: Vec<(u64, Replayed)>,
    revoked: BTreeSet<u64>,
}

/// Reads the journal that lies in `runs`: pairs of a first block and a count.
pub fn replay(blocks: &Blocks, runs: &[(u64, u64)]) -> Result<Replay, ReadError> {
    let mut journal = Journal { blocks, runs, first: 0, end: u32::MAX, features: 0, seed: 0 };
    let head = journal.read(0)?;
    let damaged = |what: &str| ReadError::Damaged(format!("journal: {what}"));
    if head.get(..4) != Some(&MAGIC) || !matches!(be32(&head, 4), 3 | 4) {
        return Err(damaged("it has no superblock"));
    }
    let start = be32(&head, 28);
    if start == 0 {
        return Ok(Replay::default());
    }
    if be32(&head, 12) != blocks.size {
        return Err(damaged("its blocks have another size than those of the file system"));
    }
    if be32(&head, 4) == 4 {
        journal.features = be32(&head, 40);
    }
    if journal.features & !KNOWN != 0 {
        let unknown = journal.features & !KNOWN;
        return Err(ReadError::Unsupported(format!("a journal with unknown features {unknown:#x}")));
    }
    let length = runs.iter().fold(0_u64, |sum, run| sum.saturating_add(run.1));
    journal.end = be32(&head, 16).min(u32::try_from(length).unwrap_or(u32::MAX));
    let last = journal.end;
    if journal.features & FAST_COMMITS != 0 {
        let fast = if be32(&head, 84) == 0 { FAST_BLOCKS } else { be32(&head, 84) };
        journal.end = journal.end.saturating_sub(fast);
    }
    journal.first = be32(&head, 20);
    if journal.first == 0 || !(journal.first..journal.end).contains(&start) {
        return Err(damaged("its first block lies outside of it"));
    }
    journal.seed = checksum(!0, head.get(48..64).unwrap_or_default());
    let sequence = be32(&head, 24);
    let transactions = journal.transactions(start, sequence)?;
    let next = sequence.wrapping_add(u32::try_from(transactions.len()).unwrap_or(u32::MAX));
    // Linux leaves out the block between the transactions and the fast commits.
    let area = (journal.end.saturating_add(1)..last).map(|number| journal.read(number));
    let fast_commits = fast_commits::read(area, next)?;
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let mut note =
        format!("the journal held {0} transaction{1}", transactions.len(), plural(transactions.len()));
    if fast_commits.count > 0 {
        note += &format!(" and {0} fast commit{1}", fast_commits.count, plural(fast_commits.count));
    }
    let notes = vec![note + "; replayed in memory"];
    Ok(Replay { blocks: merge(&transactions), fast_commits, notes })
}

/// Later transactions win; a revoked block keeps what is in its place, unless a later transaction writes it again.
fn merge(transactions: &[Transaction]) -> BTreeMap<u64, Replayed> {
    let mut blocks = BTreeMap::new();
    for transaction in transactions {
        for block in &transaction.revoked {
            blocks.remove(block);
        }
        let kept = transaction.changes.iter().filter(|(block, _)| !transaction.revoked.contains(block));
        blocks.extend(kept.copied());
    }
    blocks
}

impl Journal<'_> {
    /// Where a block of the journal lies.
    fn place(&self, number: u32) -> Result<u64, ReadError> {
        let mut left = u64::from(number);
        for &(start, count) in self.runs {
            if left < count {
                return Ok(start.saturating_add(left));
            }
            left -= count;
        }
        Err(ReadError::Damaged("journal: shorter than it says".into()))
    }

    fn read(&self, number: u32) -> Result<Vec<u8>, ReadError> {
        let mut bytes = vec![0; self.blocks.size as usize];
        self.blocks.fill(self.place(number)?, 0, &mut bytes)?;
        Ok(bytes)
    }

    fn after(&self, number: u32) -> u32 {
        if number.saturating_add(1) >= self.end { self.first } else { number + 1 }
    }

    /// Every transaction up to the first that was not committed whole.
    fn transactions(&self, start: u32, sequence: u32) -> Result<Vec<Transaction>, ReadError> {
        let new = |sequence| Transaction { sequence, changes: Vec::new(), revoked: BTreeSet::new() };
        let (mut done, mut current) = (Vec::new(), new(sequence));
        let (mut at, mut left) = (start, self.end - self.first);
        while left > 0 {
            let bytes = self.read(at)?;
            if bytes.get(..4) != Some(&MAGIC) || be32(&bytes, 8) != current.sequence {
                break;
            }
            left -= 1;
            at = self.after(at);
            match be32(&bytes, 4) {
                1 if self.has_good_tail(&bytes) => {
                    let tags = self.tags(&bytes);
                    for tag in tags {
                        if left == 0 || !self.is_good_copy(at, &tag, current.sequence)? {
                            return Ok(done);
                        }
                        let newer = Replayed { block: self.place(at)?, escaped: tag.flags & 1 != 0 };
                        current.changes.push((tag.block, newer));
                        left -= 1;
                        at = self.after(at);
                    }
                }
                2 if self.is_good_commit(&bytes) => {
                    let next = new(current.sequence.wrapping_add(1));
                    done.push(std::mem::replace(&mut current, next));
                }
                5 if self.has_good_tail(&bytes) => current.revoked.extend(self.revoked(&bytes)),
                _ => break,
            }
        }
        Ok(done)
    }

    fn has_checksums(&self) -> bool {
        self.features & (CHECKSUMS_2 | CHECKSUMS_3) != 0
    }

    /// The checksum at the end of a block with tags or revocations.
    fn has_good_tail(&self, bytes: &[u8]) -> bool {
        let Some(split) = bytes.len().checked_sub(4) else { return false };
        let sum = checksum(checksum(self.seed, bytes.get(..split).unwrap_or_default()), &[0; 4]);
        !self.has_checksums() || sum == be32(bytes, split)
    }

    /// The checksum in a commit block, at 16.
    fn is_good_commit(&self, bytes: &[u8]) -> bool {
        let (head, rest) = (bytes.get(..16).unwrap_or_default(), bytes.get(20..).unwrap_or_default());
        let sum = checksum(checksum(checksum(self.seed, head), &[0; 4]), rest);
        !self.has_checksums() || sum == be32(bytes, 16)
    }

    /// Whether the copy of a block in the journal is the one that its tag means.
    fn is_good_copy(&self, at: u32, tag: &Tag, sequence: u32) -> Result<bool, ReadError> {
        if !self.has_checksums() {
            return Ok(true);
        }
        let sum = checksum(checksum(self.seed, &sequence.to_be_bytes()), &self.read(at)?);
        Ok(if self.features & CHECKSUMS_3 != 0 { sum == tag.checksum } else { sum & 0xffff == tag.checksum })
    }

    /// The tags of a descriptor block: which blocks follow it.
    fn tags(&self, bytes: &[u8]) -> Vec<Tag> {
        let end = bytes.len().saturating_sub(if self.has_checksums() { 4 } else { 0 });
        let wide = self.features & WIDE != 0;
        let three = self.features & CHECKSUMS_3 != 0;
        let size = match (three, wide) {
            (true, _) => 16,
            (false, wide) => {
                8 + if wide { 4 } else { 0 } + if self.features & CHECKSUMS_2 != 0 { 2 } else { 0 }
            }
        };
        let (mut tags, mut at) = (Vec::new(), 12_usize);
        while at + size <= end {
            let high = if wide { u64::from(be32(bytes, at + 8)) << 32 } else { 0 };
            let (flags, checksum) = if three {
                (be32(bytes, at + 4), be32(bytes, at + 12))
            } else {
                (be32(bytes, at + 4) & 0xffff, be32(bytes, at + 4) >> 16)
            };
            tags.push(Tag { block: u64::from(be32(bytes, at)) | high, flags, checksum });
            at += size + if flags & 2 == 0 { 16 } else { 0 };
            if flags & 8 != 0 {
                break;
            }
        }
        tags
    }

    fn revoked(&self, bytes: &[u8]) -> Vec<u64> {
        let size = if self.features & WIDE != 0 { 8 } else { 4 };
        let end = (be32(bytes, 12) as usize).min(bytes.len());
        let list = bytes.get(16..end).unwrap_or_default();
        list.chunks_exact(size)
            .map(|entry| entry.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
            .collect()
    }
}

/// Names a block whose copy follows in the journal.
struct Tag {
    block: u64,
    flags: u32,
    checksum: u32,
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    let mut array = [0; 4];
    for (to, from) in array.iter_mut().zip(bytes.get(at..).unwrap_or_default()) {
        *to = *from;
    }
    u32::from_be_bytes(array)
}
