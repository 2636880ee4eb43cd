//! Compressed blocks: of metadata, 8 KiB each and chained, and of the bytes of files.

use std::io::Read as _;

use super::{
    super::{ReadError, disk::Fields as _, guard::guarded},
    Head, NONE,
};

/// How many bytes a block of metadata holds.
const METADATA: usize = 8192;

/// How much memory a block may take to be unpacked by XZ or LZMA, in KiB: its head names any size for the dictionary, and
/// no block has more than a MiB to look back on.
const MEMORY: u32 = 16 << 10;

/// How many unpacked blocks of metadata a reader keeps.
const KEPT: usize = 64;

/// How the blocks are compressed.
#[derive(Clone, Copy, Debug)]
pub enum Compressor {
    Gzip,
    Lzma,
    Lzo,
    Xz,
    Lz4,
    Zstd,
}

impl Compressor {
    pub fn new(number: u16) -> Result<Self, ReadError> {
        Err(ReadError::Unsupported(match number {
            1 => return Ok(Self::Gzip),
            2 => return Ok(Self::Lzma),
            3 => return Ok(Self::Lzo),
            4 => return Ok(Self::Xz),
            5 => return Ok(Self::Lz4),
            6 => return Ok(Self::Zstd),
            other => format!("unknown compression {other}"),
        }))
    }

    /// Unpacks a block that must not be longer than `most`.
    fn unpack(self, packed: &[u8], most: usize) -> Result<Vec<u8>, ReadError> {
        let damaged = |error: std::io::Error| ReadError::Damaged(format!("a compressed block: {error}"));
        // One more, to see that there is no more.
        let limit = most as u64 + 1;
        let mut bytes = Vec::with_capacity(most);
        match self {
            Self::Gzip => flate2::read::ZlibDecoder::new(packed).take(limit).read_to_end(&mut bytes),
            Self::Xz => {
                lzma_rust2::XzReader::new_mem_limit(packed, false, MEMORY).take(limit).read_to_end(&mut bytes)
            }
            Self::Lzma => lzma_rust2::LzmaReader::new_mem_limit(packed, MEMORY, None)
                .and_then(|reader| reader.take(limit).read_to_end(&mut bytes)),
            Self::Lzo => {
                let unpack = || {
                    lzo1x::decompress(packed, most)
                        .map_err(|error| ReadError::Damaged(format!("a compressed block: {error}")))
                };
                bytes = guarded("LZO", unpack)?;
                Ok(bytes.len())
            }
            Self::Zstd => zstd::stream::Decoder::with_buffer(packed)
                .map(zstd::stream::Decoder::single_frame)
                .and_then(|decoder| decoder.take(limit).read_to_end(&mut bytes)),
            Self::Lz4 => {
                bytes.resize(most, 0);
                let length = lz4_flex::block::decompress_into(packed, &mut bytes)
                    .map_err(|error| ReadError::Damaged(format!("a compressed block: {error}")))?;
                bytes.truncate(length);
                Ok(length)
            }
        }
        .map_err(damaged)?;
        if bytes.len() > most {
            return Err(ReadError::Damaged(format!("a compressed block holds more than {most} bytes")));
        }
        Ok(bytes)
    }
}

/// A place in a table of metadata, that moves on as it is read.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    /// Where the block lies on the disk.
    pub block: u64,
    /// How far into what it unpacks to.
    pub within: usize,
}

/// Blocks that one reader has unpacked last.
#[derive(Default)]
pub struct Unpacked {
    metadata: Vec<Metadata>,
    clock: u64,
    data: Option<(u64, Vec<u8>)>,
    last_fragment: Option<(u32, (u64, u32))>,
}

struct Metadata {
    start: u64,
    /// Where the next block begins.
    next: u64,
    used: u64,
    bytes: Vec<u8>,
}

