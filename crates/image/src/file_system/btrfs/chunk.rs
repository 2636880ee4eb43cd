//! Chunks: how a range of addresses lies on the devices.

use super::super::{ReadError, disk::Fields as _};

/// How much of a chunk lies on one device before the next one's turn comes, in bytes. The kernel knows no other.
const STRIPE: u64 = 64 << 10;

/// What a chunk is before its stripes, and how long each of these is, in bytes.
const HEADER: usize = 48;
const STRIPE_ITEM: usize = 32;

/// How the stripes of a chunk share its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Profile {
    /// Each stripe has all of them: one, or copies.
    Copies,
    /// They go to the stripes in turn; so many stripes behind each other are copies of one.
    Striped { copies: usize },
    /// They go to the stripes in turn, of which so many hold parity, other ones in each row.
    Parity { stripes: u64 },
}

/// A part of a chunk on one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stripe {
    pub device: u64,
    /// Where it begins there, in bytes.
    pub start: u64,
}

/// A range of addresses.
#[derive(Debug)]
pub struct Chunk {
    pub length: u64,
    pub stripes: Vec<Stripe>,
    profile: Profile,
}

/// Where a byte lies, and the ones behind it.
#[derive(Debug, PartialEq, Eq)]
pub struct Located<'a> {
    /// Each has all of the bytes.
    pub copies: &'a [Stripe],
    /// How far into each of the copies, in bytes.
    pub within: u64,
    /// How many bytes lie together from there on: at least one.
    pub length: u64,
}

impl Chunk {
    /// Reads one from the beginning of some bytes; with its length there.
    pub fn read(bytes: &[u8]) -> Result<(Self, usize), ReadError> {
        let damaged = |what: String| Err(ReadError::Damaged(format!("a chunk {what}")));
        let kind = bytes.u64(24);
        let count = usize::from(bytes.u16(44));
        let size = HEADER + count * STRIPE_ITEM;
        let Some(stripes) = bytes.get(HEADER..size).filter(|_| count > 0) else {
            return damaged(format!("has {count} stripes, and no room for them"));
        };
        let (length, sub) = (bytes.u64(0), usize::from(bytes.u16(46)));
        if bytes.u64(16) != STRIPE || length == 0 {
            return damaged(format!("of {length} bytes has stripes of {}", bytes.u64(16)));
        }
        let profile = match kind >> 3 & 0xff {
            // One, and copies: DUP, RAID 1 with two, three and four.
            0 if count == 1 => Profile::Copies,
            0x02 | 0x04 | 0x40 | 0x80 => Profile::Copies,
            0x01 => Profile::Striped { copies: 1 },
            0x08 if sub > 0 && count.is_multiple_of(sub) => Profile::Striped { copies: sub },
            0x10 if count > 1 => Profile::Parity { stripes: 1 },
            0x20 if count > 2 => Profile::Parity { stripes: 2 },
            profile => return damaged(format!("has the profile {profile:#x} and {count} stripes")),
        };
        let stripes = stripes
            .chunks_exact(STRIPE_ITEM)
            .map(|stripe| Stripe { device: stripe.u64(0), start: stripe.u64(8) })
            .collect();
        Ok((Self { length, stripes, profile }, size))
    }

