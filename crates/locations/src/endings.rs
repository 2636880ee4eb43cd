//! What an object is, by its name: looking at the head of each would be a request for each.

/// How disk images and archives end.
const ENDINGS: [&str; 21] = [
    ".img",
    ".raw",
    ".dd",
    ".disk",
    ".iso",
    ".qcow2",
    ".qcow",
    ".vmdk",
    ".vhd",
    ".vhdx",
    ".vdi",
    ".ova",
    ".tar",
    ".tar.gz",
    ".tgz",
    ".tar.zst",
    ".tzst",
    ".tar.xz",
    ".txz",
    ".squashfs",
    ".ext4",
];

/// Whether a name is one of a disk image or an archive.
pub(crate) fn is_image(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending)) && !is_extent(&name)
}

/// Whether a name is one that VMware gives to the extents of a disk, or to what it keeps beside them: they are read with
/// the disk, whose description names them.
fn is_extent(name: &str) -> bool {
    let Some((_, part)) = name.strip_suffix(".vmdk").and_then(|stem| stem.rsplit_once('-')) else {
        return false;
    };
    let is_numbered = |part: &str| part.len() >= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    matches!(part, "flat" | "delta" | "sesparse" | "ctk" | "rdm" | "rdmp")
        || part.strip_prefix(['s', 'f']).is_some_and(is_numbered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_images() {
        for image in
            ["a.qcow2", "A.QCOW2", "x/y.img", "b.tar.gz", "win-s1.vmdk", "web-server.vmdk", "flat.vmdk"]
        {
            assert!(is_image(image), "{image}");
        }
        for other in
            ["a.txt", "qcow2", "a.gz", "disk-flat.vmdk", "disk-s001.vmdk", "disk-f012.VMDK", "disk-ctk.vmdk"]
        {
            assert!(!is_image(other), "{other}");
        }
    }
}