impl Unpacked {
    fn metadata(&mut self, head: &Head, start: u64) -> Result<&Metadata, ReadError> {
        self.clock += 1;
        let found = self.metadata.iter().position(|block| block.start == start);
        let index = match found {
            Some(index) => index,
            None => {
                let length = head.disk.read(start, 2)?.u16(0);
                let (is_plain, length) = (length & 0x8000 != 0, usize::from(length & 0x7fff));
                if length == 0 || length > METADATA {
                    return Err(ReadError::Damaged(format!(
                        "a block of metadata of {length} bytes at {start}"
                    )));
                }
                let packed = head.disk.read(start.saturating_add(2), length)?;
                let next = start.saturating_add(2 + length as u64);
                let bytes = if is_plain { packed } else { head.compressor.unpack(&packed, METADATA)? };
                self.keep(Metadata { start, next, used: 0, bytes })
            }
        };
        let clock = self.clock;
        let block = self.metadata.get_mut(index).ok_or(ReadError::NotFound("block"))?;
        block.used = clock;
        Ok(block)
    }

    fn keep(&mut self, block: Metadata) -> usize {
        if self.metadata.len() >= KEPT {
            let oldest =
                self.metadata.iter().enumerate().min_by_key(|(_, block)| block.used).map_or(0, |(at, _)| at);
            if let Some(place) = self.metadata.get_mut(oldest) {
                *place = block;
                return oldest;
            }
        }
        self.metadata.push(block);
        self.metadata.len() - 1
    }

    /// Reads from a chain of blocks, and moves the position on.
    pub fn table_bytes(
        &mut self,
        head: &Head,
        position: &mut Position,
        length: usize,
    ) -> Result<Vec<u8>, ReadError> {
        let mut bytes = Vec::with_capacity(length.min(METADATA));
        while bytes.len() < length {
            let block = self.metadata(head, position.block)?;
            let rest = block.bytes.get(position.within..).unwrap_or_default();
            let piece = rest.len().min(length - bytes.len());
            bytes.extend_from_slice(rest.get(..piece).unwrap_or_default());
            position.within += piece;
            if position.within >= block.bytes.len() {
                *position = Position { block: block.next, within: position.within - block.bytes.len() };
            }
        }
        Ok(bytes)
    }

    /// An entry of a table that has an index of its blocks at `index`.
    pub fn table_entry(
        &mut self,
        head: &Head,
        index: u64,
        number: u32,
        size: u32,
    ) -> Result<Vec<u8>, ReadError> {
        let at = u64::from(number) * u64::from(size);
        let slot = index.saturating_add(at / METADATA as u64 * 8);
        let block = head.disk.read(slot, 8)?.u64(0);
        let within = usize::try_from(at % METADATA as u64).unwrap_or(usize::MAX);
        self.table_bytes(head, &mut Position { block, within }, size as usize)
    }

    /// Where a fragment lies, and how long it is there, as [`Self::data`] wants it.
    pub fn fragment(&mut self, head: &Head, number: u32) -> Result<(u64, u32), ReadError> {
        if let Some((last, found)) = self.last_fragment
            && last == number
        {
            return Ok(found);
        }
        if number == NONE || number >= head.fragments {
            return Err(ReadError::Damaged(format!("there is no fragment {number}")));
        }
        let entry = self.table_entry(head, head.fragment_table, number, 16)?;
        let found = (entry.u64(0), entry.u32(8));
        self.last_fragment = Some((number, found));
        Ok(found)
    }

    /// A block with bytes of files: where it lies, and how long it is there; a bit says that it is not compressed.
    pub fn data(&mut self, head: &Head, start: u64, stored: u32) -> Result<&[u8], ReadError> {
        if self.data.as_ref().is_none_or(|(last, _)| *last != start) {
            let (is_plain, length) = (stored & 0x100_0000 != 0, stored & 0xff_ffff);
            if length > head.block_size {
                return Err(ReadError::Damaged(format!("a block of {length} bytes at {start}")));
            }
            let packed = head.disk.read(start, length as usize)?;
            let bytes =
                if is_plain { packed } else { head.compressor.unpack(&packed, head.block_size as usize)? };
            self.data = Some((start, bytes));
        }
        Ok(self.data.as_ref().map(|(_, bytes)| bytes.as_slice()).unwrap_or_default())
    }
}