    /// Where a byte lies; `offset` is less than the length.
    pub fn locate(&self, offset: u64) -> Located<'_> {
        let count = self.stripes.len() as u64;
        let (number, within) = (offset / STRIPE, offset % STRIPE);
        let left = self.length.saturating_sub(offset);
        let (first, copies, row) = match self.profile {
            Profile::Copies => return Located { copies: &self.stripes, within: offset, length: left },
            Profile::Striped { copies } => {
                let turns = (count / copies as u64).max(1);
                ((number % turns).saturating_mul(copies as u64), copies, number / turns)
            }
            Profile::Parity { stripes } => {
                let turns = count.saturating_sub(stripes).max(1);
                let row = number / turns;
                ((number % turns).saturating_add(row) % count.max(1), 1, row)
            }
        };
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        Located {
            copies: self.stripes.get(first..first.saturating_add(copies)).unwrap_or_default(),
            within: row.saturating_mul(STRIPE).saturating_add(within),
            length: left.min(STRIPE - within),
        }
    }

    /// Whether every byte lies on one of some devices at least.
    pub fn is_whole(&self, is_there: impl Fn(u64) -> bool) -> bool {
        match self.profile {
            Profile::Copies => self.stripes.iter().any(|stripe| is_there(stripe.device)),
            Profile::Striped { copies } => {
                self.stripes.chunks(copies).all(|copies| copies.iter().any(|stripe| is_there(stripe.device)))
            }
            Profile::Parity { .. } => self.stripes.iter().all(|stripe| is_there(stripe.device)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(profile: u64, sub: u16, devices: &[u64]) -> Chunk {
        let mut bytes = vec![0; HEADER];
        bytes[0..8].copy_from_slice(&(64_u64 << 20).to_le_bytes());
        bytes[16..24].copy_from_slice(&STRIPE.to_le_bytes());
        bytes[24..32].copy_from_slice(&(1 | profile).to_le_bytes());
        bytes[44..46].copy_from_slice(&(devices.len() as u16).to_le_bytes());
        bytes[46..48].copy_from_slice(&sub.to_le_bytes());
        for device in devices {
            bytes.extend(device.to_le_bytes());
            bytes.extend((device * 1000).to_le_bytes());
            bytes.extend([0; 16]);
        }
        let (chunk, size) = Chunk::read(&bytes).expect("a chunk");
        assert_eq!(size, bytes.len());
        chunk
    }

    /// The devices and the offset in their stripes for the byte in the middle of a stripe.
    fn place(chunk: &Chunk, number: u64) -> (Vec<u64>, u64) {
        let found = chunk.locate(number * STRIPE + 5);
        (found.copies.iter().map(|stripe| stripe.device).collect(), found.within - 5)
    }

    #[test]
    fn stripes_are_where_the_kernel_puts_them() {
        let single = chunk(0, 1, &[7]);
        assert_eq!(place(&single, 3), (vec![7], 3 * STRIPE));
        assert_eq!(single.locate(10).length, (64 << 20) - 10);
        let mirrored = chunk(1 << 4, 1, &[1, 2]);
        assert_eq!(place(&mirrored, 9), (vec![1, 2], 9 * STRIPE));
        let striped = chunk(1 << 3, 1, &[1, 2, 3]);
        assert_eq!(place(&striped, 4), (vec![2], STRIPE));
        assert_eq!(striped.locate(5).length, STRIPE - 5);
        let both = chunk(1 << 6, 2, &[1, 2, 3, 4]);
        assert_eq!(place(&both, 0), (vec![1, 2], 0));
        assert_eq!(place(&both, 3), (vec![3, 4], STRIPE));
        let parity = chunk(1 << 7, 1, &[1, 2, 3]);
        // Rows of two: 1 2 (3), 2 3 (1), 3 1 (2).
        assert_eq!(place(&parity, 1), (vec![2], 0));
        assert_eq!(place(&parity, 2), (vec![2], STRIPE));
        assert_eq!(place(&parity, 5), (vec![1], 2 * STRIPE));
    }

    #[test]
    fn what_a_missing_device_takes_with_it_is_known() {
        let without = |missing: u64| move |device| device != missing;
        assert!(!chunk(0, 1, &[1]).is_whole(without(1)));
        assert!(chunk(1 << 4, 1, &[1, 2]).is_whole(without(1)));
        assert!(!chunk(1 << 3, 1, &[1, 2]).is_whole(without(2)));
        assert!(chunk(1 << 6, 2, &[1, 2, 3, 4]).is_whole(without(3)));
        assert!(!chunk(1 << 7, 1, &[1, 2, 3]).is_whole(without(3)));
    }
}
