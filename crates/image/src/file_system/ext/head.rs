//! The superblock and the group descriptors.
//!
//! Source: Documentation/filesystems/ext4 of Linux.

use super::super::{
    ReadError,
    disk::{Disk, Fields as _},
    names::{label, uuid},
};

const INCOMPATIBLE: [(u32, &str); 2] =
    [(0x1, "compression"), (0x8, "an external journal, which holds no files")];

/// What changes the layout, and is read: file types in folders, recovery, meta groups, extents, 64 bits, multi-mount
/// protection, flexible groups, large attributes, data in folders, a seed for checksums, large folders, inline data,
/// encryption (its files are refused one by one), folded case.
const READ: u32 = 0x2
    | NEEDS_REPLAY
    | META_GROUPS
    | 0x40
    | WIDE
    | 0x100
    | 0x200
    | 0x400
    | 0x1000
    | CHECKSUM_SEED
    | LARGE_FOLDERS
    | 0x8000
    | 0x1_0000
    | 0x2_0000;

const NEEDS_REPLAY: u32 = 0x4;
const META_GROUPS: u32 = 0x10;
const WIDE: u32 = 0x80;
const CHECKSUM_SEED: u32 = 0x2000;
const LARGE_FOLDERS: u32 = 0x4000;

/// What the superblock says.
#[derive(Clone, Debug)]
pub struct Head {
    pub block_size: u32,
    pub blocks: u64,
    pub inodes: u32,
    pub inode_size: u16,
    pub inodes_per_group: u32,
    pub label: String,
    pub uuid: String,
    /// `ext2`, `ext3` or `ext4`.
    pub kind: &'static str,
    /// The journal has changes that are not in their places yet.
    pub needs_replay: bool,
    /// It was in use when it was copied, and has no journal to tell what was being changed.
    pub is_between: bool,
    /// The inode of the journal; 0 when it lies elsewhere, or there is none.
    pub journal: u32,
    /// Entries of folders tell what the file is.
    pub has_types: bool,
    pub large_folders: bool,
    /// Where checksums of metadata begin; `None` when there are none.
    pub seed: Option<u32>,
    first_block: u32,
    blocks_per_group: u32,
    descriptor_size: u16,
    /// The first group whose descriptors lie in its own meta group.
    first_meta_group: Option<u32>,
    read_only_features: u32,
}

