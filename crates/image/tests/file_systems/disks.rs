//! Disks for the tests: a file, and a file with changed bytes whose reads are counted.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use guardhouse_image::BlockRead;

/// An image file.
#[derive(Debug)]
pub struct FileDisk {
    file: File,
    length: u64,
}

impl FileDisk {
    pub fn open(path: &Path) -> Arc<Self> {
        let file = File::open(path).expect("the image");
        let length = file.metadata().expect("the image").len();
        Arc::new(Self { file, length })
    }
}

impl BlockRead for FileDisk {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }
}

/// A disk with some bytes changed, which fails after so many reads that only an endless loop makes them.
#[derive(Debug)]
pub struct ChangedDisk {
    pub below: Arc<dyn BlockRead>,
    /// Where, and which bits are turned.
    pub turned: Vec<(u64, u8)>,
    /// Nothing is read from here on.
    pub length: u64,
    pub reads: AtomicU64,
    pub most_reads: u64,
}

impl ChangedDisk {
    pub fn hung(&self) -> bool {
        self.reads.load(Ordering::Relaxed) >= self.most_reads
    }
}

impl BlockRead for ChangedDisk {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        assert!(buffer.len() <= 64 << 20, "a read of {} bytes", buffer.len());
        if self.reads.fetch_add(1, Ordering::Relaxed) >= self.most_reads {
            return Err(io::Error::other("too many reads"));
        }
        if offset.checked_add(buffer.len() as u64).is_none_or(|end| end > self.length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.below.read_at(offset, buffer)?;
        for &(at, bits) in &self.turned {
            if let Some(byte) =
                at.checked_sub(offset).and_then(|at| buffer.get_mut(usize::try_from(at).ok()?))
            {
                *byte ^= bits;
            }
        }
        Ok(())
    }
}
