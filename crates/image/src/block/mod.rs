//! Disks as numbered bytes, whatever file they are kept in.

use std::{fmt::Debug, io};

/// A disk, a disk image, a partition or a logical volume: bytes that can be read from anywhere.
///
/// Shared by threads; a read changes nothing that another one could see.
pub trait BlockRead: Debug + Send + Sync {
    /// How many bytes there are.
    fn len(&self) -> u64;

    /// Whether there is nothing.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buffer` from `offset` on.
    ///
    /// # Errors
    /// `UnexpectedEof` when that reaches beyond the end; `InvalidData` when the container that holds the bytes is
    /// damaged; what the system says.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}
