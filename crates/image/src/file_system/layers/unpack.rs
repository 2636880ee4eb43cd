//! Compressed archives: unpacked once, from end to end, into a file without a name, so that files in them can be read
//! from anywhere. What they are said to be is checked on the way.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::Arc,
};

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest as _, Sha256, Sha512};

use crate::{
    block::{BlockRead, FileDisk},
    limits,
};

/// How much is read and written at once.
const CHUNK: usize = 128 * 1024;

/// What a hole reads as.
static ZEROS: [u8; CHUNK] = [0; CHUNK];

/// The largest window of a zstd frame, as a power of two: what its own program takes without being asked.
const ZSTD_WINDOW: u32 = 27;

/// How an archive is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    None,
    Gzip,
    Zstd,
    /// In a way that is not read.
    Other(&'static str),
}

impl Packing {
    /// By its first bytes.
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            // A frame to be skipped, which may come first.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Other("xz"),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Other("bzip2"),
            [0x04, 0x22, 0x4d, 0x18, ..] => Self::Other("lz4"),
            _ => Self::None,
        }
    }
}

/// A digest, as manifests write it: `sha256:9f86d0…`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Digest {
    algorithm: Algorithm,
    hex: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Algorithm {
    Sha256,
    Sha512,
}

impl Digest {
    /// `None` for what is no digest of a kind that the image specification has.
    pub fn parse(text: &str) -> Option<Self> {
        let (algorithm, hex) = text.split_once(':')?;
        let (algorithm, length) = match algorithm {
            "sha256" => (Algorithm::Sha256, 64),
            "sha512" => (Algorithm::Sha512, 128),
            _ => return None,
        };
        let is_hex = hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (hex.len() == length && is_hex).then(|| Self { algorithm, hex: hex.to_owned() })
    }

    /// The path of what has this digest, in a layout.
    pub fn path(&self) -> String {
        let algorithm = match self.algorithm {
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha512 => "sha512",
        };
        format!("/blobs/{algorithm}/{}", self.hex)
    }

    /// The beginning of it, for people.
    pub fn short(&self) -> &str {
        self.hex.get(..12).unwrap_or_default()
    }

    /// Whether some bytes have it.
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        let mut hasher = Hasher::new(self);
        hasher.update(bytes);
        hasher.is(self)
    }
}

enum Hasher {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    fn new(digest: &Digest) -> Self {
        match digest.algorithm {
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(Sha512::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    fn is(self, digest: &Digest) -> bool {
        let bytes = match self {
            Self::Sha256(hasher) => hasher.finalize().to_vec(),
            Self::Sha512(hasher) => hasher.finalize().to_vec(),
        };
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        hex == digest.hex
    }
}

/// Why an archive cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnpackError {
    #[error("it is compressed with {0}; gzip and zstd are read")]
    Unsupported(&'static str),
    #[error("its digest is not the one that it is named by")]
    Digest,
    #[error("it cannot be unpacked: {0}")]
    Damaged(io::Error),
    #[error("it becomes more than {0} times longer by unpacking")]
    Ratio(u64),
    #[error("all layers together are longer than {0} bytes when they are unpacked")]
    Total(u64),
    #[error("the file that it is unpacked into cannot be written: {0}")]
    Scratch(io::Error),
}

/// Where archives are unpacked to.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: Option<PathBuf>,
    /// How many bytes there may still be.
    left: u64,
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
        Self { folder, left: limits::UNPACKED_BYTES }
    }

