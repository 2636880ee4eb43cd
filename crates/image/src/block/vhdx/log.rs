//! The log of a VHDX image: a ring of entries, each with whole pages that are to be written somewhere, or with ranges
//! that become zeros.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    sync::Arc,
};

use super::{
    super::{BlockRead, by_chunk, chunks::check_end, le32, le64},
    ContainerError, Head, WHAT, is_sound, number,
};

/// Everything in a log has this unit, in bytes.
const PAGE: usize = 4096;

/// The longest log that is replayed, in bytes; it has 1 MiB by default.
const LONGEST: u64 = 16 << 20;

const HEAD: usize = 64;
const DESCRIPTOR: usize = 32;

/// What is to be written, by where.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pages: BTreeMap<u64, Box<[u8]>>,
    /// From which page up to which one there are zeros, unless a page says otherwise; in order, and apart.
    zeros: Vec<(u64, u64)>,
    /// How long the file is at least.
    length: u64,
}

/// What the log of a file says that was not carried out; `None` when that is nothing.
pub(super) fn replay(file: &Arc<dyn BlockRead>, head: &Head) -> Result<Option<Changes>, ContainerError> {
    if head.log_guid == 0 || head.log.length == 0 {
        return Ok(None);
    }
    if head.log.length > LONGEST || !head.log.length.is_multiple_of(PAGE as u64) {
        let detail =
            format!("a log of {} bytes; whole pages, and {LONGEST} at most, would be right", head.log.length);
        return Err(ContainerError::damaged(WHAT, detail));
    }
    let end = head.log.start.checked_add(head.log.length).filter(|&end| end <= file.len());
    end.ok_or_else(|| ContainerError::damaged(WHAT, "its log lies beyond the end of the file"))?;
    let mut ring = vec![0; head.log.length as usize];
    file.read_at(head.log.start, &mut ring)?;
    let Some(sequence) = newest_sequence(&ring, head.log_guid) else {
        return Err(ContainerError::damaged(WHAT, "it was not closed, and its log holds nothing to replay"));
    };
    let mut changes = Changes { length: file.len(), ..Changes::default() };
    for entry in sequence {
        changes.apply(&entry);
    }
    changes.merge_zeros();
    Ok(Some(changes))
}

/// A sound entry of the ring.
struct Entry {
    sequence: u64,
    /// Where the oldest entry is that has to be replayed with this one.
    tail: usize,
    bytes: Vec<u8>,
}

/// The entries to replay, oldest first: those up to the newest one whose whole row is there.
fn newest_sequence(ring: &[u8], guid: u128) -> Option<Vec<Vec<u8>>> {
    let mut entries = HashMap::new();
    // A page that looks like the head of an entry is summed over the length that it names. Real logs have entries one
    // after the other; a made one must not cost the square of its length.
    let mut budget = ring.len() * 2;
    for at in (0..ring.len()).step_by(PAGE) {
        let length = le32(ring.get(at..)?, 8) as usize;
        if ring.get(at..at + 4)? != b"loge"
            || length < HEAD
            || !length.is_multiple_of(PAGE)
            || length > ring.len()
        {
            continue;
        }
        budget = budget.checked_sub(length)?;
        let bytes: Vec<u8> = ring[at..].iter().chain(ring).take(length).copied().collect();
        if !is_sound(&bytes, b"loge") || number(&bytes, 32) != guid {
            continue;
        }
        entries.insert(at, Entry { sequence: le64(&bytes, 16), tail: le32(&bytes, 12) as usize, bytes });
    }
    let mut newest: Vec<usize> = entries.keys().copied().collect();
    newest.sort_by_key(|at| std::cmp::Reverse(entries[at].sequence));
    let row = newest.iter().find_map(|&last| row(&entries, last, ring.len()))?;
    Some(row.into_iter().filter_map(|at| entries.remove(&at)).map(|entry| entry.bytes).collect())
}

