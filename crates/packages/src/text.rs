//! Bytes as text.

use crate::{Input, ParseError};

/// Lock files of the largest public projects have about 10 MB.
pub(crate) const LOCK_AT_MOST: u64 = 64 << 20;
/// Manifests and metadata of a single package.
pub(crate) const MANIFEST_AT_MOST: u64 = 4 << 20;

/// The whole file as text: UTF-8, or UTF-16 where a byte order mark says so. What is not valid is replaced.
///
/// # Errors
/// See [`Input::bytes`].
pub(crate) fn read(input: &mut Input<'_>, at_most: u64) -> Result<String, ParseError> {
    Ok(decode(input.bytes(at_most)?))
}

/// The first `at_most` bytes, or all where there are less.
///
/// # Errors
/// What the source says.
pub(crate) fn beginning(input: &mut Input<'_>, at_most: usize) -> Result<Vec<u8>, ParseError> {
    let length = usize::try_from(input.source.len()).unwrap_or(usize::MAX).min(at_most);
    let mut bytes = vec![0; length];
    let mut filled: usize = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.source.read_at(filled as u64, rest)? {
            0 => break,
            read => filled = filled.saturating_add(read),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// See [`read`].
pub(crate) fn decode(bytes: Vec<u8>) -> String {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let units = bytes.get(2..).unwrap_or_default().chunks_exact(2);
        char::decode_utf16(units.filter_map(|pair| Some(unit(pair.try_into().ok()?))))
            .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    };
    match bytes.as_slice() {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

/// Bytes of UTF-8 without the byte order mark that editors on Windows put there.
pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn a_byte_order_mark_decides() {
        for (bytes, text) in [
            (&b"a\xc3\xa9"[..], "aé"),
            (b"\xef\xbb\xbfa", "a"),
            (b"\xff\xfea\0\xe9\0", "aé"),
            (b"\xfe\xff\0a\0\xe9", "aé"),
            (b"\xff\xfea\0b", "a"),
            (b"a\xff", "a\u{fffd}"),
            (b"", ""),
        ] {
            assert_eq!(decode(bytes.to_vec()), text);
        }
    }
}
