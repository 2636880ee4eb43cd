//! Files and block devices of this machine.

use std::{
    fs::File,
    io::{self, Seek, SeekFrom},
    os::unix::fs::{FileExt, FileTypeExt},
    path::Path,
};

use super::BlockRead;

/// A file or a block device as it is. Reads give a position along, so that threads do not wait for each other.
#[derive(Debug)]
pub struct FileDisk {
    file: File,
    length: u64,
}

impl FileDisk {
    /// Opens it, read-only.
    ///
    /// # Errors
    /// What the system says; `InvalidInput` for what is neither a file nor a block device: a pipe would be waited for.
    pub fn open(path: &Path) -> io::Result<Self> {
        // Looked at before it is opened, because opening a pipe waits for its other end.
        let kind = std::fs::metadata(path)?.file_type();
        if !kind.is_file() && !kind.is_block_device() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "neither a file nor a block device"));
        }
        Self::of(File::open(path)?)
    }

    /// An open file.
    ///
    /// # Errors
    /// What the system says.
    pub fn of(mut file: File) -> io::Result<Self> {
        // A block device has no length of its own in its metadata.
        let length = file.seek(SeekFrom::End(0))?;
        Ok(Self { file, length })
    }
}

impl BlockRead for FileDisk {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof if offset.saturating_add(buffer.len() as u64) <= self.length => {
                io::Error::new(error.kind(), "the file became shorter while it was read")
            }
            _ => error,
        })
    }
}