    /// An archive as it is before it is compressed. One that is not compressed is only checked.
    pub fn unpack(
        &mut self,
        packed: Arc<dyn BlockRead>,
        expected: &Expected,
    ) -> Result<Arc<dyn BlockRead>, UnpackError> {
        let length = packed.len();
        let mut head = [0; 8];
        let known = head.len().min(usize::try_from(length).unwrap_or(usize::MAX));
        let head = head.get_mut(..known).unwrap_or_default();
        packed.read_at(0, head).map_err(UnpackError::Damaged)?;
        let packing = Packing::of(head);
        let mut stream = Stream::new(Arc::clone(&packed), expected.packed.as_ref());
        let mut output = Output::new(self, length, expected.unpacked.as_ref());
        match packing {
            Packing::Other(name) => return Err(UnpackError::Unsupported(name)),
            Packing::None => {
                let both = [&expected.packed, &expected.unpacked];
                for digest in both.into_iter().flatten() {
                    let mut stream = Stream::new(Arc::clone(&packed), Some(digest));
                    stream.check(digest)?;
                }
                return Ok(packed);
            }
            Packing::Gzip => {
                output.fill(MultiGzDecoder::new(BufReader::with_capacity(CHUNK, &mut stream)))?;
            }
            Packing::Zstd => {
                let buffered = BufReader::with_capacity(CHUNK, &mut stream);
                let mut decoder =
                    zstd::stream::read::Decoder::with_buffer(buffered).map_err(UnpackError::Damaged)?;
                decoder.window_log_max(ZSTD_WINDOW).map_err(UnpackError::Damaged)?;
                output.fill(decoder)?;
            }
        }
        if let Some(digest) = &expected.packed {
            stream.check(digest)?;
        }
        output.end(expected.unpacked.as_ref())
    }
}

/// Bytes from the first to the last, and their digest.
struct Stream {
    bytes: Arc<dyn BlockRead>,
    at: u64,
    hasher: Option<Hasher>,
}

impl Stream {
    fn new(bytes: Arc<dyn BlockRead>, digest: Option<&Digest>) -> Self {
        Self { bytes, at: 0, hasher: digest.map(Hasher::new) }
    }

    /// Reads to the end.
    fn check(&mut self, digest: &Digest) -> Result<(), UnpackError> {
        io::copy(&mut BufReader::with_capacity(CHUNK, &mut *self), &mut io::sink())
            .map_err(UnpackError::Damaged)?;
        match self.hasher.take().is_none_or(|hasher| hasher.is(digest)) {
            true => Ok(()),
            false => Err(UnpackError::Digest),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.bytes.len().saturating_sub(self.at)).unwrap_or(usize::MAX);
        let count = left.min(buffer.len());
        let buffer = buffer.get_mut(..count).unwrap_or_default();
        self.bytes.read_at(self.at, buffer)?;
        self.at = self.at.saturating_add(count as u64);
        if let Some(hasher) = &mut self.hasher {
            hasher.update(buffer);
        }
        Ok(count)
    }
}

/// The unpacked bytes.
struct Output<'a> {
    scratch: &'a mut Scratch,
    /// How long it may get for its ratio.
    most: u64,
    written: u64,
    hasher: Option<Hasher>,
    file: Option<File>,
}

impl<'a> Output<'a> {
    fn new(scratch: &'a mut Scratch, packed: u64, digest: Option<&Digest>) -> Self {
        let most = packed.saturating_mul(limits::UNPACKED_RATIO).max(limits::UNPACKED_ANYWAY_BYTES);
        Self { scratch, most, written: 0, hasher: digest.map(Hasher::new), file: None }
    }

    fn fill(&mut self, mut unpacked: impl Read) -> Result<(), UnpackError> {
        let file = match &self.scratch.folder {
            Some(folder) => tempfile::tempfile_in(folder),
            None => tempfile::tempfile(),
        };
        let file = file.map_err(UnpackError::Scratch)?;
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = match unpacked.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(UnpackError::Damaged(error)),
            };
            let bytes = buffer.get(..count).unwrap_or_default();
            if self.written.saturating_add(count as u64) > self.most {
                return Err(UnpackError::Ratio(limits::UNPACKED_RATIO));
            }
            self.scratch.left = match self.scratch.left.checked_sub(count as u64) {
                Some(left) => left,
                None => return Err(UnpackError::Total(limits::UNPACKED_BYTES)),
            };
            if let Some(hasher) = &mut self.hasher {
                hasher.update(bytes);
            }
            // Zeros are left out as holes: a bomb of them needs no room.
            if ZEROS.get(..count) != Some(bytes) {
                file.write_all_at(bytes, self.written).map_err(UnpackError::Scratch)?;
            }
            self.written += count as u64;
        }
        file.set_len(self.written).map_err(UnpackError::Scratch)?;
        self.file = Some(file);
        Ok(())
    }

    fn end(self, digest: Option<&Digest>) -> Result<Arc<dyn BlockRead>, UnpackError> {
        if let (Some(hasher), Some(digest)) = (self.hasher, digest)
            && !hasher.is(digest)
        {
            return Err(UnpackError::Digest);
        }
        let file = self.file.ok_or_else(|| UnpackError::Scratch(io::ErrorKind::NotFound.into()))?;
        Ok(Arc::new(FileDisk::of(file).map_err(UnpackError::Scratch)?))
    }
}
