//! A small tree of files, always the same, with something of everything that file systems keep.

use std::{
    ffi::OsStr,
    fs::{self, File, Permissions},
    io::{Seek as _, SeekFrom, Write as _},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{PermissionsExt as _, symlink},
    },
    path::Path,
};

/// How long the largest file is, in bytes.
pub const LARGE: usize = 5 << 20;

/// How long the file with holes is, in bytes; its last four bytes are `tail`.
pub const SPARSE: u64 = 3 << 20;

/// A name that is not UTF-8.
pub const RAW_NAME: &[u8] = b"caf\xe9";

/// Bytes that look random and are always the same for a seed.
#[must_use]
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Text that packs well and is always the same for a seed.
#[must_use]
pub fn prose(seed: u64, length: usize) -> Vec<u8> {
    const WORDS: [&str; 8] = ["the", "guard", "house", "stands", "at", "its", "gate", "watching\n"];
    let mut bytes = Vec::with_capacity(length + 16);
    for byte in noise(seed, length) {
        if bytes.len() >= length {
            break;
        }
        bytes.extend_from_slice(WORDS[usize::from(byte % 8)].as_bytes());
        bytes.push(b' ');
    }
    bytes.truncate(length);
    bytes
}

/// Makes the tree in an empty folder.
///
/// # Panics
/// When the folder cannot be written to.
pub fn make(folder: &Path) {
    fill(folder).expect("a folder to write to");
}

fn fill(folder: &Path) -> std::io::Result<()> {
    let nested = folder.join("etc/deep/deeper/deepest");
    fs::create_dir_all(&nested)?;
    fs::create_dir_all(folder.join("empty-folder"))?;
    fs::create_dir_all(folder.join("many"))?;
    fs::write(folder.join("etc/os-release"), "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Test tree\"\n")?;
    fs::write(folder.join("etc/hostname"), "gate\n")?;
    fs::write(nested.join("leaf"), b"leaf\n")?;
    fs::write(folder.join("empty"), b"")?;
    fs::write(folder.join("large"), noise(1, LARGE))?;
    fs::write(folder.join("prose"), prose(2, 300_000))?;
    fs::write(folder.join("n".repeat(255)), b"long name\n")?;
    fs::write(folder.join(OsStr::from_bytes(RAW_NAME)), b"raw name\n")?;
    for number in 0..300 {
        fs::write(folder.join(format!("many/file-{number:03}")), prose(number, number as usize * 37))?;
    }
    let mut sparse = File::create(folder.join("sparse"))?;
    sparse.write_all(b"head")?;
    sparse.seek(SeekFrom::Start(SPARSE - 4))?;
    sparse.write_all(b"tail")?;
    symlink("/etc/hostname", folder.join("absolute"))?;
    symlink("etc/hostname", folder.join("relative"))?;
    symlink("../../../../../etc/hostname", folder.join("etc/escaping"))?;
    symlink("nowhere", folder.join("dangling"))?;
    symlink("loop-b", folder.join("loop-a"))?;
    symlink("loop-a", folder.join("loop-b"))?;
    symlink("x/".repeat(500), folder.join("long-link"))?;
    fs::hard_link(folder.join("etc/hostname"), folder.join("hard"))?;
    for (name, mode) in [("setuid", 0o4755), ("secret", 0o600), ("script", 0o755)] {
        fs::write(folder.join(name), format!("#!/bin/sh\n# {name}\n"))?;
        fs::set_permissions(folder.join(name), Permissions::from_mode(mode))?;
    }
    Ok(())
}
