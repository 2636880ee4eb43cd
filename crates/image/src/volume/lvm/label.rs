//! The label of a physical volume, and the text in its metadata area.

use std::sync::Arc;

use crate::block::{BlockRead, le32, le64};

/// The sectors where a label may be, and their size: 512 bytes on all disks.
const LABEL_SECTORS: u64 = 4;
const SECTOR: usize = 512;

/// What LVM2 begins its checksums with.
const FIRST_SUM: u32 = 0xf597_a6cf;

/// The head of a metadata area.
const AREA_MAGIC: &[u8] = b" LVM2 x[5A%r0N*>";
const AREA_HEAD: u64 = 512;
const IGNORED: u32 = 1;

/// The longest text that is read, in bytes; a group with a thousand volumes has less than 1 MiB.
const LONGEST_TEXT: u64 = 4 << 20;

/// A physical volume.
#[derive(Clone, Debug)]
pub(crate) struct PhysicalVolume {
    pub(crate) disk: Arc<dyn BlockRead>,
    /// Without the hyphens that the text writes in it.
    pub(crate) uuid: String,
    /// The newest text that it holds; `None` when it keeps none, or belongs to no group.
    pub(crate) text: Option<Vec<u8>>,
    /// How many areas for metadata it has.
    pub(crate) areas: usize,
    /// What was wrong with an area.
    pub(crate) notes: Vec<String>,
}

/// Reads the label of a disk, or says what is wrong with it.
pub(crate) fn read(disk: Arc<dyn BlockRead>) -> Result<PhysicalVolume, String> {
    let mut detail = "there is no label in its first four sectors".to_owned();
    for number in 0..LABEL_SECTORS {
        let mut sector = [0; SECTOR];
        disk.read_at(number * SECTOR as u64, &mut sector).map_err(|error| error.to_string())?;
        if !sector.starts_with(b"LABELONE") || sector.get(24..32) != Some(b"LVM2 001") {
            continue;
        }
        if le64(&sector, 8) != number || !is_sum(&sector[20..], le32(&sector, 16)) {
            detail = format!("the checksum of the label in sector {number} is wrong");
            continue;
        }
        return Ok(volume(disk, &sector));
    }
    Err(detail)
}

/// Whether a checksum of LVM2 is right: that of zlib with another beginning, and not inverted at the end. To a fuzzer all
/// are.
fn is_sum(bytes: &[u8], sum: u32) -> bool {
    let mut hasher = crc32fast::Hasher::new_with_initial(!FIRST_SUM);
    hasher.update(bytes);
    cfg!(fuzzing) || !hasher.finalize() == sum
}

/// Reads what follows the label: the id, and two lists of areas.
fn volume(disk: Arc<dyn BlockRead>, sector: &[u8; SECTOR]) -> PhysicalVolume {
    let head = sector.get(le32(sector, 20) as usize..).unwrap_or_default();
    let uuid = String::from_utf8_lossy(head.get(..32).unwrap_or_default()).into_owned();
    let mut lists =
        head.get(40..).unwrap_or_default().chunks_exact(16).map(|area| (le64(area, 0), le64(area, 8)));
    // The first list, of areas for data, matters less than what the text says.
    lists.by_ref().take_while(|&(offset, _)| offset != 0).for_each(drop);
    let mut notes = Vec::new();
    let mut areas = 0;
    let mut newest: Option<(u64, Vec<u8>)> = None;
    for (start, length) in lists.take_while(|&(offset, _)| offset != 0) {
        areas += 1;
        match area(disk.as_ref(), start, length) {
            Ok(Some(text)) => {
                let sequence = super::text::sequence(&text);
                if newest.as_ref().is_none_or(|(before, _)| *before < sequence) {
                    newest = Some((sequence, text));
                }
            }
            Ok(None) => {}
            Err(detail) => notes.push(format!("the LVM2 metadata at {start}: {detail}")),
        }
    }
    PhysicalVolume { disk, uuid, text: newest.map(|(_, text)| text), areas, notes }
}

/// The text in a metadata area; `None` when there is none.
fn area(disk: &dyn BlockRead, start: u64, length: u64) -> Result<Option<Vec<u8>>, String> {
    let mut head = [0; AREA_HEAD as usize];
    disk.read_at(start, &mut head).map_err(|error| error.to_string())?;
    if head.get(4..20) != Some(AREA_MAGIC) || !is_sum(&head[4..], le32(&head, 0)) {
        return Err("its head, or the checksum of its head, is wrong".to_owned());
    }
    if le64(&head, 24) != start || length <= AREA_HEAD {
        return Err("its head belongs elsewhere".to_owned());
    }
    let (offset, bytes, expected, flags) =
        (le64(&head, 40), le64(&head, 48), le32(&head, 56), le32(&head, 60));
    if offset == 0 || bytes == 0 || flags & IGNORED != 0 {
        return Ok(None);
    }
    if offset < AREA_HEAD || offset >= length || bytes > length - AREA_HEAD || bytes > LONGEST_TEXT {
        return Err(format!("a text of {bytes} bytes at {offset} has no place in {length} bytes"));
    }
    if bytes > disk.len() {
        return Err(format!("a text of {bytes} bytes does not fit on the disk"));
    }
    let Some(place) = start.checked_add(offset) else {
        return Err(format!("a text at {offset} does not lie on the disk"));
    };
    let mut text = vec![0; bytes as usize];
    // The area is a ring behind its head.
    let before_end = (length - offset).min(bytes) as usize;
    let (first, second) = text.split_at_mut(before_end);
    let read = disk.read_at(place, first).and_then(|()| disk.read_at(start + AREA_HEAD, second));
    read.map_err(|error| error.to_string())?;
    if !is_sum(&text, expected) {
        return Err("the checksum of its text is wrong".to_owned());
    }
    Ok(Some(text))
}
