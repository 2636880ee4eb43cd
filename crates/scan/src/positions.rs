//! Where each thread of the scanner is, in a file in memory that its supervisor keeps: what it finds there after the
//! scanner was killed is what killed it, or was beside it.
//!
//! One system call per file that is read; nothing for files that nobody reads.

use std::{fs::File, io, os::unix::fs::FileExt as _, sync::Arc};

use guardhouse_image::FilePath;
use serde::{Deserialize, Serialize};

/// Where the first slot begins; before it lie the options of the process.
pub(crate) const SLOTS_AT: u64 = 1 << 20;

/// How long a slot is: its head, the longest word, the longest path.
const SLOT: usize = 8192;

/// A counter, which changes with every step; a system; the lengths of the word and of the path.
const HEAD: usize = 8 + 4 + 2 + 2;

/// How many threads have a slot.
pub const SLOTS: usize = 256;

/// What stands for "no system" in a slot.
const NO_SYSTEM: u32 = u32::MAX;

/// A place where a thread of the scanner was.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spot {
    /// Which system; `None` before there are any.
    pub system: Option<usize>,
    /// Which file or folder.
    pub path: FilePath,
    /// What was done with it: the name of an analyser, `folder`, `hash`.
    pub doing: String,
}

/// The shared file.
#[derive(Clone, Debug)]
pub struct Positions {
    /// `None` keeps no record: for a walk without a supervisor.
    file: Option<Arc<File>>,
}

impl Positions {
    /// In this file.
    #[must_use]
    pub fn new(file: Arc<File>) -> Self {
        Self { file: Some(file) }
    }

    /// Nowhere.
    #[must_use]
    pub fn none() -> Self {
        Self { file: None }
    }

    /// A place for one thread to write down where it is.
    #[must_use]
    pub fn slot(&self, number: usize) -> Slot {
        let file = if number < SLOTS { self.file.clone() } else { None };
        Slot { file, at: SLOTS_AT + (number * SLOT) as u64, steps: 0, buffer: Vec::new() }
    }

    /// Where the threads were last: for each, a counter that changes with every step, and the place.
    ///
    /// # Errors
    /// What the system says.
    pub fn read(&self) -> io::Result<Vec<(u64, Option<Spot>)>> {
        let Some(file) = &self.file else { return Ok(Vec::new()) };
        let mut spots = Vec::new();
        let mut slot = vec![0; SLOT];
        for number in 0..SLOTS {
            slot.fill(0);
            let read = file.read_at(&mut slot, SLOTS_AT + (number * SLOT) as u64)?;
            if read == 0 {
                break;
            }
            spots.push(parse(&slot));
        }
        Ok(spots)
    }

    /// Forgets all places, before another process begins.
    ///
    /// # Errors
    /// What the system says.
    pub fn clear(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), |file| file.set_len(SLOTS_AT))
    }
}

/// Where one thread writes down where it is.
#[derive(Debug)]
pub struct Slot {
    file: Option<Arc<File>>,
    at: u64,
    steps: u64,
    buffer: Vec<u8>,
}

impl Slot {
    /// Writes down where the thread is now. An error is not told: the record is only for the case of a crash.
    pub fn set(&mut self, system: Option<usize>, path: &FilePath, doing: &str) {
        let system = system.and_then(|system| u32::try_from(system).ok()).unwrap_or(NO_SYSTEM);
        self.write(system, doing.as_bytes(), path.as_bytes());
    }

    /// Writes down that the thread does nothing that could kill it.
    pub fn clear(&mut self) {
        self.write(NO_SYSTEM, b"", b"");
    }

    fn write(&mut self, system: u32, doing: &[u8], path: &[u8]) {
        let Some(file) = &self.file else { return };
        let doing = doing.get(..255).unwrap_or(doing);
        let path = path.get(..SLOT - HEAD - 255).unwrap_or(path);
        self.steps += 1;
        self.buffer.clear();
        self.buffer.extend_from_slice(&self.steps.to_le_bytes());
        self.buffer.extend_from_slice(&system.to_le_bytes());
        self.buffer.extend_from_slice(&(doing.len() as u16).to_le_bytes());
        self.buffer.extend_from_slice(&(path.len() as u16).to_le_bytes());
        self.buffer.extend_from_slice(doing);
        self.buffer.extend_from_slice(path);
        let _ = file.write_at(&self.buffer, self.at);
    }
}

pub(crate) fn parse(slot: &[u8]) -> (u64, Option<Spot>) {
    let Some((head, rest)) = slot.split_first_chunk::<HEAD>() else { return (0, None) };
    let [a, b, c, d, e, f, g, h, s0, s1, s2, s3, d0, d1, p0, p1] = *head;
    let steps = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    let system = u32::from_le_bytes([s0, s1, s2, s3]);
    let doing = usize::from(u16::from_le_bytes([d0, d1]));
    let path = usize::from(u16::from_le_bytes([p0, p1]));
    let spot = rest.get(..doing).zip(rest.get(doing..doing + path)).filter(|(doing, _)| !doing.is_empty());
    let spot = spot.map(|(doing, path)| Spot {
        system: (system != NO_SYSTEM).then_some(system as usize),
        path: FilePath::new(path),
        doing: String::from_utf8_lossy(doing).into_owned(),
    });
    (steps, spot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_place_of_each_thread_is_read_back() {
        let file = Arc::new(tempfile::tempfile().expect("a file"));
        let positions = Positions::new(file);
        let mut first = positions.slot(0);
        let mut third = positions.slot(2);
        first.set(Some(1), &FilePath::new(b"/a/\xff"), "packages");
        third.set(None, &FilePath::root(), "opening");
        third.clear();
        let spots = positions.read().expect("read");
        assert_eq!(spots.len(), 3);
        assert_eq!(
            spots[0],
            (1, Some(Spot { system: Some(1), path: FilePath::new(b"/a/\xff"), doing: "packages".into() }))
        );
        assert_eq!(spots[1], (0, None));
        assert_eq!(spots[2], (2, None));
        positions.clear().expect("cleared");
        assert_eq!(positions.read().expect("read"), []);
    }

    #[test]
    fn a_long_path_is_cut_and_not_lost() {
        let positions = Positions::new(Arc::new(tempfile::tempfile().expect("a file")));
        positions.slot(1).set(Some(0), &FilePath::new(&[b'x'; 20_000]), "folder");
        let spots = positions.read().expect("read");
        let spot = spots[1].1.as_ref().expect("a place");
        assert!(spot.path.as_bytes().len() > 4096, "{}", spot.path.as_bytes().len());
    }
}
