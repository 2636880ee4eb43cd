//! The entries of folders: an index whose root lies in the record, and whose other nodes lie in blocks.

use std::ops::ControlFlow;

use super::{
    super::{
        FileKind, ReadError,
        disk::Fields as _,
        names::{Shown, wtf8},
    },
    record::{Record, kind, mend},
    volume::Volume,
};

/// `$I30`, the index of names, in UTF-16.
const NAMES: &[u8] = b"$\0I\x003\x000\0";

/// How long the bitmap of an index is read, in bytes: 32 million blocks.
const BITMAP: u64 = 4 << 20;

/// Records of files that are the file system's own: `$MFT`, `$LogFile`, `$Extend` and so on.
const OWN: u64 = 16;

/// Shows the entries: those of the root, then those of every block that is in use.
pub fn show(volume: &mut Volume, record: &Record, shown: &mut Shown<'_>) -> Result<(), ReadError> {
    let damaged = |what: &str| ReadError::Damaged(format!("a folder: {what}"));
    if !record.is_folder() {
        return Err(ReadError::NotFound("folder"));
    }
    let disk = volume.disk.clone();
    let root = volume.stream(record, kind::INDEX_ROOT, NAMES)?.ok_or_else(|| damaged("it has no index"))?;
    let root = { root }.read_all(&disk, 64 << 10)?;
    if show_node(root.get(16..).unwrap_or_default(), shown).ok_or_else(|| damaged("its root"))?.is_break() {
        return Ok(());
    }
    let Some(mut blocks) = volume.stream(record, kind::INDEX_ALLOCATION, NAMES)? else { return Ok(()) };
    let size = usize::try_from(root.u32(8)).unwrap_or(0);
    if !size.is_power_of_two() || !(512..=64 << 10).contains(&size) {
        return Err(damaged(&format!("index blocks of {size} bytes")));
    }
    if blocks.size > disk.len() {
        return Err(damaged("an index that is longer than the volume"));
    }
    let bitmap = volume.stream(record, kind::BITMAP, NAMES)?.ok_or_else(|| damaged("it has no bitmap"))?;
    let bitmap = { bitmap }.read_all(&disk, BITMAP)?;
    let mut block = vec![0; size];
    for number in 0..blocks.size / size as u64 {
        let byte = usize::try_from(number / 8).ok().and_then(|at| bitmap.get(at)).copied().unwrap_or(0);
        if byte >> (number % 8) & 1 == 0 {
            continue;
        }
        blocks.read_at(&disk, number * size as u64, &mut block)?;
        if block.get(..4) != Some(b"INDX") || !mend(&mut block) {
            return Err(damaged(&format!("block {number} of its index")));
        }
        let node = block.get(24..).unwrap_or_default();
        if show_node(node, shown).ok_or_else(|| damaged("an entry"))?.is_break() {
            return Ok(());
        }
    }
    Ok(())
}

/// Shows the entries of one node, from its head on; `None` when an entry leaves it.
fn show_node(node: &[u8], shown: &mut Shown<'_>) -> Option<ControlFlow<()>> {
    let end = usize::try_from(node.u32(4)).ok()?;
    let mut rest = node.get(usize::try_from(node.u32(0)).ok()?..end)?;
    while rest.len() >= 16 {
        let flags = rest.u16(12);
        if flags & 2 != 0 {
            break;
        }
        let (entry, next) = rest.split_at_checked(usize::from(rest.u16(8)).max(16))?;
        rest = next;
        let key = entry.get(16..)?;
        let name = key.get(66..66 + usize::from(key.u8(64)) * 2)?;
        // The short name beside a long one is the same file once more.
        let is_short_only = key.u8(65) == 2;
        let reference = entry.u64(0);
        if is_short_only || reference & ((1 << 48) - 1) < OWN {
            continue;
        }
        let name = wtf8(name.chunks_exact(2).map(|unit| unit.u16(0)));
        if shown.entry(&name, reference, kind_of(key.u32(56))).is_break() {
            return Some(ControlFlow::Break(()));
        }
    }
    Some(ControlFlow::Continue(()))
}

/// What the flags in the entry say; a reparse point may be a link, which only its record tells.
fn kind_of(flags: u32) -> Option<FileKind> {
    match (flags & 0x400 != 0, flags & 0x1000_0000 != 0) {
        (true, _) => None,
        (_, true) => Some(FileKind::Folder),
        _ => Some(FileKind::File),
    }
}
