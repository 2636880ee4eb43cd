//! Operations on a record of the file table, with its sectors mended.

use super::{
    super::{super::disk::Fields as _, record::kind},
    index,
    operation::{Action, Change, Operation},
};

/// What contradicts the change, when something does.
pub type Applied<T = ()> = Result<T, &'static str>;

const NO_ATTRIBUTE: &str = "no attribute begins where it changes one";
const OUTSIDE: &str = "it reaches beyond what it changes";
const FULL: &str = "it does not fit into the file record";

/// Makes one direction of a change.
pub fn apply(record: &mut Vec<u8>, change: &Change<'_>, action: &Action<'_>) -> Applied {
    let (at, within) = (change.record_at, change.attribute_at);
    let zeros = vec![0; if action.data.is_some() { 0 } else { action.length }];
    let data = action.data.unwrap_or(&zeros);
    match action.operation {
        Operation::InitializeFileRecord => put(record, at + within, data),
        Operation::DeallocateFileRecord => {
            let (sequence, flags) = (record.u16(16), record.u16(22));
            put(record, 16, &sequence.checked_add(1).unwrap_or(1).to_le_bytes())?;
            put(record, 22, &(flags & !1).to_le_bytes())
        }
        Operation::WriteEndOfFileRecord => {
            put(record, at + within, data)?;
            put_u32(record, 24, (at + within + data.len()).next_multiple_of(8))
        }
        Operation::ZeroEndOfFileRecord => put(record, at + within, &vec![0; action.length]),
        Operation::CreateAttribute => create(record, at, data),
        Operation::DeleteAttribute => {
            let length = attribute(record, at)?;
            count_link(record, at, false)?;
            splice(record, at, length, &[])
        }
        Operation::UpdateResidentValue => {
            let length = attribute(record, at)?;
            if change.redo.length == change.undo.length {
                inside(within + data.len(), length)?;
                return put(record, at + within, data);
            }
            let value = usize::from(record.u16(at + 20));
            if record.u8(at + 8) != 0 || within < value {
                return Err(NO_ATTRIBUTE);
            }
            replace_end(record, at, within, data)?;
            put_u32(record, at + 16, within + data.len() - value)
        }
        Operation::UpdateMappingPairs => {
            attribute(record, at)?;
            let runs = usize::from(record.u16(at + 32));
            if record.u8(at + 8) == 0 || within < runs {
                return Err(NO_ATTRIBUTE);
            }
            replace_end(record, at, within, data)?;
            let length = attribute(record, at)?;
            let count = clusters(record.get(at + runs..at + length).unwrap_or_default()).ok_or(OUTSIDE)?;
            let last = record.u64(at + 16).wrapping_add(count).wrapping_sub(1);
            put(record, at + 24, &last.to_le_bytes())
        }
        Operation::SetNewAttributeSizes => {
            inside(64, attribute(record, at)?)?;
            if record.u8(at + 8) == 0 || data.len() < 24 {
                return Err(NO_ATTRIBUTE);
            }
            // Descriptions differ in which of the two comes first; no more can be written than there is.
            let (one, other) = (data.u64(8), data.u64(16));
            put(record, at + 40, &data.u64(0).to_le_bytes())?;
            put(record, at + 48, &one.max(other).to_le_bytes())?;
            put(record, at + 56, &one.min(other).to_le_bytes())?;
            // How much is kept of a compressed or sparse one.
            if data.len() >= 32 && usize::from(record.u16(at + 32)) >= 72 {
                put(record, at + 64, &data.u64(24).to_le_bytes())?;
            }
            Ok(())
        }
        _ => {
            let length = attribute(record, at)?;
            let value = usize::from(record.u16(at + 20));
            if record.u32(at) != kind::INDEX_ROOT || record.u8(at + 8) != 0 || value + 32 > length {
                return Err("it changes an index where none is");
            }
            let grown = index::apply(record, at + value + 16, at + within, action, splice)?;
            grow(record, at + 4, grown)?;
            grow(record, at + 16, grown)?;
            // The room of a root is what it has.
            grow(record, at + value + 24, grown)
        }
    }
}

