//! What archives are compressed with.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;

/// The largest window of a zstd frame, as a power of two: what its own program takes without being asked.
const ZSTD_WINDOW: u32 = 27;

/// How much memory an xz decoder may take, in KiB. The strongest level of its program has a dictionary of 64 MiB; this is
/// enough for one as long as the window of zstd.
const XZ_MEMORY: u32 = 130 << 10;

/// How an archive is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    None,
    Gzip,
    Zstd,
    Xz,
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
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Other("bzip2"),
            [0x04, 0x22, 0x4d, 0x18, ..] => Self::Other("lz4"),
            [0x1f, 0x9d, ..] => Self::Other("compress"),
            _ => Self::None,
        }
    }

    /// The bytes as they were before; `None` for what is not compressed, or in a way that is not read.
    pub fn unpacked<'a>(self, packed: impl BufRead + 'a) -> Option<io::Result<Box<dyn Read + 'a>>> {
        match self {
            Self::None | Self::Other(_) => None,
            Self::Gzip => Some(Ok(Box::new(MultiGzDecoder::new(packed)))),
            Self::Xz => Some(Ok(Box::new(XzReader::new_mem_limit(packed, true, XZ_MEMORY)))),
            Self::Zstd => Some(zstd(packed)),
        }
    }
}

fn zstd<'a>(packed: impl BufRead + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?;
    decoder.window_log_max(ZSTD_WINDOW)?;
    Ok(Box::new(decoder))
}
