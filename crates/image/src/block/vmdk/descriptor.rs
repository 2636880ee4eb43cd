//! The text that says what a disk of VMware consists of.

use super::{ContainerError, WHAT};

/// How many extents a disk has at most: the largest disk, 64 TiB, in extents of 2 GiB.
const EXTENTS: usize = 32_768;

const TITLE: &[u8] = b"# Disk DescriptorFile";

/// Whether a file is a descriptor.
pub(crate) fn is_descriptor(head: &[u8]) -> bool {
    head.get(..TITLE.len()).is_some_and(|title| title.eq_ignore_ascii_case(TITLE))
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Descriptor {
    /// The disk below, for one that only holds differences; its number where it has no name.
    pub(super) parent: Option<String>,
    pub(super) extents: Vec<Extent>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) sectors: u64,
    pub(super) kind: ExtentKind,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum ExtentKind {
    Zero,
    Flat {
        file: Vec<u8>,
        /// In sectors.
        offset: u64,
    },
    Sparse {
        file: Vec<u8>,
    },
    /// One that is not read, by its name.
    Other(String),
}

impl Descriptor {
    /// Reads a descriptor; one inside an extent ends at the first zero byte.
    pub(super) fn read(text: &[u8]) -> Result<Self, ContainerError> {
        let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
        let mut descriptor = Self::default();
        let (mut parent_id, mut parent_name) = (None, None);
        for line in text.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii) {
            if let Some(value) = setting(line, b"parentCID") {
                parent_id = Some(value).filter(|value| !value.eq_ignore_ascii_case("ffffffff"));
            } else if let Some(value) = setting(line, b"parentFileNameHint") {
                parent_name = Some(value);
            } else if let Some(extent) = extent(line) {
                if descriptor.extents.len() == EXTENTS {
                    return Err(ContainerError::damaged(WHAT, format!("more than {EXTENTS} extents")));
                }
                descriptor.extents.push(extent?);
            }
        }
        descriptor.parent = parent_id.map(|id| parent_name.unwrap_or(id));
        Ok(descriptor)
    }
}

/// The value in a line `name = "value"`.
fn setting(line: &[u8], name: &[u8]) -> Option<String> {
    let at = line.iter().position(|&byte| byte == b'=')?;
    let (key, value) = (line.get(..at)?.trim_ascii(), line.get(at + 1..)?.trim_ascii());
    let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
    key.eq_ignore_ascii_case(name).then(|| String::from_utf8_lossy(value).into_owned())
}

/// Reads a line such as `RW 4192256 FLAT "disk-f001.vmdk" 0`; `None` for a line of another kind.
fn extent(line: &[u8]) -> Option<Result<Extent, ContainerError>> {
    let mut words = line.splitn(4, u8::is_ascii_whitespace);
    let access = words.next()?;
    if !matches!(access, b"RW" | b"RDONLY" | b"NOACCESS") {
        return None;
    }
    let (sectors, kind, rest) =
        (words.next().unwrap_or_default(), words.next().unwrap_or_default(), words.next());
    let mut rest = rest.unwrap_or_default().splitn(3, |&byte| byte == b'"').skip(1);
    let file = rest.next().unwrap_or_default().to_vec();
    let offset = rest.next().unwrap_or_default().trim_ascii();
    let offset = if offset.is_empty() { Some(0) } else { number(offset) };
    let kind = match (kind, offset) {
        (b"ZERO", _) => ExtentKind::Zero,
        (b"FLAT" | b"VMFS", Some(offset)) if !file.is_empty() => ExtentKind::Flat { file, offset },
        (b"SPARSE", _) if !file.is_empty() => ExtentKind::Sparse { file },
        (other, _) => ExtentKind::Other(String::from_utf8_lossy(other).into_owned()),
    };
    Some(match number(sectors) {
        Some(sectors) => Ok(Extent { sectors, kind }),
        None => Err(ContainerError::damaged(WHAT, "an extent without a number of sectors")),
    })
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_names_its_extents() {
        let text = b"# Disk DescriptorFile\nversion=1\nCID=7\nparentCID=ffffffff\ncreateType=\"custom\"\r\n\
            # Extent description\nRW 10 FLAT \"a b.vmdk\" 63\nRDONLY 20 SPARSE \"c.vmdk\"\nRW 30 ZERO\n\
            RW 40 SESPARSE \"d.vmdk\"\nddb.adapterType = \"ide\"\n\0RW 50 ZERO";
        let extent = |sectors, kind| Extent { sectors, kind };
        let read = Descriptor::read(text).expect("a descriptor");
        assert_eq!(read.parent, None);
        assert_eq!(
            read.extents,
            [
                extent(10, ExtentKind::Flat { file: b"a b.vmdk".to_vec(), offset: 63 }),
                extent(20, ExtentKind::Sparse { file: b"c.vmdk".to_vec() }),
                extent(30, ExtentKind::Zero),
                extent(40, ExtentKind::Other("SESPARSE".to_owned())),
            ]
        );
    }

    #[test]
    fn a_snapshot_names_its_parent() {
        let read = Descriptor::read(b"parentCID=12345678\nparentFileNameHint=\"base.vmdk\"\n")
            .expect("a descriptor");
        assert_eq!(read.parent.as_deref(), Some("base.vmdk"));
    }

    #[test]
    fn an_extent_needs_a_length() {
        Descriptor::read(b"RW many FLAT \"a\" 0").expect_err("no number");
    }
}
