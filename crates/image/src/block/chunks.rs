//! Reads of disks that are kept in pieces of one size.

use std::io;

/// Takes a read apart at the borders of chunks: `read` gets the number of each chunk, where in it to begin, and what to
/// fill from there.
///
/// # Errors
/// `UnexpectedEof` when the read reaches beyond `length`; those of `read`.
pub(crate) fn by_chunk(
    length: u64,
    chunk: u64,
    offset: u64,
    buffer: &mut [u8],
    mut read: impl FnMut(u64, u64, &mut [u8]) -> io::Result<()>,
) -> io::Result<()> {
    check_end(length, offset, buffer)?;
    let (mut at, mut rest) = (offset, buffer);
    while !rest.is_empty() {
        let within = at % chunk;
        let take = usize::try_from(chunk - within).unwrap_or(usize::MAX).min(rest.len());
        let (part, after) = rest.split_at_mut(take);
        read(at / chunk, within, part)?;
        at += part.len() as u64;
        rest = after;
    }
    Ok(())
}

/// Whether a read stays within the disk.
pub(crate) fn check_end(length: u64, offset: u64, buffer: &[u8]) -> io::Result<()> {
    match offset.checked_add(buffer.len() as u64) {
        Some(end) if end <= length => Ok(()),
        _ => Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("{} bytes at {offset} reach beyond the end at {length}", buffer.len()),
        )),
    }
}
