//! Packed extents.

use std::io::Read as _;

use super::super::{ReadError, disk::Fields as _, guard::guarded};

/// How an extent is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    Zlib,
    Lzo,
    Zstd,
}

impl Compression {
    /// The one with a number; `None` for bytes as they are.
    pub fn new(number: u8) -> Result<Option<Self>, ReadError> {
        match number {
            0 => Ok(None),
            1 => Ok(Some(Self::Zlib)),
            2 => Ok(Some(Self::Lzo)),
            3 => Ok(Some(Self::Zstd)),
            other => Err(ReadError::Unsupported(format!("compression of kind {other}"))),
        }
    }

    /// Unpacks into `bytes`, which gets `most` bytes: what is beyond the packed ones are zeros, as the kernel has it.
    pub fn unpack(
        self,
        packed: &[u8],
        most: usize,
        sector: u32,
        bytes: &mut Vec<u8>,
    ) -> Result<(), ReadError> {
        let damaged = |error: std::io::Error| ReadError::Damaged(format!("a packed extent: {error}"));
        bytes.clear();
        match self {
            Self::Zlib => {
                let unpacked = flate2::read::ZlibDecoder::new(packed).take(most as u64).read_to_end(bytes);
                unpacked.map_err(damaged)?;
            }
            Self::Zstd => {
                // The extent is filled up with zeros, which are no second frame.
                let decoder = zstd::stream::Decoder::with_buffer(packed).map_err(damaged)?.single_frame();
                decoder.take(most as u64).read_to_end(bytes).map_err(damaged)?;
            }
            Self::Lzo => unpack_lzo(packed, most, sector as usize, bytes)?,
        }
        bytes.resize(most, 0);
        Ok(())
    }
}

/// LZO has no frame of its own: the length of the whole, then pieces of at most a sector with their lengths, none of which
/// lies across the end of a sector.
fn unpack_lzo(packed: &[u8], most: usize, sector: usize, bytes: &mut Vec<u8>) -> Result<(), ReadError> {
    let damaged = |what: &str| ReadError::Damaged(format!("an extent packed by LZO {what}"));
    let whole = packed.u32(0) as usize;
    let packed = packed.get(..whole).ok_or_else(|| damaged("is longer than its space"))?;
    let mut at = 4_usize;
    while at < packed.len() && bytes.len() < most {
        let left = sector - at % sector;
        if left < 4 {
            at += left;
            continue;
        }
        let start = at + 4;
        let length = packed.get(at..start).ok_or_else(|| damaged("ends early"))?.u32(0) as usize;
        let end = start.checked_add(length).filter(|_| length > 0);
        let piece = end.and_then(|end| packed.get(start..end)).ok_or_else(|| damaged("ends early"))?;
        let piece = guarded("LZO", || {
            lzo1x::decompress(piece, sector).map_err(|error| damaged(&format!("is none: {error}")))
        })?;
        bytes.extend_from_slice(&piece);
        at = start + length;
    }
    bytes.truncate(most);
    Ok(())
}
