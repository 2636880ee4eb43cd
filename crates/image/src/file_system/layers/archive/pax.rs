//! Extended headers of PAX: lines `length key=value`.

use super::{Part, sparse::MOST};

/// What extended headers say about an entry.
#[derive(Clone, Debug, Default)]
pub(super) struct Extended {
    pub path: Option<Vec<u8>>,
    pub target: Option<Vec<u8>>,
    pub size: Option<u64>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub modified: Option<i64>,
    /// GNU's description of a file with holes: the version of the form, the name, the length, the map of the forms
    /// before 1.0.
    pub sparse_major: Option<u64>,
    pub sparse_minor: Option<u64>,
    pub sparse_name: Option<Vec<u8>>,
    pub sparse_size: Option<u64>,
    pub sparse_map: Vec<Part>,
    offset: Option<u64>,
}

impl Extended {
    /// Adds the lines of a header; a later one wins.
    pub fn read(&mut self, mut bytes: &[u8]) -> Result<(), &'static str> {
        const WRONG: &str = "an extended header has a line that is none";
        while !bytes.is_empty() {
            let space = bytes.iter().position(|&byte| byte == b' ').ok_or(WRONG)?;
            let length = bytes.get(..space).and_then(integer).and_then(|length| usize::try_from(length).ok());
            let record = length.and_then(|length| bytes.get(space + 1..length)).ok_or(WRONG)?;
            let record = record.strip_suffix(b"\n").ok_or(WRONG)?;
            bytes = length.and_then(|length| bytes.get(length..)).unwrap_or_default();
            let equals = record.iter().position(|&byte| byte == b'=').ok_or(WRONG)?;
            let (key, value) = record.split_at(equals);
            self.set(key, value.get(1..).unwrap_or_default())?;
        }
        Ok(())
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), &'static str> {
        let text = || (!value.is_empty()).then(|| value.to_vec());
        let number = || match value {
            b"" => Ok(None),
            _ => integer(value).map(Some).ok_or("an extended header has something else than a number"),
        };
        let small = |number: Option<u64>| number.and_then(|number| u32::try_from(number).ok());
        match key {
            b"path" => self.path = text(),
            b"linkpath" => self.target = text(),
            b"size" => self.size = number()?,
            b"uid" => self.uid = small(number()?),
            b"gid" => self.gid = small(number()?),
            b"mtime" => self.modified = seconds(value),
            b"GNU.sparse.major" => self.sparse_major = number()?,
            b"GNU.sparse.minor" => self.sparse_minor = number()?,
            b"GNU.sparse.name" => self.sparse_name = text(),
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => self.sparse_size = number()?,
            b"GNU.sparse.offset" => self.offset = number()?,
            b"GNU.sparse.numbytes" => {
                if let (Some(at), Some(length)) = (self.offset.take(), number()?) {
                    self.sparse_map.push(Part { at, length });
                }
            }
            b"GNU.sparse.map" => {
                let numbers: Option<Vec<u64>> = value.split(|&byte| byte == b',').map(integer).collect();
                let numbers = numbers.ok_or("the map of a file with holes is none")?;
                self.sparse_map = numbers
                    .chunks_exact(2)
                    .filter_map(|pair| Some(Part { at: *pair.first()?, length: *pair.last()? }))
                    .collect();
            }
            _ => {}
        }
        match self.sparse_map.len() > MOST {
            true => Err("the map of a file with holes is too long"),
            false => Ok(()),
        }
    }

    /// These for all entries, with those for one, which win.
    pub fn with(&self, one: Self) -> Self {
        Self {
            path: one.path.or_else(|| self.path.clone()),
            target: one.target.or_else(|| self.target.clone()),
            size: one.size.or(self.size),
            uid: one.uid.or(self.uid),
            gid: one.gid.or(self.gid),
            modified: one.modified.or(self.modified),
            ..one
        }
    }

    /// Whether the entry has holes.
    pub fn is_sparse(&self) -> bool {
        self.sparse_major.is_some() || self.sparse_size.is_some() || !self.sparse_map.is_empty()
    }
}

/// A number without sign, at most as long as one may be.
pub(super) fn integer(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, &digit| match digit {
        b'0'..=b'9' => value.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

/// `1700000000.25`: the seconds alone.
fn seconds(value: &[u8]) -> Option<i64> {
    let whole = value.split(|&byte| byte == b'.').next()?;
    std::str::from_utf8(whole).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_read() {
        let mut extended = Extended::default();
        let lines = b"15 path=a\nb=c\xff\n20 size=10000000000\n20 mtime=-5.9999999\n11 gid=100\n";
        extended.read(lines).expect("the lines are right");
        assert_eq!(extended.path.as_deref(), Some(b"a\nb=c\xff".as_slice()));
        assert_eq!(
            (extended.size, extended.modified, extended.gid),
            (Some(10_000_000_000), Some(-5), Some(100))
        );
        for wrong in [
            "5 a=b",
            "x a=b\n",
            "99 a=b\n",
            "6 ab\n\n",
            "0 a=b\n",
            "12 size=-100\n",
            "18446744073709551616 a",
        ] {
            assert!(Extended::default().read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_much(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = Extended::default().read(&bytes);
        }
    }
}
