//! Disks with partition tables, made by `sfdisk` and `fdisk`.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use crate::{
    commands::try_run,
    disks::{put, text},
};

/// Makes a disk of some length with the table that a script of `sfdisk` describes.
///
/// # Panics
/// When `sfdisk` fails.
#[must_use]
pub fn sfdisk(folder: &Path, name: &str, length: u64, script: &str) -> PathBuf {
    let disk = empty(folder, name, length);
    let arguments = ["--quiet", "--no-reread", "--no-tell-kernel", text(&disk)];
    try_run("sfdisk", &arguments, script.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    disk
}

/// Makes a disk of some length, with sectors of 4096 bytes, with the table that commands of `fdisk` make.
///
/// # Panics
/// When `fdisk` fails.
#[must_use]
pub fn fdisk_4096(folder: &Path, name: &str, length: u64, commands: &str) -> PathBuf {
    let disk = empty(folder, name, length);
    let arguments = ["--sector-size", "4096", "--wipe", "never", text(&disk)];
    try_run("fdisk", &arguments, commands.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    disk
}

/// Makes a disk of zeros.
///
/// # Panics
/// When it cannot be written.
#[must_use]
pub fn empty(folder: &Path, name: &str, length: u64) -> PathBuf {
    let disk = folder.join(name);
    File::create(&disk).and_then(|file| file.set_len(length)).expect("a file of that length");
    disk
}

/// Puts an image to a place of a disk.
///
/// # Panics
/// When one cannot be read or the other not be written.
pub fn put_image(disk: &Path, at: u64, image: &Path) {
    put(disk, at, &fs::read(image).expect("an image"));
}