/// The length of the attribute that begins at `at`.
fn attribute(record: &[u8], at: usize) -> Applied<usize> {
    let used = usize::try_from(record.u32(24)).unwrap_or(usize::MAX).min(record.len());
    let mut place = usize::from(record.u16(20));
    while place <= at && place + 24 <= used && record.u32(place) != u32::MAX {
        let length = usize::try_from(record.u32(place + 4)).unwrap_or(0);
        if length < 24 || length > used - place {
            break;
        }
        if place == at {
            return Ok(length);
        }
        place += length;
    }
    Err(NO_ATTRIBUTE)
}

fn create(record: &mut Vec<u8>, at: usize, data: &[u8]) -> Applied {
    let length = usize::try_from(data.u32(4)).unwrap_or(0);
    // In front of another attribute, or of the mark at the end.
    if record.u32(at) != u32::MAX {
        attribute(record, at)?;
    }
    if length < 24 || !length.is_multiple_of(8) {
        return Err("it makes an attribute of a wrong length");
    }
    splice(record, at, 0, data.get(..length).ok_or(OUTSIDE)?)?;
    let number = data.u16(14);
    if record.u16(40) <= number {
        put(record, 40, &number.wrapping_add(1).to_le_bytes())?;
    }
    count_link(record, at, true)
}

/// A name that a folder has is a link.
fn count_link(record: &mut [u8], at: usize, is_more: bool) -> Applied {
    if record.u8(at + 8) != 0 || record.u8(at + 22) & 1 == 0 {
        return Ok(());
    }
    let count = record.u16(18);
    let count = if is_more { count.saturating_add(1) } else { count.saturating_sub(1) };
    put(record, 18, &count.to_le_bytes())
}

/// Replaces what an attribute has from `within` on, and makes it as long as it has to be then.
fn replace_end(record: &mut Vec<u8>, at: usize, within: usize, data: &[u8]) -> Applied {
    let length = attribute(record, at)?;
    let old = length.checked_sub(within).ok_or(OUTSIDE)?;
    let new = (within + data.len()).next_multiple_of(8);
    let mut padded = data.to_vec();
    padded.resize(new - within, 0);
    splice(record, at + within, old, &padded)?;
    put_u32(record, at + 4, new)
}

/// Replaces bytes by others, which may be more or fewer, and moves what follows.
fn splice(record: &mut Vec<u8>, at: usize, length: usize, new: &[u8]) -> Applied {
    let used = usize::try_from(record.u32(24)).unwrap_or(usize::MAX);
    let left = at.checked_add(length).and_then(|end| used.checked_sub(end)).ok_or(OUTSIDE)?;
    let size = record.len();
    if used > size || at + new.len() + left > size {
        return Err(FULL);
    }
    record.splice(at..at + length, new.iter().copied());
    record.resize(size, 0);
    put_u32(record, 24, at + new.len() + left)
}

/// How many clusters the runs describe.
fn clusters(mut runs: &[u8]) -> Option<u64> {
    let mut count = 0_u64;
    while let Some((&head, rest)) = runs.split_first().filter(|(head, _)| **head != 0) {
        let (length, offset) = (usize::from(head & 15), usize::from(head >> 4));
        let number = rest.get(..length).filter(|_| length <= 8)?;
        runs = rest.get(length + offset..)?;
        count = count.checked_add(number.u64(0))?;
    }
    Some(count)
}

pub fn inside(end: usize, length: usize) -> Applied {
    if end <= length { Ok(()) } else { Err(OUTSIDE) }
}

pub fn put(bytes: &mut [u8], at: usize, data: &[u8]) -> Applied {
    let place = at.checked_add(data.len()).and_then(|end| bytes.get_mut(at..end)).ok_or(OUTSIDE)?;
    place.copy_from_slice(data);
    Ok(())
}

pub fn put_u32(bytes: &mut [u8], at: usize, number: usize) -> Applied {
    put(bytes, at, &u32::try_from(number).map_err(|_| OUTSIDE)?.to_le_bytes())
}

/// Adds to a number.
pub fn grow(bytes: &mut [u8], at: usize, by: i32) -> Applied {
    let number = bytes.u32(at).checked_add_signed(by).ok_or(OUTSIDE)?;
    put(bytes, at, &number.to_le_bytes())
}
