//! Which volume a line of fstab means.

use std::sync::Arc;

use crate::{file_system::FileSystem, volume::Volume};

/// A volume with files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub volume: &'a Volume,
    pub file_system: &'a Arc<dyn FileSystem>,
}

/// How a line of fstab names its device.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Name {
    Uuid(String),
    Label(String),
    PartitionUuid(String),
    PartitionLabel(String),
    /// Volume group and logical volume.
    Logical(String, String),
    /// The number of a partition, of whichever disk.
    Partition(u32),
    /// Another way.
    Unknown,
}

impl Name {
    /// Reads it as `fstab(5)` describes it, and the names that udev gives.
    pub fn parse(device: &[u8]) -> Self {
        let text = String::from_utf8_lossy(device);
        if let Some((key, value)) = text.split_once('=') {
            let value = value.trim_matches(['"', '\'']).to_owned();
            return match key {
                "UUID" => Self::Uuid(value),
                "LABEL" => Self::Label(value),
                "PARTUUID" => Self::PartitionUuid(value),
                "PARTLABEL" => Self::PartitionLabel(value),
                _ => Self::Unknown,
            };
        }
        let Some(path) = text.strip_prefix("/dev/") else { return Self::Unknown };
        match path.split('/').collect::<Vec<_>>().as_slice() {
            ["disk", "by-uuid", value] => Self::Uuid(unescape_hex(value)),
            ["disk", "by-label", value] => Self::Label(unescape_hex(value)),
            ["disk", "by-partuuid", value] => Self::PartitionUuid(unescape_hex(value)),
            ["disk", "by-partlabel", value] => Self::PartitionLabel(unescape_hex(value)),
            ["mapper", name] => match split_mapper(name) {
                Some((group, volume)) => Self::Logical(group, volume),
                None => Self::Unknown,
            },
            [name] => partition_number(name).map_or(Self::Unknown, Self::Partition),
            [group, volume] => Self::Logical((*group).to_owned(), (*volume).to_owned()),
            _ => Self::Unknown,
        }
    }

    /// The volumes that bear the name, by their numbers.
    pub fn find(&self, parts: &[Part<'_>]) -> Vec<usize> {
        let bears = |part: &Part<'_>| match self {
            Self::Uuid(uuid) => same(part.file_system.uuid(), uuid),
            Self::Label(label) => !label.is_empty() && part.file_system.label() == label,
            Self::PartitionUuid(uuid) => same(&part.volume.partition_uuid, uuid),
            Self::PartitionLabel(label) => !label.is_empty() && part.volume.partition_label == *label,
            Self::Logical(group, volume) => part.volume.place == format!("logical volume {group}/{volume}"),
            Self::Partition(number) => part.volume.place == format!("partition {number}"),
            Self::Unknown => false,
        };
        parts.iter().enumerate().filter(|(_, part)| bears(part)).map(|(index, _)| index).collect()
    }
}

/// Whether a volume has this id; none has the empty one.
fn same(has: &str, wanted: &str) -> bool {
    !wanted.is_empty() && has.eq_ignore_ascii_case(wanted)
}

/// `vg-lv` of the device mapper: a dash in one of the names is doubled.
fn split_mapper(name: &str) -> Option<(String, String)> {
    let mut parts = vec![String::new()];
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '-' && characters.next_if_eq(&'-').is_none() {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    match <[String; 2]>::try_from(parts) {
        Ok([group, volume]) if !group.is_empty() && !volume.is_empty() => Some((group, volume)),
        _ => None,
    }
}

/// `sda1`, `vdb2`, `xvda3`, `hda4`, `nvme0n1p5`, `mmcblk0p6`.
fn partition_number(name: &str) -> Option<u32> {
    let digits = name.len() - name.trim_end_matches(|last: char| last.is_ascii_digit()).len();
    let (disk, number) = name.split_at_checked(name.len().checked_sub(digits)?)?;
    let letters = |prefix: &str| {
        let rest = disk.strip_prefix(prefix)?;
        (!rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_lowercase())).then_some(())
    };
    let numbered =
        |prefix: &str| disk.strip_prefix(prefix)?.strip_suffix('p').filter(|unit| !unit.is_empty());
    let known = ["sd", "vd", "xvd", "hd"].into_iter().any(|prefix| letters(prefix).is_some())
        || ["nvme", "mmcblk", "loop", "nbd"].into_iter().any(|prefix| numbered(prefix).is_some());
    number.parse().ok().filter(|&number| known && number > 0)
}

/// `\x20` of udev's names as a space.
fn unescape_hex(text: &str) -> String {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend_from_slice(part.get(2..).unwrap_or_default().as_bytes());
            }
            None => bytes.extend_from_slice(&[b"\\x", part.as_bytes()].concat()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_devices_are_read() {
        let text = str::to_owned;
        for (written, read) in [
            ("UUID=\"0A1B-22\"", Name::Uuid(text("0A1B-22"))),
            ("LABEL=my data", Name::Label(text("my data"))),
            ("PARTUUID=ab-01", Name::PartitionUuid(text("ab-01"))),
            ("/dev/disk/by-label/my\\x20data", Name::Label(text("my data"))),
            ("/dev/mapper/vg0-root", Name::Logical(text("vg0"), text("root"))),
            ("/dev/mapper/my--vg-var--log", Name::Logical(text("my-vg"), text("var-log"))),
            ("/dev/mapper/luks--a", Name::Unknown),
            ("/dev/vg0/root", Name::Logical(text("vg0"), text("root"))),
            ("/dev/sda2", Name::Partition(2)),
            ("/dev/xvda1", Name::Partition(1)),
            ("/dev/nvme0n1p12", Name::Partition(12)),
            ("/dev/nvme0n1", Name::Unknown),
            ("/dev/mmcblk0p1", Name::Partition(1)),
            ("/dev/sda", Name::Unknown),
            ("/dev/cdrom1", Name::Unknown),
            ("server:/share", Name::Unknown),
            ("/dev/sda99999999999999999999", Name::Unknown),
            ("", Name::Unknown),
        ] {
            assert_eq!(Name::parse(written.as_bytes()), read, "{written}");
        }
    }
}
