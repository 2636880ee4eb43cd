//! What a volume holds, by its first and last bytes.
//!
//! The heads are those that `blkid` knows. What encrypts, spreads or stores is looked for before file systems, because
//! it may have one inside, or the rest of one.

mod heads;
mod raid;

use std::io;

use self::heads::{HEADS, Meaning};
use super::{Reason, Refusal};
use crate::{
    block::{BlockRead, be16, le16, le32, read_up_to},
    file_system::Kind,
};

/// How many bytes at the start are looked at: the last head that counts lies at 128 KiB, and is one of a row.
const HEAD: usize = 256 << 10;

/// How many pages of a volume that begins with zeros are looked at, besides those where others begin.
const SAMPLES: u64 = 256;

/// What a volume holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Probed {
    /// A file system that is read.
    FileSystem(Kind),
    /// A physical volume of LVM2.
    Lvm,
    /// Nothing to scan. The word for it.
    Nothing(&'static str),
    /// Something that is known and not read.
    Refused(Refusal),
    /// Something that is not known.
    Unknown,
}

/// Looks at a volume.
///
/// # Errors
/// What the disk says.
pub(crate) fn probe(disk: &dyn BlockRead) -> io::Result<Probed> {
    let head = read_up_to(disk, 0, HEAD)?;
    if let Some(refusal) = raid::probe(disk)? {
        return Ok(Probed::Refused(refusal));
    }
    for (offset, magic, meaning) in &HEADS {
        if head.get(*offset..).is_some_and(|rest| rest.starts_with(magic)) && is_likely(meaning, &head) {
            return Ok(match meaning {
                Meaning::Is(kind) => Probed::FileSystem(*kind),
                Meaning::Lvm => Probed::Lvm,
                Meaning::Nothing(word) => Probed::Nothing(word),
                Meaning::Encrypted(what) => encrypted(&encryption(what, &head)),
                Meaning::NotRead(what) => not_read(what),
            });
        }
    }
    if is_zfs(&head) {
        return Ok(not_read("zfs"));
    }
    if is_fat(&head) {
        return Ok(Probed::FileSystem(Kind::Fat));
    }
    // The heads of the known ones lie in the first 256 KiB.
    let is_empty = head.iter().all(|&byte| byte == 0) && is_empty_behind(disk)?;
    Ok(if is_empty { Probed::Nothing("empty") } else { Probed::Unknown })
}

/// Whether there are zeros behind a start of zeros as well, as far as samples tell: a disk whose table was wiped still has
/// its file systems.
fn is_empty_behind(disk: &dyn BlockRead) -> io::Result<bool> {
    /// Where the first partition begins on most disks.
    const FIRST: u64 = 1 << 20;
    let even = (1..=SAMPLES).map(|number| disk.len() / (SAMPLES + 1) * number / 4096 * 4096);
    for at in [FIRST, 63 * 512].into_iter().chain(even) {
        match read_up_to(disk, at, 4096) {
            Ok(bytes) if bytes.iter().any(|&byte| byte != 0) => return Ok(false),
            Ok(_) => {}
            // A disk that was copied in part; that it ends too early is told.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Magics of two bytes are chance once in a while: the fields around them have to be possible.
fn is_likely(meaning: &Meaning, head: &[u8]) -> bool {
    match meaning {
        // The logarithm of the block size, and the number of inodes: none where only the journal of another one is.
        Meaning::Is(Kind::Ext) => {
            let is_journal = le32(head, 1024 + 96) & 0x8 != 0;
            le32(head, 1024 + 24) <= 6 && (le32(head, 1024) != 0 || is_journal)
        }
        Meaning::NotRead("hfs") => be16(head, 1024 + 20) != 0,
        _ => true,
    }
}

/// The name of an encryption with its version.
fn encryption(what: &'static str, head: &[u8]) -> String {
    match what {
        "LUKS" => format!("LUKS{}", be16(head, 6)),
        _ => what.to_owned(),
    }
}

fn encrypted(what: &str) -> Probed {
    let detail =
        "only its key opens it; scan a snapshot of the opened volume, or the running system".to_owned();
    Probed::Refused(Refusal { reason: Reason::Encrypted, what: what.to_owned(), detail })
}

fn not_read(what: &str) -> Probed {
    let detail = format!("{what} is known, but not read; what is on it was not scanned");
    Probed::Refused(Refusal { reason: Reason::Unsupported, what: what.to_owned(), detail })
}

/// The labels of ZFS hold a row of blocks with a magic number, from 128 KiB on, of which any may be the first in use.
fn is_zfs(head: &[u8]) -> bool {
    const MAGIC: u32 = 0x00ba_b10c;
    let row = head.get(128 << 10..).unwrap_or_default();
    row.chunks_exact(1024).any(|block| le32(block, 0) == MAGIC || le32(block, 4) == MAGIC.swap_bytes())
}

/// FAT has no magic that all its makers write. Its fields have to be possible.
fn is_fat(head: &[u8]) -> bool {
    let (sector, reserved, media) = (le16(head, 11), le16(head, 14), head.get(21).copied().unwrap_or(0));
    let byte = |at: usize| head.get(at).copied().unwrap_or(0);
    matches!(byte(0), 0xeb | 0xe9)
        && head.get(510..512) == Some(b"\x55\xaa")
        && sector.is_power_of_two()
        && (512..=4096).contains(&sector)
        && byte(13).is_power_of_two()
        && reserved != 0
        && matches!(byte(16), 1 | 2)
        && (media == 0xf0 || media >= 0xf8)
        && (le16(head, 22) != 0 || le32(head, 36) != 0)
}
