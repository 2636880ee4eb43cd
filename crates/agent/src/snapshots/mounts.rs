//! What is mounted where, as the kernel tells it (`/proc/self/mountinfo`).

use std::{
    collections::BTreeMap,
    ffi::OsString,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
};

/// Where the kernel tells it.
pub const PATH: &str = "/proc/self/mountinfo";

/// A mounted file system, or a folder of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The device, as major and minor number. All subvolumes of one btrfs have the same.
    pub device: (u32, u32),
    /// Which folder of the file system is mounted; of btrfs: counted from its top.
    pub root: PathBuf,
    /// Where it is mounted.
    pub mount_point: PathBuf,
    /// The type of the file system.
    pub kind: String,
    /// What was mounted, for people: often a device.
    pub source: String,
    /// The subvolume of btrfs in which `root` lies.
    pub subvolume: Option<PathBuf>,
}

/// Reads what the kernel tells: what can be seen at each mount point, those nearer to the root first. Lines that are none
/// are passed over.
#[must_use]
pub fn parse(text: &[u8]) -> Vec<Mount> {
    let mut seen = BTreeMap::new();
    for mount in text.split(|&byte| byte == b'\n').filter_map(line) {
        // A later one hides an earlier one at the same place.
        seen.insert(mount.mount_point.clone(), mount);
    }
    let mut mounts: Vec<Mount> = seen.into_values().collect();
    mounts.sort_by_key(|mount| mount.mount_point.components().count());
    mounts
}

/// The mount in which a path lies, among mounts as [`parse`] answers them.
#[must_use]
pub fn of<'a>(mounts: &'a [Mount], path: &Path) -> Option<&'a Mount> {
    mounts.iter().rfind(|mount| path.starts_with(&mount.mount_point))
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
fn line(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|&byte| byte == b' ');
    let (major, minor) = str::from_utf8(fields.nth(2)?).ok()?.split_once(':')?;
    let root = path(fields.next()?);
    let mount_point = path(fields.next()?);
    // Optional fields come in any number, up to a dash.
    fields.find(|field| *field == b"-")?;
    let kind = text(fields.next()?);
    let source = text(fields.next().unwrap_or_default());
    let options = fields.next().unwrap_or_default().split(|&byte| byte == b',');
    let subvolume = options.filter_map(|option| option.strip_prefix(b"subvol=")).next_back().map(path);
    let device = (major.parse().ok()?, minor.parse().ok()?);
    Some(Mount { device, root, mount_point, kind, source, subvolume })
}

fn path(field: &[u8]) -> PathBuf {
    OsString::from_vec(unescape(field)).into()
}

fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(&unescape(field)).into_owned()
}

/// The kernel writes spaces, tabs, line feeds and backslashes as a backslash and three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, behind)) = rest.split_first() {
        let octal = behind.get(..3).filter(|_| first == b'\\');
        let value = octal.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 8).ok());
        plain.push(value.unwrap_or(first));
        rest = if value.is_some() { behind.get(3..).unwrap_or_default() } else { behind };
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_tells() {
        let text = br"22 1 253:0 / / rw,relatime shared:1 - ext4 /dev/mapper/vg0-root rw,errors=remount-ro
24 22 0:5 / /dev rw - devtmpfs udev rw
25 22 8:1 / /boot rw,relatime shared:2 master:7 - ext2 /dev/sda1 rw
30 22 0:31 /@home /home rw - btrfs /dev/sdb1 rw,space_cache=v2,subvolid=257,subvol=/@home
31 22 253:1 /a\040b /srv/with\040space\134 rw - xfs /dev/mapper/vg0-srv rw
32 22 0:40 / /boot rw - tmpfs none rw
nonsense
33 22 8:x / /y rw - ext4 /dev/y rw
";
        let found = parse(text);
        let points: Vec<&str> = found.iter().filter_map(|mount| mount.mount_point.to_str()).collect();
        assert_eq!(points, ["/", "/boot", "/dev", "/home", "/srv/with space\\"]);
        assert_eq!(found[1].kind, "tmpfs", "the later one is seen");
        let root = Mount {
            device: (253, 0),
            root: "/".into(),
            mount_point: "/".into(),
            kind: "ext4".to_owned(),
            source: "/dev/mapper/vg0-root".to_owned(),
            subvolume: None,
        };
        assert_eq!(found[0], root);
        assert_eq!(
            (found[3].root.as_path(), found[3].subvolume.as_deref()),
            ("/@home".as_ref(), Some("/@home".as_ref()))
        );
        assert_eq!(found[4].root, Path::new("/a b"));
        let lies_in = |path: &str| of(&found, Path::new(path)).map(|mount| mount.kind.as_str());
        assert_eq!(
            [lies_in("/var/lib"), lies_in("/home/x"), lies_in("/homes")],
            [Some("ext4"), Some("btrfs"), Some("ext4")]
        );
    }
}
