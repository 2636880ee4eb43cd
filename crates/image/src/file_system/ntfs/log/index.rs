//! Operations on the entries of an index, in a file record or in a block of its own.

use super::{
    super::super::disk::Fields as _,
    file_record::{Applied, grow, inside, put, put_u32},
    operation::{Action, Operation},
};

/// Where the head of the entries is in a block.
const BLOCK_HEAD: usize = 24;

/// The entry is the last one, which has no name.
const LAST: u16 = 2;

/// The entry has a block below it, whose number is its last eight bytes.
const HAS_BLOCK: u16 = 1;

/// The times, sizes and flags that the entry of a file repeats.
const REPEATED: usize = 56;

/// How bytes are replaced: where, how many, and by which.
type Splice = fn(&mut Vec<u8>, usize, usize, &[u8]) -> Applied;

/// Makes one direction of a change in a block whose sectors are mended.
pub fn apply_to_block(block: &mut Vec<u8>, at: usize, action: &Action<'_>) -> Applied {
    let room = usize::try_from(block.u32(BLOCK_HEAD + 8)).unwrap_or(usize::MAX);
    inside(room, block.len() - BLOCK_HEAD)?;
    if action.operation == Operation::WriteEndOfIndexBuffer {
        entry(block, BLOCK_HEAD, at)?;
        let data = action.data.ok_or("it has no data")?;
        inside(at - BLOCK_HEAD + data.len(), room)?;
        put(block, at, data)?;
        return put_u32(block, BLOCK_HEAD + 4, at - BLOCK_HEAD + data.len());
    }
    apply(block, BLOCK_HEAD, at, action, splice).map(drop)
}

/// Makes one direction of a change in the entries whose head is at `head`; returns how many bytes they have more.
pub fn apply(
    bytes: &mut Vec<u8>,
    head: usize,
    at: usize,
    action: &Action<'_>,
    splice: Splice,
) -> Applied<i32> {
    let length = entry(bytes, head, at)?;
    let flags = bytes.u16(at + 12);
    let data = action.data.ok_or("it has no data")?;
    match action.operation {
        Operation::AddIndexEntryRoot | Operation::AddIndexEntryAllocation => {
            let length = data.u16(8);
            if length < 16 || !length.is_multiple_of(8) {
                return Err("it adds an entry of a wrong length");
            }
            splice(bytes, at, 0, data.get(..length.into()).ok_or("it adds an entry that is cut off")?)?;
            grow(bytes, head + 4, length.into())?;
            return Ok(length.into());
        }
        Operation::DeleteIndexEntryRoot | Operation::DeleteIndexEntryAllocation => {
            if flags & LAST != 0 {
                return Err("it deletes the end of an index");
            }
            splice(bytes, at, length, &[])?;
            let less = -i32::try_from(length).map_err(|_| "an entry is too long")?;
            grow(bytes, head + 4, less)?;
            return Ok(less);
        }
        Operation::SetIndexEntryVcnRoot | Operation::SetIndexEntryVcnAllocation => {
            if flags & HAS_BLOCK == 0 || length < 24 {
                return Err("it moves the block of an entry that has none");
            }
            put(bytes, at + length - 8, data.get(..8).ok_or("it is cut off")?)?;
        }
        Operation::UpdateFileNameRoot | Operation::UpdateFileNameAllocation => {
            inside(24 + REPEATED, length)?;
            if data.len() != REPEATED {
                return Err("it updates another part of a name than Windows does");
            }
            put(bytes, at + 24, data)?;
        }
        Operation::UpdateRecordDataRoot | Operation::UpdateRecordDataAllocation => {
            let place = usize::from(bytes.u16(at));
            inside(place + data.len(), length)?;
            put(bytes, at + place, data)?;
        }
        _ => return Err("it is no operation on an index"),
    }
    Ok(0)
}

/// The length of the entry that begins at `at`.
fn entry(bytes: &[u8], head: usize, at: usize) -> Applied<usize> {
    let used = usize::try_from(bytes.u32(head + 4)).unwrap_or(usize::MAX);
    let end = head.checked_add(used).filter(|&end| end <= bytes.len());
    let mut place = usize::try_from(bytes.u32(head)).ok().and_then(|first| first.checked_add(head));
    while let (Some(start), Some(end)) = (place, end) {
        let length = usize::from(bytes.u16(start + 8));
        if start > at || length < 16 || length > end.saturating_sub(start) {
            break;
        }
        if start == at {
            return Ok(length);
        }
        place = Some(start + length);
    }
    Err("no entry begins where it changes one")
}

/// Replaces bytes of a block by others, and moves the entries that follow.
fn splice(block: &mut Vec<u8>, at: usize, length: usize, new: &[u8]) -> Applied {
    let used = usize::try_from(block.u32(BLOCK_HEAD + 4)).unwrap_or(usize::MAX);
    let room = usize::try_from(block.u32(BLOCK_HEAD + 8)).unwrap_or(usize::MAX);
    inside(used.saturating_add(new.len()).saturating_sub(length), room)?;
    let size = block.len();
    inside(at + length, size)?;
    block.splice(at..at + length, new.iter().copied());
    block.resize(size, 0);
    Ok(())
}
