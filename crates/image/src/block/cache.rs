//! Memory for what is read again and again: tables of containers, inflated clusters, heads of file systems.

use std::{
    collections::{HashMap, VecDeque},
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use super::{BlockRead, by_chunk};

/// How many parts can be asked at the same time. A part keeps its share of the whole.
const SHARDS: usize = 16;

/// The unit of [`Cached`], in bytes: as long as a node of a btrfs usually is, and not so long that a small file brings many
/// others with it.
const BLOCK: u64 = 16 << 10;

/// Blocks of several disks, of any size, with one bound on all of them. Shared by threads.
///
/// Leaves out first what was not asked for since it was last looked at ("second chance"), so that one pass over a large
/// file does not push out the tables that lead through it.
#[derive(Debug)]
pub struct Cache {
    shards: Vec<Mutex<Shard>>,
    /// How much one shard keeps, in bytes.
    share: usize,
    owners: AtomicU32,
}

#[derive(Debug, Default)]
struct Shard {
    blocks: HashMap<(u32, u64), Slot>,
    order: VecDeque<(u32, u64)>,
    bytes: usize,
}

#[derive(Debug)]
struct Slot {
    bytes: Arc<Vec<u8>>,
    used: bool,
}

impl Cache {
    /// An empty cache that never keeps more than `bytes`.
    #[must_use]
    pub fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            shards: std::iter::repeat_with(Mutex::default).take(SHARDS).collect(),
            share: bytes / SHARDS,
            owners: AtomicU32::new(0),
        })
    }

    /// A number for one more set of blocks.
    pub(crate) fn owner(&self) -> u32 {
        self.owners.fetch_add(1, Ordering::Relaxed)
    }

    /// A block when it is there.
    pub(crate) fn get(&self, owner: u32, number: u64) -> Option<Arc<Vec<u8>>> {
        let mut shard = self.shard(owner, number).lock().unwrap_or_else(PoisonError::into_inner);
        let slot = shard.blocks.get_mut(&(owner, number))?;
        slot.used = true;
        Some(Arc::clone(&slot.bytes))
    }

    /// A block, made when it is not there. Nobody waits while it is made: two threads may make the same one.
    pub(crate) fn get_or_make(
        &self,
        owner: u32,
        number: u64,
        make: impl FnOnce() -> io::Result<Vec<u8>>,
    ) -> io::Result<Arc<Vec<u8>>> {
        if let Some(bytes) = self.get(owner, number) {
            return Ok(bytes);
        }
        Ok(self.put(owner, number, make()?))
    }

    /// Keeps a block, unless it is there already.
    pub(crate) fn put(&self, owner: u32, number: u64, bytes: Vec<u8>) -> Arc<Vec<u8>> {
        let bytes = Arc::new(bytes);
        let mut shard = self.shard(owner, number).lock().unwrap_or_else(PoisonError::into_inner);
        shard.keep((owner, number), Arc::clone(&bytes), self.share);
        bytes
    }

    fn shard(&self, owner: u32, number: u64) -> &Mutex<Shard> {
        // Neighbours go to different shards; the high bits count for blocks with a distance of a power of two.
        let mixed = (number ^ u64::from(owner) << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56;
        &self.shards[mixed as usize % SHARDS]
    }
}

impl Shard {
    fn keep(&mut self, key: (u32, u64), bytes: Arc<Vec<u8>>, share: usize) {
        if bytes.len() > share || self.blocks.contains_key(&key) {
            return;
        }
        while self.bytes + bytes.len() > share {
            let Some(oldest) = self.order.pop_front() else { break };
            match self.blocks.get_mut(&oldest) {
                Some(slot) if slot.used => {
                    slot.used = false;
                    self.order.push_back(oldest);
                }
                _ => {
                    let left = self.blocks.remove(&oldest);
                    self.bytes -= left.map_or(0, |slot| slot.bytes.len());
                }
            }
        }
        self.bytes += bytes.len();
        self.order.push_back(key);
        self.blocks.insert(key, Slot { bytes, used: false });
    }
}

/// A disk whose small reads go through a [`Cache`].
#[derive(Debug)]
pub struct Cached {
    disk: Arc<dyn BlockRead>,
    cache: Arc<Cache>,
    owner: u32,
}

impl Cached {
    /// The same bytes.
    #[must_use]
    pub fn new(disk: Arc<dyn BlockRead>, cache: &Arc<Cache>) -> Self {
        Self { disk, owner: cache.owner(), cache: Arc::clone(cache) }
    }
}

impl BlockRead for Cached {
    fn len(&self) -> u64 {
        self.disk.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let length = self.disk.len();
        // Larger reads are those of files, which are read once: that spares a copy, and pushes nothing out.
        if buffer.len() as u64 > BLOCK {
            return self.disk.read_at(offset, buffer);
        }
        by_chunk(length, BLOCK, offset, buffer, |number, within, part| {
            let block = self.cache.get_or_make(self.owner, number, || {
                let start = number * BLOCK;
                let mut bytes = vec![0; BLOCK.min(length - start) as usize];
                self.disk.read_at(start, &mut bytes).map(|()| bytes)
            });
            match block {
                Ok(block) => {
                    let within = within as usize;
                    part.copy_from_slice(&block[within..within + part.len()]);
                    Ok(())
                }
                // One bad sector does not take its neighbours with it.
                Err(_) => self.disk.read_at(number * BLOCK + within, part),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_holds_and_what_is_used_stays() {
        let cache = Cache::new(SHARDS * 4 * 100);
        for number in 0..1000 {
            cache.get_or_make(1, number, || Ok(vec![7; 100])).expect("makes");
            cache.get_or_make(0, 0, || Ok(vec![9; 100])).expect("makes");
        }
        let kept: usize = cache.shards.iter().map(|shard| shard.lock().expect("not poisoned").bytes).sum();
        assert!(kept <= SHARDS * 4 * 100, "{kept}");
        assert_eq!(cache.get(0, 0).as_deref(), Some(&vec![9; 100]));
        assert!(cache.get(1, 0).is_none());
    }

    #[test]
    fn what_is_larger_than_the_share_is_not_kept() {
        let cache = Cache::new(SHARDS * 100);
        assert_eq!(cache.get_or_make(0, 0, || Ok(vec![1; 101])).expect("makes").len(), 101);
        assert!(cache.get(0, 0).is_none());
    }

    #[test]
    fn errors_are_not_kept() {
        let cache = Cache::new(1 << 20);
        cache.get_or_make(0, 0, || Err(io::Error::other("no"))).expect_err("fails");
        assert_eq!(*cache.get_or_make(0, 0, || Ok(vec![1])).expect("makes"), vec![1]);
    }
}