/// The places of the entries from the tail of `last` up to it, when none is missing.
fn row(entries: &HashMap<usize, Entry>, last: usize, ring: usize) -> Option<Vec<usize>> {
    let mut at = entries.get(&last)?.tail;
    let mut row = Vec::new();
    let mut sequence = None;
    while row.len() < entries.len() {
        let entry = entries.get(&at)?;
        if sequence.is_some_and(|before: u64| before.checked_add(1) != Some(entry.sequence)) {
            return None;
        }
        row.push(at);
        if at == last {
            return Some(row);
        }
        sequence = Some(entry.sequence);
        at = (at + entry.bytes.len()) % ring;
    }
    None
}

impl Changes {
    fn apply(&mut self, entry: &[u8]) {
        self.length = self.length.max(le64(entry, 56)).min(i64::MAX as u64);
        let count = le32(entry, 24) as usize;
        // The pages begin at a whole page after the descriptors.
        let Some(first) = count.checked_mul(DESCRIPTOR).map(|bytes| (HEAD + bytes).next_multiple_of(PAGE))
        else {
            return;
        };
        let mut pages = entry.get(first..).unwrap_or_default().chunks_exact(PAGE);
        for descriptor in entry.get(HEAD..).unwrap_or_default().chunks_exact(DESCRIPTOR).take(count) {
            let place = le64(descriptor, 16);
            match descriptor.first_chunk() {
                Some(b"zero") => self.clear(place, place.saturating_add(le64(descriptor, 8))),
                Some(b"desc") => {
                    let Some(page) = pages.next() else { return };
                    // The sequence number took the place of the first 8 and the last 4 bytes.
                    let mut bytes = page.to_vec();
                    bytes[..8].copy_from_slice(&descriptor[8..16]);
                    bytes[PAGE - 4..].copy_from_slice(&descriptor[4..8]);
                    self.pages.insert(place / PAGE as u64, bytes.into());
                }
                _ => return,
            }
        }
    }

    fn clear(&mut self, from: u64, to: u64) {
        let (first, end) = (from / PAGE as u64, to / PAGE as u64);
        while let Some((&page, _)) = self.pages.range(first..end.max(first)).next() {
            self.pages.remove(&page);
        }
        self.zeros.push((first, end));
    }

    fn merge_zeros(&mut self) {
        self.zeros.sort_unstable();
        self.zeros.dedup_by(|next, last| {
            let touches = next.0 <= last.1;
            last.1 = if touches { last.1.max(next.1) } else { last.1 };
            touches
        });
    }

    /// Whether there is a page of zeros in a range.
    fn has_zeros(&self, first: u64, last: u64) -> bool {
        let next = self.zeros.partition_point(|&(from, _)| from <= last);
        next.checked_sub(1).and_then(|before| self.zeros.get(before)).is_some_and(|&(_, to)| first < to)
    }
}

/// A file with the changes of its log laid over it.
#[derive(Debug)]
pub(super) struct Replayed {
    file: Arc<dyn BlockRead>,
    changes: Changes,
}

impl Replayed {
    pub(super) fn new(file: Arc<dyn BlockRead>, changes: Changes) -> Self {
        Self { file, changes }
    }

    /// Whether the log says something about a range of pages.
    fn is_changed(&self, first: u64, last: u64) -> bool {
        self.changes.pages.range(first..=last).next().is_some()
            || self.changes.has_zeros(first, last)
            || last >= self.file.len() / PAGE as u64
    }
}

impl BlockRead for Replayed {
    fn len(&self) -> u64 {
        self.changes.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        check_end(self.changes.length, offset, buffer)?;
        let page = PAGE as u64;
        let end = offset.saturating_add(buffer.len() as u64);
        if !self.is_changed(offset / page, end.saturating_sub(1) / page) {
            return self.file.read_at(offset, buffer);
        }
        by_chunk(self.changes.length, page, offset, buffer, |number, within, part| {
            if let Some(bytes) = self.changes.pages.get(&number) {
                let within = within as usize;
                part.copy_from_slice(&bytes[within..within + part.len()]);
                return Ok(());
            }
            let at = number * page + within;
            let is_zero = self.changes.has_zeros(number, number);
            let there = usize::try_from(self.file.len().saturating_sub(at)).unwrap_or(usize::MAX);
            let (read, beyond) = part.split_at_mut(if is_zero { 0 } else { there.min(part.len()) });
            beyond.fill(0);
            self.file.read_at(at, read)
        })
    }
}
