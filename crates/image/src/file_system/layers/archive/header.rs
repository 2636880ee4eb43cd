//! One block of a tar archive as a header: v7, ustar and GNU.

/// Everything in an archive begins at a multiple of this.
pub(super) const BLOCK: u64 = 512;

/// A block.
pub(super) struct Header([u8; BLOCK as usize]);

impl Header {
    pub fn new(block: [u8; BLOCK as usize]) -> Self {
        Self(block)
    }

    /// Another block of the same file: it goes on where the first has no room.
    pub fn field(&self, at: usize, length: usize) -> &[u8] {
        self.0.get(at..).and_then(|rest| rest.get(..length)).unwrap_or_default()
    }

    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|&byte| byte == 0)
    }

    /// Whether its sum is right. Some old programs have added the bytes as signed numbers. To a fuzzer
    /// every sum is right.
    pub fn is_right(&self) -> bool {
        let (mut unsigned, mut signed) = (0_i64, 0_i64);
        for (at, &byte) in self.0.iter().enumerate() {
            let byte = if (148..156).contains(&at) { b' ' } else { byte };
            unsigned += i64::from(byte);
            signed += i64::from(byte.cast_signed());
        }
        cfg!(fuzzing) || number(self.field(148, 8)).is_some_and(|sum| sum == unsigned || sum == signed)
    }

    pub fn kind(&self) -> u8 {
        self.field(156, 1).first().copied().unwrap_or(0)
    }

    /// `None` for what is no number, or a negative one.
    pub fn size(&self) -> Option<u64> {
        number(self.field(124, 12)).and_then(|size| u64::try_from(size).ok())
    }

    pub fn mode(&self) -> u32 {
        small(self.field(100, 8))
    }

    pub fn uid(&self) -> u32 {
        small(self.field(108, 8))
    }

    pub fn gid(&self) -> u32 {
        small(self.field(116, 8))
    }

    pub fn modified(&self) -> i64 {
        number(self.field(136, 12)).unwrap_or(0)
    }

    pub fn path(&self) -> Vec<u8> {
        let name = until_zero(self.field(0, 100));
        // GNU keeps other things where ustar has the first part of the path.
        let prefix = match self.field(257, 8) {
            b"ustar\x0000" => until_zero(self.field(345, 155)),
            _ => b"",
        };
        match prefix {
            b"" => name.to_vec(),
            prefix => [prefix, b"/", name].concat(),
        }
    }

    pub fn target(&self) -> Vec<u8> {
        until_zero(self.field(157, 100)).to_vec()
    }
}

/// A text field.
pub(super) fn until_zero(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// A number field: octal digits between spaces and zeros, or, with the highest bit set, binary. An empty one is 0.
pub(super) fn number(field: &[u8]) -> Option<i64> {
    let (&first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        // The bit below is the sign.
        let start = if first & 0x40 != 0 { i128::from(first) - 0x100 } else { i128::from(first & 0x7f) };
        let value = rest
            .iter()
            .try_fold(start, |value, &byte| value.checked_mul(256).map(|value| value + i128::from(byte)))?;
        return i64::try_from(value).ok();
    }
    let start = field.iter().position(|&byte| byte != b' ' && byte != 0).unwrap_or(field.len());
    let digits = field.get(start..).unwrap_or_default();
    let digits = digits.split(|&byte| byte == b' ' || byte == 0).next().unwrap_or_default();
    digits.iter().try_fold(0_i64, |value, &digit| match digit {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(i64::from(digit - b'0')),
        _ => None,
    })
}

/// An id or a mode; what is none is 0.
fn small(field: &[u8]) -> u32 {
    number(field).and_then(|value| u32::try_from(value).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_binary() {
        for (field, value) in [
            (b"0000644\0".as_slice(), Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"77777777777\0", Some(0o77777777777)),
            (b"\0\0\0\0", Some(0)),
            (b"00008\0", None),
            (b"\x80\0\0\0\0\0\0\x02\0\0\0\0", Some(0x2_0000_0000)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xfe", Some(-2)),
            (b"\x8f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"", None),
        ] {
            assert_eq!(number(field), value, "{field:?}");
        }
    }
}
