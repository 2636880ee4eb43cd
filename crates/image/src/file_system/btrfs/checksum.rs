//! The checksums of the superblock and of blocks of metadata.

use blake2::Blake2b256;
use sha2::{Digest as _, Sha256};
use twox_hash::XxHash64;

use super::super::ReadError;

/// How long the field is that holds the checksum, at the beginning of every block. Shorter ones are followed by zeros.
const FIELD: usize = 32;

/// How blocks are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    Crc32c,
    Xxhash64,
    Sha256,
    Blake2b,
}

impl Checksum {
    /// The one that the superblock names.
    pub fn new(number: u16) -> Result<Self, ReadError> {
        match number {
            0 => Ok(Self::Crc32c),
            1 => Ok(Self::Xxhash64),
            2 => Ok(Self::Sha256),
            3 => Ok(Self::Blake2b),
            other => Err(ReadError::Unsupported(format!("checksums of kind {other}"))),
        }
    }

    /// Whether a block is as it was written. To a fuzzer every block is: it finds no checksums.
    pub fn holds(self, block: &[u8]) -> bool {
        let Some((field, body)) = block.split_at_checked(FIELD) else { return false };
        if cfg!(fuzzing) {
            return true;
        }
        match self {
            Self::Crc32c => field.starts_with(&crc32c::crc32c(body).to_le_bytes()),
            Self::Xxhash64 => field.starts_with(&XxHash64::oneshot(0, body).to_le_bytes()),
            Self::Sha256 => field == Sha256::digest(body).as_slice(),
            Self::Blake2b => field == Blake2b256::digest(body).as_slice(),
        }
    }
}

/// The checksum by which a name is found in a folder (`seed` is `!1`), or in the long references of an inode (`seed` is
/// the folder): CRC-32C without the inversion at its ends.
pub fn name_hash(seed: u32, name: &[u8]) -> u32 {
    !crc32c::crc32c_append(!seed, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_checksums_that_the_kernel_has_for_them() {
        // `btrfs inspect-internal dump-tree` shows them.
        assert_eq!(name_hash(!1, b"default"), 2_378_154_706);
        assert_eq!(name_hash(!1, b"a"), 3_427_024_844);
    }

    #[test]
    fn one_turned_bit_is_seen_by_every_checksum() {
        let mut block = vec![0; 4096];
        block[32..].iter_mut().zip(0_u32..).for_each(|(byte, number)| *byte = number as u8);
        let body = block[32..].to_vec();
        for (number, digest) in [
            (0, crc32c::crc32c(&body).to_le_bytes().to_vec()),
            (1, XxHash64::oneshot(0, &body).to_le_bytes().to_vec()),
            (2, Sha256::digest(&body).to_vec()),
            (3, Blake2b256::digest(&body).to_vec()),
        ] {
            let checksum = Checksum::new(number).expect("known");
            block[..digest.len()].copy_from_slice(&digest);
            assert!(checksum.holds(&block), "{checksum:?}");
            block[100] ^= 4;
            assert!(!checksum.holds(&block), "{checksum:?}");
            block[100] ^= 4;
        }
        assert!(Checksum::new(4).is_err());
        assert!(!Checksum::Crc32c.holds(&[0; 31]));
    }
}
