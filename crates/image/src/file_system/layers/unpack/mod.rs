//! Compressed archives: unpacked once, from end to end, into a file without a name, so that files in them can be read
//! from anywhere. What they are said to be is checked on the way.

mod digest;
mod output;
mod packing;

use std::{
    io::{self, BufReader},
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

pub(crate) use digest::Digest;
use output::{Output, Stream};
pub(crate) use packing::Packing;

use crate::{block::BlockRead, limits};

/// How much is read and written at once.
const CHUNK: usize = 128 * 1024;

/// Why an archive cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnpackError {
    #[error("it is compressed with {0}; gzip, zstd and xz are read")]
    Unsupported(&'static str),
    #[error("its digest is not the one that it is named by")]
    Digest,
    #[error("it cannot be unpacked: {0}")]
    Damaged(io::Error),
    #[error("it becomes more than {0} times longer by unpacking")]
    Ratio(u64),
    #[error("all layers together are longer than {0} bytes when they are unpacked")]
    Total(u64),
    #[error(
        "it cannot be unpacked into a temporary file in {}: {error}; TMPDIR says where these are",
        folder.display()
    )]
    Scratch { folder: PathBuf, error: io::Error },
}

/// Where archives are unpacked to. Shared by threads.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: PathBuf,
    /// How many bytes there may still be.
    left: AtomicU64,
}

/// What an archive must be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Expected {
    /// Its digest as it is stored.
    pub packed: Option<Digest>,
    /// Its digest when it is unpacked.
    pub unpacked: Option<Digest>,
}

impl Scratch {
    /// A folder; that of the system for temporary files without.
    pub fn new(folder: Option<PathBuf>) -> Self {
        let folder = folder.unwrap_or_else(std::env::temp_dir);
        Self { folder, left: AtomicU64::new(limits::UNPACKED_BYTES) }
    }

    /// An archive as it is before it is compressed. One that is not compressed is only checked.
    pub fn unpack(
        &self,
        packed: Arc<dyn BlockRead>,
        expected: &Expected,
    ) -> Result<Arc<dyn BlockRead>, UnpackError> {
        // A panic of a decoder, which is the work of others, is damage to the archive and to nothing else.
        catch_unwind(AssertUnwindSafe(|| self.unpack_unguarded(packed, expected)))
            .unwrap_or_else(|_| Err(UnpackError::Damaged(io::Error::other("its reader gave up"))))
    }

    fn unpack_unguarded(
        &self,
        packed: Arc<dyn BlockRead>,
        expected: &Expected,
    ) -> Result<Arc<dyn BlockRead>, UnpackError> {
        let length = packed.len();
        let mut head = [0; 8];
        let known = head.len().min(usize::try_from(length).unwrap_or(usize::MAX));
        let head = head.get_mut(..known).unwrap_or_default();
        packed.read_at(0, head).map_err(UnpackError::Damaged)?;
        let packing = Packing::of(head);
        if let Packing::Other(name) = packing {
            return Err(UnpackError::Unsupported(name));
        }
        let mut stream = Stream::new(Arc::clone(&packed), expected.packed.as_ref());
        let mut output = Output::new(self, length, expected.unpacked.as_ref());
        match packing.unpacked(BufReader::with_capacity(CHUNK, &mut stream)) {
            Some(decoder) => output.fill(decoder.map_err(UnpackError::Damaged)?)?,
            None => {
                let both = [&expected.packed, &expected.unpacked];
                for digest in both.into_iter().flatten() {
                    Stream::new(Arc::clone(&packed), Some(digest)).check(digest)?;
                }
                return Ok(packed);
            }
        }
        if let Some(digest) = &expected.packed {
            stream.check(digest)?;
        }
        output.end(expected.unpacked.as_ref())
    }

    /// Takes bytes from what there may be.
    fn take(&self, count: u64) -> Result<(), UnpackError> {
        self.left
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(count))
            .map(drop)
            .map_err(|_| UnpackError::Total(limits::UNPACKED_BYTES))
    }

    fn failed(&self, error: io::Error) -> UnpackError {
        UnpackError::Scratch { folder: self.folder.clone(), error }
    }
}
