//! Disks as numbered bytes, whatever file they are kept in.
//!
//! The containers are read by readers of our own, although crates exist for most of them. A scan reads one disk from
//! several threads, and the crates cannot be shared that way: `vmdk-core`, `vhd-core` and `vhdx-core` are `Read + Seek`
//! behind `&mut self`, `rust-img-qcow2` keeps one table and one inflated cluster, each behind a lock. Besides,
//! `vmdk-core` inflates a grain anew for every read that touches it, `rust-img-qcow2` refuses subclusters, and
//! `vhdx-core` takes the sequence number of a log entry for its place, and allocates as many zeros as an entry asks for.
//! The formats are small; here each of them is a function from a place on the disk to a place in the file, and the tables
//! of that function are read through one bounded [`Cache`], so that no header can ask for memory.

use std::{fmt::Debug, io};

mod bytes;
mod cache;
mod chunks;
pub mod container;
mod file;
mod inflate;
mod qcow2;
mod section;
mod vdi;
mod vhd;
mod vhdx;
mod vmdk;

pub use cache::{Cache, Cached};
pub use file::FileDisk;
pub use section::Section;

pub(crate) use bytes::{be16, be32, be64, le16, le32, le64};
pub(crate) use chunks::{by_chunk, check_end};

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

/// Reads what there is, which is less than `length` where the disk ends sooner: for heads that are looked at, not
/// needed.
pub(crate) fn read_up_to(disk: &dyn BlockRead, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let there = disk.len().saturating_sub(offset);
    let mut bytes = vec![0; usize::try_from(there).unwrap_or(usize::MAX).min(length)];
    if !bytes.is_empty() {
        disk.read_at(offset, &mut bytes)?;
    }
    Ok(bytes)
}

/// The error for a container that contradicts itself.
pub(crate) fn damaged(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}
