//! The bytes below a file system, read with their length in mind.

use std::{io, sync::Arc};

use super::ReadError;
use crate::block::BlockRead;

/// What a file system lies on. A length that an image claims is compared with the disk before memory is taken for it.
#[derive(Clone, Debug)]
pub(super) struct Disk(Arc<dyn BlockRead>);

impl Disk {
    pub fn new(disk: Arc<dyn BlockRead>) -> Self {
        Self(disk)
    }

    pub fn into_inner(self) -> Arc<dyn BlockRead> {
        self.0
    }

    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// Fills `buffer` from `offset` on.
    pub fn fill(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let end = offset.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > self.len()) {
            return Err(ReadError::Damaged(format!(
                "{} bytes at {offset} lie beyond the end of the volume, which has {}",
                buffer.len(),
                self.len()
            )));
        }
        Ok(self.0.read_at(offset, buffer)?)
    }

    /// Reads `length` bytes.
    pub fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, ReadError> {
        if length as u64 > self.len() {
            return Err(ReadError::Damaged(format!(
                "{length} bytes at {offset} are more than the volume has"
            )));
        }
        let mut bytes = vec![0; length];
        self.fill(offset, &mut bytes)?;
        Ok(bytes)
    }
}

/// As the crates of others want it.
impl fs_core::BlockRead for Disk {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> fs_core::Result<()> {
        match self.fill(offset, buffer) {
            Ok(()) => Ok(()),
            Err(ReadError::Io(error)) => Err(fs_core::Error::Io(error)),
            Err(error) => {
                Err(fs_core::Error::Io(io::Error::new(io::ErrorKind::UnexpectedEof, error.to_string())))
            }
        }
    }

    fn size_bytes(&self) -> u64 {
        self.len()
    }
}

/// Little-endian numbers of a structure. Whoever reads one has the whole structure in hand: beyond its end are zeros.
pub(super) trait Fields {
    /// The bytes from `at` on.
    fn array<const N: usize>(&self, at: usize) -> [u8; N];

    fn u8(&self, at: usize) -> u8 {
        u8::from_le_bytes(self.array(at))
    }
    fn u16(&self, at: usize) -> u16 {
        u16::from_le_bytes(self.array(at))
    }
    fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.array(at))
    }
    fn u64(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.array(at))
    }
}

impl Fields for [u8] {
    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        let rest = self.get(at..).unwrap_or_default();
        if let Some(array) = rest.first_chunk() {
            return *array;
        }
        let mut array = [0; N];
        array.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        array
    }
}
