//! The devices of a file system, and the addresses that its chunks give their bytes.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use super::{
    super::{ReadError, disk::Disk},
    chunk::{Chunk, Stripe},
    tree::{Cursor, Key, Nodes, Root},
};

/// The kind of the items that are chunks, and of those that are devices.
const CHUNK_ITEM: u8 = 228;
const DEVICE_ITEM: u8 = 216;

/// Under which number the tree of chunks has them.
const DEVICES: u64 = 1;
const CHUNKS: u64 = 256;

/// How many stripes all chunks may have together: those of a petabyte.
const STRIPES: usize = 1 << 20;

/// More copies than any profile has.
const COPIES: usize = 8;

/// A device that is there.
pub struct Device {
    pub disk: Disk,
    /// Of its superblock: one that was away while the others were written has an older one.
    pub generation: u64,
}

/// The devices, and what lies on them.
pub struct Pool {
    devices: BTreeMap<u64, Device>,
    generation: u64,
    /// By the address of their first byte.
    chunks: BTreeMap<u64, Chunk>,
    /// Devices that the tree of chunks names.
    named: BTreeSet<u64>,
}

impl Pool {
    /// With the chunks that the superblock has: those that the tree of chunks lies in.
    pub fn new(devices: BTreeMap<u64, Device>, system_chunks: &[u8]) -> Result<Self, ReadError> {
        let generation = devices.values().map(|device| device.generation).max().unwrap_or(0);
        let mut pool = Self { devices, generation, chunks: BTreeMap::new(), named: BTreeSet::new() };
        let mut rest = system_chunks;
        while !rest.is_empty() {
            let key = Key::read(rest);
            let Some(item) = rest.get(Key::LENGTH..).filter(|_| key.kind == CHUNK_ITEM) else {
                return Err(ReadError::Damaged("the chunks in the superblock are none".into()));
            };
            let (chunk, size) = Chunk::read(item)?;
            pool.chunks.insert(key.offset, chunk);
            rest = item.get(size..).unwrap_or_default();
        }
        Ok(pool)
    }

    /// Reads the tree of chunks, and takes what it says.
    pub fn load(nodes: &mut Nodes, root: Root) -> Result<(), ReadError> {
        let (mut chunks, mut named, mut stripes) = (BTreeMap::new(), BTreeSet::new(), 0);
        let mut cursor = Cursor::seek(nodes, root, Key::new(DEVICES, DEVICE_ITEM, 0))?;
        while let Some((key, item)) = cursor.next()? {
            match (key.object, key.kind) {
                (DEVICES, DEVICE_ITEM) => drop(named.insert(key.offset)),
                (CHUNKS, CHUNK_ITEM) => {
                    let (chunk, _) = Chunk::read(item)?;
                    stripes += chunk.stripes.len();
                    chunks.insert(key.offset, chunk);
                }
                _ => {}
            }
            if stripes.max(named.len()) > STRIPES {
                return Err(ReadError::Limit { what: "stripes of chunks", limit: STRIPES as u64 });
            }
        }
        drop(cursor);
        nodes.pool.chunks.extend(chunks);
        nodes.pool.named = named;
        Ok(())
    }

    /// Devices that are not there: those that the chunks lie on, and those that are named.
    pub fn missing(&self) -> BTreeSet<u64> {
        let stripes = self.chunks.values().flat_map(|chunk| &chunk.stripes).map(|stripe| stripe.device);
        stripes.chain(self.named.iter().copied()).filter(|id| !self.devices.contains_key(id)).collect()
    }

    /// Whether everything lies on the devices that are there.
    pub fn is_whole(&self) -> bool {
        self.chunks.values().all(|chunk| chunk.is_whole(|id| self.devices.contains_key(&id)))
    }

    /// Devices that are there, and were not when the others were written last.
    pub fn stale(&self) -> impl Iterator<Item = u64> {
        self.devices.iter().filter(|(_, device)| device.generation < self.generation).map(|(id, _)| *id)
    }

    /// Fills `buffer` from an address on, from any copy that can be read.
    pub fn fill(&self, address: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        self.pieces(address, buffer, |pool, copies, within, piece| {
            let mut error = None;
            for copy in 0..copies.len() {
                match pool.copy(copies, copy, within, piece) {
                    Ok(()) => return Ok(()),
                    Err(failed) => error = error.or(Some(failed)),
                }
            }
            Err(error.unwrap_or_else(|| missing(copies)))
        })
    }

    /// Reads bytes of which one copy passes a check.
    pub fn read_checked(
        &self,
        address: u64,
        length: usize,
        check: &dyn Fn(&[u8]) -> Result<(), ReadError>,
    ) -> Result<Vec<u8>, ReadError> {
        let mut bytes = vec![0; length];
        let (mut error, mut most) = (None, 1);
        let mut number = 0;
        while number < most {
            let read = self.pieces(address, &mut bytes, |pool, copies, within, piece| {
                most = most.max(copies.len().min(COPIES));
                // A piece with fewer copies than another has its last one again.
                pool.copy(copies, number.min(copies.len().saturating_sub(1)), within, piece)
            });
            match read.and_then(|()| check(&bytes)) {
                Ok(()) => return Ok(bytes),
                // That a device is missing says less than what is wrong on one that is there.
                Err(failed @ ReadError::Io(_)) => error = error.or(Some(failed)),
                Err(failed) => {
                    error = error.filter(|error| !matches!(error, ReadError::Io(_))).or(Some(failed))
                }
            }
            number += 1;
        }
        Err(error.unwrap_or(ReadError::NotFound("copy")))
    }

    /// Goes through the pieces of a range that lie together.
    fn pieces(
        &self,
        address: u64,
        buffer: &mut [u8],
        mut read: impl FnMut(&Self, &[Stripe], u64, &mut [u8]) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = address.saturating_add(done as u64);
            let found = self.chunks.range(..=at).next_back().and_then(|(start, chunk)| {
                let offset = at.checked_sub(*start)?;
                (offset < chunk.length).then(|| chunk.locate(offset))
            });
            let Some(found) = found else {
                return Err(ReadError::Damaged(format!("the address {at} is in no chunk")));
            };
            let piece = usize::try_from(found.length).unwrap_or(usize::MAX).min(rest.len()).max(1);
            read(self, found.copies, found.within, rest.get_mut(..piece).unwrap_or_default())?;
            done += piece;
        }
        Ok(())
    }

    /// Reads one of some copies: those on devices that were always there come first.
    fn copy(&self, copies: &[Stripe], number: usize, within: u64, piece: &mut [u8]) -> Result<(), ReadError> {
        let there = copies.iter().filter_map(|stripe| Some((stripe, self.devices.get(&stripe.device)?)));
        let (fresh, stale) = (there.clone(), there);
        let mut ordered = fresh
            .filter(|(_, device)| device.generation == self.generation)
            .chain(stale.filter(|(_, device)| device.generation != self.generation));
        let (stripe, device) = ordered.nth(number).ok_or_else(|| missing(copies))?;
        device.disk.fill(stripe.start.saturating_add(within), piece)
    }
}

fn missing(copies: &[Stripe]) -> ReadError {
    let ids: BTreeSet<u64> = copies.iter().map(|stripe| stripe.device).collect();
    let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
    let text = format!("it lies on device {} of the btrfs, which is missing", ids.join(" or "));
    ReadError::Io(io::Error::new(io::ErrorKind::NotFound, text))
}
