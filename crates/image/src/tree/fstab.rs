//! `/etc/fstab`, as `fstab(5)` describes it.

use crate::path::FilePath;

/// How many lines are read: real ones have a few dozen.
const LINES: usize = 1000;

/// A line of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Which device, as it is written: `UUID=…`, `/dev/vg0/root`.
    pub device: Vec<u8>,
    /// The folder.
    pub at: FilePath,
    /// The kind of file system.
    pub kind: Vec<u8>,
    /// Its options.
    pub options: Vec<Vec<u8>>,
}

impl Line {
    /// The value of an option: `subvol=/@` has `/@`. The last one counts, as for mount.
    pub fn option(&self, name: &str) -> Option<&[u8]> {
        let values = self.options.iter().rev();
        values.filter_map(|option| option.strip_prefix(name.as_bytes())?.strip_prefix(b"=")).next()
    }

    /// Whether it has an option without a value.
    pub fn has(&self, name: &str) -> bool {
        self.options.iter().any(|option| option == name.as_bytes())
    }

    /// Whether it shows a folder of the system in another place.
    pub fn is_bind(&self) -> bool {
        self.has("bind") || self.has("rbind")
    }

    /// Whether its file system is mounted without somebody asking for it by hand.
    pub fn is_automatic(&self) -> bool {
        !self.has("noauto") || self.has("x-systemd.automount")
    }
}

/// The lines that mount something into the tree: neither comments nor swap. What is no line is left out, as mount does.
pub(super) fn parse(bytes: &[u8]) -> Vec<Line> {
    bytes.split(|&byte| byte == b'\n').take(LINES).filter_map(line).collect()
}

fn line(line: &[u8]) -> Option<Line> {
    let mut fields = line
        .split(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
        .filter(|field| !field.is_empty())
        .map(unescape_octal);
    let device = fields.next().filter(|device| !device.starts_with(b"#"))?;
    let at = fields.next().filter(|at| at.starts_with(b"/"))?;
    let kind = fields.next()?;
    if kind == b"swap" || kind == b"ignore" {
        return None;
    }
    let options = fields.next().unwrap_or_default();
    let options = options.split(|&byte| byte == b',').filter(|option| !option.is_empty());
    Some(Line { device, at: FilePath::new(&at), kind, options: options.map(<[u8]>::to_vec).collect() })
}

/// `\040` and its like as the bytes they stand for, in fstab and in `mountinfo`.
pub(crate) fn unescape_octal(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..3).filter(|_| first == b'\\').and_then(|digits| {
            let text = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'))?;
            u8::from_str_radix(text, 8).ok()
        });
        match code {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use guardhouse_test_images::seeds::keep;
    use proptest::prelude::*;

    use super::*;

    const FILE: &[u8] = b"# /etc/fstab\n\
        UUID=0a-1b\t/  ext4 errors=remount-ro 0 1\r\n\
        /dev/sda5 none swap sw 0 0\n\
        /dev/sda6 swap swap\n\
        LABEL=my\\040data /srv/my\\040data btrfs subvol=a,subvol=/b,noauto,x-systemd.automount 0 0\n\
        /srv/x /var/../y none rbind\n\
        nonsense\n";

    #[test]
    fn seeds_of_fstab_are_read() {
        let lines = parse(FILE);
        keep("fstab", "fstab", FILE);
        let paths: Vec<String> = lines.iter().map(|line| line.at.to_string()).collect();
        assert_eq!(paths, ["/", "/srv/my data", "/y"]);
        assert_eq!(lines[1].device, b"LABEL=my data");
        assert_eq!(lines[1].option("subvol"), Some(b"/b".as_slice()));
        assert!(lines[1].is_automatic() && lines[2].is_bind() && !lines[0].is_bind());
    }

    #[test]
    fn only_octal_escapes_are_escapes() {
        for (written, read) in [
            ("a\\040b", "a b"),
            ("a\\", "a\\"),
            ("\\04", "\\04"),
            ("\\+40", "\\+40"),
            ("\\777", "\\777"),
            ("\\134040", "\\040"),
        ] {
            assert_eq!(unescape_octal(written.as_bytes()), read.as_bytes(), "{written}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_much(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            crate::tree::fuzzing::files(&bytes);
        }
    }
}
