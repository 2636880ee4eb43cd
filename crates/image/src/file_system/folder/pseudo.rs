//! File systems that the kernel makes up: their files are no part of a system, and to read some of them does something.

use std::{
    fs,
    os::{fd::AsFd, unix::ffi::OsStrExt},
    path::Path,
};

use crate::path::Escaped;

/// Their magic numbers, from `linux/magic.h`, and how `mountinfo` calls them.
const KINDS: [(u64, &str); 19] = [
    (0x9fa0, "proc"),
    (0x6265_6572, "sysfs"),
    (0x0027_e0eb, "cgroup"),
    (0x6367_7270, "cgroup2"),
    (0x1cd1, "devpts"),
    (0x6462_6720, "debugfs"),
    (0x7472_6163, "tracefs"),
    (0x7363_6673, "securityfs"),
    (0xcafe_4a11, "bpf"),
    (0x6265_6570, "configfs"),
    (0xde5e_81e4, "efivarfs"),
    (0x6165_676c, "pstore"),
    (0xf97c_ff8c, "selinuxfs"),
    (0x6573_5543, "fusectl"),
    (0x6e73_6673, "nsfs"),
    (0x4249_4e4d, "binfmt_misc"),
    (0x0187, "autofs"),
    (0x1980_0202, "mqueue"),
    (0x6759_6969, "rpc_pipefs"),
];

/// How many mounts are named in a note.
const NAMED: usize = 8;

/// Whether an open folder lies on one of them.
pub(super) fn is_pseudo(folder: impl AsFd) -> bool {
    let Ok(status) = rustix::fs::fstatfs(folder) else { return false };
    // The type of the field has a sign on some machines; the numbers have 32 bits.
    KINDS.iter().any(|&(magic, _)| magic == (status.f_type as u64) & 0xffff_ffff)
}

/// A note about those that are mounted below a folder; `None` when there are none.
pub(super) fn mounts_below(folder: &Path) -> Option<String> {
    let folder = fs::canonicalize(folder).ok()?;
    let Ok(mounts) = fs::read("/proc/self/mountinfo") else {
        return Some("file systems of the kernel, such as /proc, are not read".to_owned());
    };
    let mut below: Vec<String> = mounts
        .split(|&byte| byte == b'\n')
        .filter_map(pseudo_mount)
        .filter(|at| Path::new(std::ffi::OsStr::from_bytes(at)).starts_with(&folder))
        .map(|at| Escaped(&at).to_string())
        .collect();
    below.sort();
    below.dedup();
    let more = match below.len() {
        0 => return None,
        count if count > NAMED => format!(" and {} more", count - NAMED),
        _ => String::new(),
    };
    below.truncate(NAMED);
    Some(format!("file systems of the kernel are not read: {}{more}", below.join(", ")))
}

/// Where a line of `mountinfo` mounts a file system of the kernel: `36 35 98:0 / /mnt rw shared:1 - ext4 /dev/sda rw`.
fn pseudo_mount(line: &[u8]) -> Option<Vec<u8>> {
    let mut fields = line.split(|&byte| byte == b' ');
    let at = fields.nth(4)?;
    let kind = fields.skip_while(|&field| field != b"-").nth(1)?;
    KINDS.iter().any(|(_, name)| name.as_bytes() == kind).then(|| crate::tree::unescape_octal(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_mountinfo_are_read() {
        let line = b"23 60 0:22 / /a\\040b/proc rw,nosuid shared:14 - proc proc rw";
        assert_eq!(pseudo_mount(line).as_deref(), Some(b"/a b/proc".as_slice()));
        assert_eq!(pseudo_mount(b"60 1 254:1 / / rw shared:1 - ext4 /dev/vda1 rw"), None);
        assert_eq!(pseudo_mount(b""), None);
    }
}
