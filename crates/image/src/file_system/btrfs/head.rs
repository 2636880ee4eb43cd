//! The superblock: where the trees begin, and which features the file system uses.

use super::{
    super::{
        ReadError,
        disk::{Disk, Fields as _},
        names::label,
    },
    checksum::Checksum,
    tree::Root,
};

/// Where the copies of the superblock lie, in bytes.
const PLACES: [u64; 3] = [64 << 10, 64 << 20, 256 << 30];

const LENGTH: usize = 4096;
const MAGIC: &[u8] = b"_BHRfS_M";

/// Room for the chunks that lead to the tree of chunks, and where it begins, in bytes.
const SYSTEM_CHUNKS: (usize, usize) = (0x32b, 2048);

/// Features that a reader must know, by their bits, and those that are not read. What is not here is not known.
const FEATURES: [(u32, &str, bool); 17] = [
    (0, "mixed back references", true),
    (1, "default subvolume", true),
    (2, "mixed block groups", true),
    (3, "LZO", true),
    (4, "Zstandard", true),
    (5, "big metadata", true),
    (6, "extended references", true),
    (7, "RAID 5 and 6", true),
    (8, "skinny metadata", true),
    (9, "no holes", true),
    (10, "metadata UUID", true),
    (11, "RAID 1 with three and four copies", true),
    (12, "zoned devices", false),
    (13, "extent tree v2", false),
    (14, "the RAID stripe tree", false),
    (16, "simple quotas", true),
    (17, "the remap tree", false),
];

/// Flags of the superblock that are states a file system is not read in.
const STATES: [(u32, &str); 6] = [
    (33, "it is a dump of the metadata alone"),
    (34, "it is a dump of the metadata alone"),
    (35, "a change of its UUID was not brought to its end"),
    (38, "the making of its block group tree was not brought to its end"),
    (39, "a change of its checksums was not brought to its end"),
    (40, "a change of its checksums was not brought to its end"),
];

const METADATA_UUID: u32 = 10;

/// What a superblock says.
#[derive(Clone, Debug)]
pub struct Head {
    /// How fstab calls the file system.
    pub uuid: [u8; 16],
    /// What the blocks of metadata bear.
    pub metadata_uuid: [u8; 16],
    /// Of the last commit.
    pub generation: u64,
    pub root: Root,
    pub chunk_root: Root,
    /// What was synchronised since the last commit.
    pub log: Option<Root>,
    /// How many devices the file system lies on.
    pub devices: u64,
    /// Which of them this is.
    pub device: u64,
    /// The unit of extents, in bytes.
    pub sector: u32,
    /// How long a block of metadata is, in bytes.
    pub node: u32,
    pub checksum: Checksum,
    pub label: String,
    /// Pairs of a key and a chunk.
    pub system_chunks: Vec<u8>,
}

impl Head {
    /// Reads the newest superblock of a device that is whole; with a note when that is a copy.
    pub fn read(disk: &Disk) -> Result<(Self, Option<String>), ReadError> {
        let mut first = None;
        let mut best: Option<(u64, Self)> = None;
        for place in PLACES {
            if place.saturating_add(LENGTH as u64) > disk.len() {
                continue;
            }
            match disk.read(place, LENGTH).and_then(|bytes| Self::parse(&bytes, place)) {
                // A copy of what lay on the device before belongs to another file system.
                Ok(head)
                    if best.as_ref().is_none_or(|(_, best)| {
                        best.generation < head.generation && best.uuid == head.uuid
                    }) =>
                {
                    best = Some((place, head));
                }
                Ok(_) => {}
                Err(error) => first = first.or(Some(error)),
            }
        }
        match (best, first) {
            (Some((place, head)), _) if place == PLACES[0] => Ok((head, None)),
            // What a whole superblock has that is not read, an older copy does not make readable.
            (_, Some(error @ ReadError::Unsupported(_))) => Err(error),
            (Some((place, head)), _) => {
                let note = format!("the superblock is damaged, or old; its copy at {place} is read");
                Ok((head, Some(note)))
            }
            (None, Some(error)) => Err(error),
            (None, None) => Err(ReadError::Damaged("it has no room for a superblock".into())),
        }
    }

