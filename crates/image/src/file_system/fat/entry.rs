//! Entries of folders: 32 bytes each; a long name lies in several of them before the entry that it names.

use super::super::{FileKind, Metadata, disk::Fields as _, names::wtf8};

/// How long an entry is, in bytes.
pub const SIZE: usize = 32;

/// The second half of code page 437, which short names are written in where nothing says another one.
const UPPER: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
    αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// What an entry says of a file.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub metadata: Metadata,
    /// The first cluster; 0 for a file without bytes.
    pub cluster: u32,
}

impl Entry {
    pub fn read(bytes: &[u8]) -> Self {
        let is_folder = bytes.u8(11) & 0x10 != 0;
        Self {
            metadata: Metadata {
                kind: if is_folder { FileKind::Folder } else { FileKind::File },
                size: if is_folder { 0 } else { u64::from(bytes.u32(28)) },
                mode: if is_folder { 0o755 } else { 0o644 },
                uid: 0,
                gid: 0,
                modified: seconds(bytes.u16(24), bytes.u16(22)),
            },
            cluster: u32::from(bytes.u16(26)) | u32::from(bytes.u16(20)) << 16,
        }
    }
}

/// The long name that has been read so far, from its end on.
#[derive(Debug, Default)]
pub struct LongName {
    units: Vec<u16>,
    next: u8,
    sum: u8,
}

impl LongName {
    /// Takes the next part.
    pub fn part(&mut self, bytes: &[u8]) {
        let order = bytes.u8(0);
        if order & 0x40 != 0 {
            *self = Self { units: Vec::new(), next: order & 0x3f, sum: bytes.u8(13) };
        }
        if order & 0x3f != self.next || self.next == 0 || self.next > 20 || bytes.u8(13) != self.sum {
            *self = Self::default();
            return;
        }
        self.next -= 1;
        let places = (1..11).step_by(2).chain((14..26).step_by(2)).chain((28..32).step_by(2));
        let units = places.map(|at| bytes.u16(at)).take_while(|&unit| unit != 0);
        self.units.splice(0..0, units);
    }

    /// The name of the entry that ends the parts: the long one when it is whole and belongs to this entry.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        let name = std::mem::take(self);
        let sum = bytes.iter().take(11).fold(0_u8, |sum, &byte| sum.rotate_right(1).wrapping_add(byte));
        if name.next == 0 && sum == name.sum && !name.units.is_empty() {
            return wtf8(name.units);
        }
        short(bytes)
    }
}

/// The short name: eight characters and three, filled with spaces; two bits say whether they are small letters.
fn short(bytes: &[u8]) -> Vec<u8> {
    let part = |from: usize, to: usize, small: u8| {
        let part = bytes.get(from..to).unwrap_or_default();
        let end = part.iter().rposition(|&byte| byte != b' ').map_or(0, |at| at + 1);
        let mut text = String::new();
        for (at, &byte) in part.iter().take(end).enumerate() {
            // The first byte of a deleted entry is 0xe5: a name that begins with it is written with 5.
            let byte = if from + at == 0 && byte == 5 { 0xe5 } else { byte };
            let character = match byte.checked_sub(0x80) {
                Some(upper) => UPPER.chars().nth(upper.into()).unwrap_or('\u{fffd}'),
                None => char::from(byte),
            };
            text.push(if bytes.u8(12) & small != 0 { character.to_ascii_lowercase() } else { character });
        }
        text
    };
    let (name, extension) = (part(0, 8, 0x8), part(8, 11, 0x10));
    if extension.is_empty() { name.into_bytes() } else { format!("{name}.{extension}").into_bytes() }
}

/// The seconds since 1970 of a date and a time, which have no zone: they are taken for UTC.
fn seconds(date: u16, time: u16) -> i64 {
    let (year, month, day) =
        (1980 + i64::from(date >> 9), i64::from(date >> 5 & 0xf), i64::from(date & 0x1f));
    if !(1..=12).contains(&month) || day == 0 {
        return 0;
    }
    // Days since the first of March of the year 0, so that the day of the leap year comes last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468;
    days * 86_400
        + i64::from(time >> 11) * 3600
        + i64::from(time >> 5 & 0x3f) * 60
        + i64::from(time & 0x1f) * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days() {
        for (date, time, expected) in [
            (0x0021, 0, 315_532_800),                                      // 1980-01-01
            (20 << 9 | 2 << 5 | 29, 23 << 11 | 59 << 5 | 29, 951_868_798), // 2000-02-29 23:59:58
            (46 << 9 | 11 << 5 | 22, 12 << 11, 1_795_348_800),             // 2026-11-22 12:00
            (0, 0, 0),
        ] {
            assert_eq!(seconds(date, time), expected, "{date:#x} {time:#x}");
        }
    }

    #[test]
    fn short_names_have_small_letters_and_a_code_page() {
        assert_eq!(short(b"README  TXT\0\0"), b"README.TXT");
        assert_eq!(short(b"README  TXT\0\x18"), b"readme.txt");
        assert_eq!(short(b"\x05\x81      C  \0\0"), "\u{3c3}\u{fc}.C".as_bytes());
        assert_eq!(UPPER.chars().count(), 128);
    }
}
