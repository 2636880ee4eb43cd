//! Programs of this machine.

use std::{ffi::OsStr, fmt::Write as _, path::Path, process::Command};

/// Programs, and the Debian package of each.
const PACKAGES: [(&str, &str); 12] = [
    ("fdisk", "fdisk"),
    ("qemu-img", "qemu-utils"),
    ("qemu-io", "qemu-utils"),
    ("sfdisk", "fdisk"),
    ("sgdisk", "gdisk"),
    ("mkfs.ext4", "e2fsprogs"),
    ("mkswap", "mount"),
    ("pvcreate", "lvm2"),
    ("vgcreate", "lvm2"),
    ("lvcreate", "lvm2"),
    ("losetup", "mount"),
    ("xz", "xz-utils"),
];

/// Runs a program to its end and returns what it wrote.
///
/// # Panics
/// When it is not installed, or fails; with what it says.
pub fn run<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> String {
    try_run(program, arguments, b"").unwrap_or_else(|error| panic!("{error}"))
}

/// Runs a program to its end, with something on its standard input, and returns what it wrote.
///
/// # Errors
/// What it says when it fails.
///
/// # Panics
/// When it is not installed.
pub fn try_run<S: AsRef<OsStr>>(program: &str, arguments: &[S], input: &[u8]) -> Result<String, String> {
    let mut stdin = tempfile::tempfile().expect("a temporary file");
    std::io::Write::write_all(&mut stdin, input).expect("a temporary file");
    std::io::Seek::rewind(&mut stdin).expect("a temporary file");
    let output = Command::new(path(program)).args(arguments).stdin(stdin).env("LC_ALL", "C").output();
    let output = output.unwrap_or_else(|error| {
        let package =
            PACKAGES.iter().find(|(name, _)| *name == program).map_or(program, |(_, package)| package);
        panic!("{program}: {error}; the Debian package {package} has it");
    });
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    write!(text, "{errors}").expect("writes to memory");
    Err(format!(
        "{program} {:?}: {}: {text}",
        arguments.iter().map(AsRef::as_ref).collect::<Vec<_>>(),
        output.status
    ))
}

/// Programs of administrators are not on everybody's search path.
fn path(program: &str) -> std::path::PathBuf {
    let found = ["/usr/sbin", "/sbin"]
        .iter()
        .map(|folder| Path::new(folder).join(program))
        .find(|path| path.exists());
    found.unwrap_or_else(|| program.into())
}
