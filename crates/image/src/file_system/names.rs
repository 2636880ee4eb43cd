//! The names of a folder's entries, as they come out of an image.

use std::ops::ControlFlow;

use super::{Entry, FileKind, ReadError};
use crate::limits;

/// Shows the entries of one folder, and lets no name through that is no name.
pub(super) struct Shown<'a> {
    each: &'a mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    shown: u64,
    refused: u64,
    is_stopped: bool,
}

impl<'a> Shown<'a> {
    pub fn new(each: &'a mut dyn FnMut(Entry<'_>) -> ControlFlow<()>) -> Self {
        Self { each, shown: 0, refused: 0, is_stopped: false }
    }

    /// Shows an entry; `.` and `..` are left out silently, what cannot be a name is counted. Breaks when enough was
    /// shown; [`Self::end`] tells why.
    pub fn entry(&mut self, name: &[u8], node: u64, kind: Option<FileKind>) -> ControlFlow<()> {
        match name {
            b"." | b".." => ControlFlow::Continue(()),
            _ if !is_name(name) => {
                self.refused += 1;
                ControlFlow::Continue(())
            }
            _ if self.shown >= limits::FOLDER_ENTRIES => ControlFlow::Break(()),
            _ => {
                self.shown += 1;
                let flow = (self.each)(Entry { name, node, kind });
                self.is_stopped = flow.is_break();
                flow
            }
        }
    }

    /// # Errors
    /// When names were not shown although they were wanted.
    pub fn end(self) -> Result<(), ReadError> {
        if self.is_stopped {
            return Ok(());
        }
        if self.shown >= limits::FOLDER_ENTRIES {
            return Err(ReadError::Limit { what: "entries in a folder", limit: limits::FOLDER_ENTRIES });
        }
        match self.refused {
            0 => Ok(()),
            count => Err(ReadError::Damaged(format!(
                "{count} entries of the folder have names with a slash or a zero byte, or none"
            ))),
        }
    }
}

/// Whether a file can have this name.
pub(super) fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name != b"." && name != b".." && !name.iter().any(|&byte| byte == b'/' || byte == 0)
}

/// The text of a label: without the zeros and spaces that fill its field.
pub(super) fn label(field: &[u8]) -> String {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(field.get(..end).unwrap_or_default()).trim_end().to_owned()
}

/// A UUID as fstab writes it.
pub(crate) fn uuid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().take(16).enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// UTF-16 as bytes: UTF-8, where a half of a surrogate pair that stands alone is three bytes as well (WTF-8), so that
/// different names stay different.
pub(super) fn wtf8(units: impl IntoIterator<Item = u16>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for decoded in char::decode_utf16(units) {
        match decoded {
            Ok(character) => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(half) => {
                let [high, low] = half.unpaired_surrogate().to_be_bytes();
                bytes.extend([0xe0 | high >> 4, 0x80 | (high & 0xf) << 2 | low >> 6, 0x80 | low & 0x3f]);
            }
        }
    }
    bytes
}

/// The opposite of [`wtf8`]; `None` for bytes that it does not make.
pub(super) fn utf16(mut name: &[u8]) -> Option<Vec<u16>> {
    let mut units = Vec::new();
    loop {
        let error = match std::str::from_utf8(name) {
            Ok(text) => {
                units.extend(text.encode_utf16());
                return Some(units);
            }
            Err(error) => error,
        };
        let (valid, rest) = name.split_at_checked(error.valid_up_to())?;
        units.extend(std::str::from_utf8(valid).ok()?.encode_utf16());
        let (&half, rest) = rest.split_first_chunk::<3>()?;
        let [0xed, high @ 0xa0..=0xbf, low @ 0x80..=0xbf] = half else { return None };
        units.push(0xd000 | u16::from(high & 0x3f) << 6 | u16::from(low & 0x3f));
        name = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_pairs_stay_different() {
        assert_eq!(wtf8("a\u{e9}\u{1f600}".encode_utf16()), "a\u{e9}\u{1f600}".as_bytes());
        assert_eq!(wtf8([0xd800]), [0xed, 0xa0, 0x80]);
        assert_eq!(wtf8([0xdfff]), [0xed, 0xbf, 0xbf]);
    }

    #[test]
    fn names_become_units_again() {
        for units in
            [vec![], vec![0x61, 0xd800], vec![0xdfff, 0xd83d, 0xde00, 0xe9], vec![0xd800, 0xd800, 0x7f]]
        {
            assert_eq!(utf16(&wtf8(units.clone())), Some(units));
        }
        for name in [&b"\xff"[..], b"a\xed\xa0", b"\xed\x20\x80", b"\xc3"] {
            assert_eq!(utf16(name), None);
        }
    }

    #[test]
    fn fields_become_texts() {
        assert_eq!(label(b"root\0xyz"), "root");
        assert_eq!(label(b"NO NAME    "), "NO NAME");
        let bytes: Vec<u8> = (0..16).collect();
        assert_eq!(uuid(&bytes), "00010203-0405-0607-0809-0a0b0c0d0e0f");
    }

    #[test]
    fn what_is_no_name_is_told() {
        let mut names = Vec::new();
        let mut each = |entry: Entry<'_>| {
            names.push(entry.name.to_vec());
            ControlFlow::Continue(())
        };
        let mut shown = Shown::new(&mut each);
        for name in [&b"."[..], b"..", b"good", b"../bad", b"", b"zero\0"] {
            assert!(shown.entry(name, 1, None).is_continue());
        }
        assert!(shown.end().is_err_and(|error| error.to_string().starts_with("damaged: 3 entries")));
        assert_eq!(names, [b"good".to_vec()]);
    }
}
