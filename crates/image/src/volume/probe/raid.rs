//! Members of arrays. Some of their heads lie at the end, so that the start looks like a file system of its own.

use std::io;

use crate::{
    block::{BlockRead, be32, le32, le64, read_up_to},
    volume::{Reason, Refusal},
};

const MD_MAGIC: u32 = 0xa92b_4efc;

/// The array that a disk is a member of.
pub(super) fn probe(disk: &dyn BlockRead) -> io::Result<Option<Refusal>> {
    let length = disk.len();
    // Version 1.1 at the start, 1.2 after 4 KiB, 1.0 near the end.
    let near_end = (length / 512).saturating_sub(16) / 8 * 8 * 512;
    let places = [(0, "1.1"), (4096, "1.2"), (near_end, "1.0")];
    for (at, version) in places {
        let block = read(disk, at, 256, length)?;
        // The head says in which sector it lies itself.
        if le32(&block, 0) == MD_MAGIC
            && le32(&block, 4) == 1
            && le64(&block, 144).checked_mul(512) == Some(at)
        {
            return Ok(Some(md(version, le32(&block, 72))));
        }
    }
    let oldest = (length / 65536).saturating_sub(1) * 65536;
    let block = read(disk, oldest, 32, length)?;
    for number in [le32, be32] {
        if number(&block, 0) == MD_MAGIC && number(&block, 4) == 0 {
            return Ok(Some(md("0.90", number(&block, 28))));
        }
    }
    let last = length.saturating_sub(1024);
    if read(disk, last, 24, length)? == b"Intel Raid ISM Cfg Sig. " {
        return Ok(Some(refusal("Intel RAID".to_owned())));
    }
    let last = read(disk, length.saturating_sub(512), 4, length)?;
    if be32(&last, 0) == 0xde11_de11 || le32(&last, 0) == 0xde11_de11 {
        return Ok(Some(refusal("DDF RAID".to_owned())));
    }
    Ok(None)
}

/// Reads a head. The end of a disk that was copied in part is not there; its start still counts.
fn read(disk: &dyn BlockRead, at: u64, bytes: usize, length: u64) -> io::Result<Vec<u8>> {
    match read_up_to(disk, at, bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && at >= length / 2 => Ok(Vec::new()),
        read => read,
    }
}

fn md(version: &str, level: u32) -> Refusal {
    let level = match level.cast_signed() {
        -4 => "multipath".to_owned(),
        -1 => "linear".to_owned(),
        level => format!("level {level}"),
    };
    refusal(format!("mdraid {level} (metadata {version})"))
}

fn refusal(what: String) -> Refusal {
    let detail = "it is a member of an array; scan a snapshot of the assembled array".to_owned();
    Refusal { reason: Reason::Unsupported, what, detail }
}