impl Head {
    /// Reads the superblock, which is the 1024 bytes from 1024 on.
    pub fn read(bytes: &[u8], disk: &Disk) -> Result<Self, ReadError> {
        let damaged = |what: &str| ReadError::Damaged(format!("superblock: {what}"));
        if bytes.u16(0x38) != 0xef53 {
            return Err(damaged("no ext2, ext3 or ext4"));
        }
        let (compatible, features, read_only_features) = (bytes.u32(0x5c), bytes.u32(0x60), bytes.u32(0x64));
        for (bit, name) in INCOMPATIBLE {
            if features & bit != 0 {
                return Err(ReadError::Unsupported(name.to_owned()));
            }
        }
        if features & !READ != 0 {
            let unknown = features & !READ;
            return Err(ReadError::Unsupported(format!("unknown incompatible features {unknown:#x}")));
        }
        let has_checksums = read_only_features & 0x400 != 0;
        if has_checksums && bytes.u32(0x3fc) != checksum(!0, bytes.get(..0x3fc).unwrap_or_default()) {
            return Err(damaged("its checksum is wrong"));
        }
        let shift = bytes.u32(0x18);
        if shift > 6 {
            return Err(damaged("blocks of more than 64 KiB"));
        }
        let block_size = 1024_u32 << shift;
        let wide = features & WIDE != 0;
        let blocks = u64::from(bytes.u32(0x4)) | if wide { u64::from(bytes.u32(0x150)) << 32 } else { 0 };
        let needed = blocks.checked_mul(u64::from(block_size));
        if blocks == 0 || needed.is_none_or(|needed| needed > disk.len()) {
            return Err(damaged(&format!(
                "{blocks} blocks of {block_size} bytes do not fit into the volume, which has {} bytes",
                disk.len()
            )));
        }
        let inode_size = if bytes.u32(0x4c) == 0 { 128 } else { bytes.u16(0x58) };
        if !inode_size.is_power_of_two() || inode_size < 128 || u32::from(inode_size) > block_size {
            return Err(damaged(&format!("inodes of {inode_size} bytes")));
        }
        let descriptor_size = if wide { bytes.u16(0xfe) } else { 32 };
        if !descriptor_size.is_power_of_two() || !(32..=1024).contains(&descriptor_size) {
            return Err(damaged(&format!("group descriptors of {descriptor_size} bytes")));
        }
        let (blocks_per_group, inodes_per_group) = (bytes.u32(0x20), bytes.u32(0x28));
        if blocks_per_group == 0 || inodes_per_group == 0 {
            return Err(damaged("groups without blocks or inodes"));
        }
        let id = bytes.get(0x68..0x78).unwrap_or_default();
        let seed = if features & CHECKSUM_SEED != 0 { bytes.u32(0x270) } else { checksum(!0, id) };
        Ok(Self {
            block_size,
            blocks,
            inodes: bytes.u32(0),
            inode_size,
            inodes_per_group,
            label: label(bytes.get(0x78..0x88).unwrap_or_default()),
            uuid: uuid(id),
            kind: if features & !(0x2 | NEEDS_REPLAY | META_GROUPS) != 0 || read_only_features & !0x7 != 0 {
                "ext4"
            } else if compatible & 0x4 != 0 {
                "ext3"
            } else {
                "ext2"
            },
            needs_replay: compatible & 0x4 != 0 && features & NEEDS_REPLAY != 0,
            is_between: compatible & 0x4 == 0 && bytes.u16(0x3a) & 0x1 == 0,
            journal: bytes.u32(0xe0),
            has_types: features & 0x2 != 0,
            large_folders: features & LARGE_FOLDERS != 0,
            seed: has_checksums.then_some(seed),
            first_block: bytes.u32(0x14),
            blocks_per_group,
            descriptor_size,
            first_meta_group: (features & META_GROUPS != 0).then(|| bytes.u32(0x104)),
            read_only_features,
        })
    }

    /// Where the descriptor of a group lies: its block, and how far into it.
    pub fn descriptor(&self, group: u32) -> (u64, u32) {
        let per_block = (self.block_size / u32::from(self.descriptor_size)).max(1);
        let (meta_group, index) = (group / per_block, group % per_block);
        let within = index * u32::from(self.descriptor_size);
        let block = match self.first_meta_group {
            Some(first) if meta_group >= first => {
                let holder = u64::from(meta_group) * u64::from(per_block);
                let start = u64::from(self.first_block) + holder * u64::from(self.blocks_per_group);
                // With clusters, blocks of 1 KiB count from 0 on, and the superblock is in the second one.
                let is_second = self.block_size == 1024 && holder == 0 && self.first_block == 0;
                start + u64::from(self.has_superblock(holder)) + u64::from(is_second)
            }
            _ => 1024 / u64::from(self.block_size) + 1 + u64::from(meta_group),
        };
        (block, within)
    }

    /// Where a group's table of inodes begins, by its descriptor.
    pub fn table(&self, descriptor: &[u8]) -> u64 {
        let high = if self.descriptor_size >= 64 { descriptor.u32(0x28) } else { 0 };
        u64::from(descriptor.u32(0x8)) | u64::from(high) << 32
    }

    /// Whether a group begins with a copy of the superblock: with sparse superblocks only 0, 1, and the powers of 3, 5
    /// and 7 do.
    fn has_superblock(&self, group: u64) -> bool {
        let is_power = |base: u64| {
            let mut power = base;
            while power < group {
                power *= base;
            }
            power == group
        };
        self.read_only_features & 0x1 == 0 || group <= 1 || [3, 5, 7].into_iter().any(is_power)
    }
}

/// CRC-32C without the inversions at both ends, as ext4 chains it.
pub fn checksum(seed: u32, bytes: &[u8]) -> u32 {
    !crc32c::crc32c_append(!seed, bytes)
}