    fn parse(bytes: &[u8], place: u64) -> Result<Self, ReadError> {
        let damaged = |what: &str| Err(ReadError::Damaged(format!("the superblock {what}")));
        if bytes.get(0x40..0x48) != Some(MAGIC) {
            return damaged("has no magic number");
        }
        let checksum = Checksum::new(bytes.u16(0xc4))?;
        if !checksum.holds(bytes) {
            return damaged("has a wrong checksum");
        }
        if bytes.u64(0x30) != place {
            return damaged("belongs to another place");
        }
        check_features(bytes.u64(0xbc), bytes.u64(0x38))?;
        let (sector, node) = (bytes.u32(0x90), bytes.u32(0x94));
        let is_size = |size: u32, least: u32| size.is_power_of_two() && (least..=64 << 10).contains(&size);
        if !is_size(sector, 512) || !is_size(node, sector) {
            return damaged(&format!("has sectors of {sector} bytes and nodes of {node}"));
        }
        let length = usize::try_from(bytes.u32(0xa0)).unwrap_or(usize::MAX);
        if length > SYSTEM_CHUNKS.1 {
            return damaged(&format!("has {length} bytes of chunks"));
        }
        let system_chunks = bytes.get(SYSTEM_CHUNKS.0..).unwrap_or_default();
        let generation = bytes.u64(0x48);
        let root = |address: usize, level: usize, generation: u64| Root {
            address: bytes.u64(address),
            level: bytes.u8(level),
            generation,
        };
        let uuid: [u8; 16] = bytes.array(0x20);
        let has_metadata_uuid = bytes.u64(0xbc) >> METADATA_UUID & 1 != 0;
        Ok(Self {
            uuid,
            metadata_uuid: if has_metadata_uuid { bytes.array(0x23b) } else { uuid },
            generation,
            root: root(0x50, 0xc6, generation),
            chunk_root: root(0x58, 0xc7, bytes.u64(0xa4)),
            // Written by the transaction that the last commit was followed by.
            log: (bytes.u64(0x60) != 0).then(|| root(0x60, 0xc8, generation.saturating_add(1))),
            devices: bytes.u64(0x88),
            device: bytes.u64(0xc9),
            sector,
            node,
            checksum,
            label: label(bytes.get(0x12b..0x22b).unwrap_or_default()),
            system_chunks: system_chunks.get(..length).unwrap_or_default().to_vec(),
        })
    }
}

fn check_features(features: u64, state: u64) -> Result<(), ReadError> {
    for bit in 0..64_u32 {
        if features >> bit & 1 != 0 {
            match FEATURES.iter().find(|(known, ..)| *known == bit) {
                Some((_, _, true)) => {}
                Some((_, name, false)) => return Err(ReadError::Unsupported((*name).to_owned())),
                None => return Err(ReadError::Unsupported(format!("the unknown feature {bit}"))),
            }
        }
        if state >> bit & 1 != 0
            && let Some((_, what)) = STATES.iter().find(|(known, _)| *known == bit)
        {
            return Err(ReadError::Unsupported((*what).to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_that_are_not_read_are_named() {
        assert!(check_features(0xfff, 1 << 32 | 1).is_ok());
        for (features, state, word) in [
            (1 << 13 | 1, 0, "extent tree v2"),
            (1 << 12, 0, "zoned devices"),
            (1 << 15, 0, "the unknown feature 15"),
            (1 << 63, 0, "the unknown feature 63"),
            (0, 1 << 33, "metadata alone"),
            (0, 1 << 40, "checksums"),
        ] {
            let error = check_features(features, state).expect_err("refused").to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
