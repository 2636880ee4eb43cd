//! Bounds on what is unpacked and on what is held in memory.

use std::{
    cell::Cell,
    io::{self, Read},
    rc::Rc,
};

/// The most that one advisory may take, in bytes.
const LARGEST_ENTRY: u64 = 64 * 1024 * 1024;

/// How much larger than the file that is imported its content may be. Advisories shrink to a tenth at best, the
/// machine-made ones to a fortieth.
const MOST_EXPANSION: u64 = 200;

/// What even a tiny file may unpack to, in bytes.
const ALWAYS_ALLOWED: u64 = 64 * 1024 * 1024;

/// What may still be read.
#[derive(Clone, Debug)]
pub(super) struct Allowance {
    total: Rc<Cell<u64>>,
    entry: Rc<Cell<u64>>,
    largest: u64,
}

impl Allowance {
    /// For a file of `length` bytes; `None` for a stream, of which nobody knows the length.
    pub fn of_file(length: Option<u64>) -> Self {
        let total = length
            .map_or(u64::MAX, |length| length.saturating_mul(MOST_EXPANSION).saturating_add(ALWAYS_ALLOWED));
        Self {
            total: Rc::new(Cell::new(total)),
            entry: Rc::new(Cell::new(LARGEST_ENTRY)),
            largest: LARGEST_ENTRY,
        }
    }

    /// For tests: small bounds.
    #[cfg(test)]
    pub fn of(total: u64, largest: u64) -> Self {
        Self { total: Rc::new(Cell::new(total)), entry: Rc::new(Cell::new(largest)), largest }
    }

    /// Another advisory begins.
    pub fn next_entry(&self) {
        self.entry.set(self.largest);
    }

    /// A reader that takes what it reads from the allowance.
    pub fn meter<R: Read>(&self, inner: R) -> Metered<R> {
        Metered { inner, allowance: self.clone() }
    }
}

/// See [`Allowance::meter`].
pub(super) struct Metered<R> {
    inner: R,
    allowance: Allowance,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Allowance { total, entry, largest } = &self.allowance;
        if total.get() == 0 {
            let told = "it unpacks to far more than advisories do";
            return Err(io::Error::new(io::ErrorKind::InvalidData, told));
        }
        if entry.get() == 0 {
            let told = format!("an entry has more than {largest} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, told));
        }
        let most = usize::try_from(total.get().min(entry.get())).unwrap_or(usize::MAX);
        let length = buffer.len().min(most);
        let (room, _) = buffer.split_at_mut(length);
        let read = self.inner.read(room)?;
        let count = read as u64;
        total.set(total.get().saturating_sub(count));
        entry.set(entry.get().saturating_sub(count));
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(allowance: &Allowance, length: u64) -> io::Result<u64> {
        io::copy(&mut allowance.meter(io::repeat(0).take(length)), &mut io::sink())
    }

    #[test]
    fn neither_a_file_nor_an_entry_is_without_end() {
        let allowance = Allowance::of(150, 100);
        let entry = read(&allowance, 101).expect_err("too large");
        assert!(entry.to_string().contains("an entry has more than 100 bytes"), "{entry}");
        allowance.next_entry();
        let total = read(&allowance, 51).expect_err("too much");
        assert!(total.to_string().contains("unpacks to far more"), "{total}");

        let stream = Allowance::of_file(None);
        for _ in 0..3 {
            let taken = read(&stream, LARGEST_ENTRY - 1).expect("within the bounds");
            assert_eq!(taken, LARGEST_ENTRY - 1);
            stream.next_entry();
        }
    }
}
