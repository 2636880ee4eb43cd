//! Disks in their containers, made by `qemu-img`.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use crate::{bytes, commands::run};

/// A container that `qemu-img` writes: what it is called in a test, its format, and how it is written.
#[derive(Clone, Copy, Debug)]
pub struct Container {
    /// The name of the file, with its ending.
    pub name: &'static str,
    /// What `qemu-img` calls the format.
    pub format: &'static str,
    /// Options of the format, with commas.
    pub options: &'static str,
    /// Whether the bytes are compressed.
    pub compressed: bool,
}

const fn container(
    name: &'static str,
    format: &'static str,
    options: &'static str,
    compressed: bool,
) -> Container {
    Container { name, format, options, compressed }
}

/// Containers of one file each.
pub const CONTAINERS: [Container; 19] = [
    container("plain.qcow2", "qcow2", "", false),
    container("version-2.qcow2", "qcow2", "compat=0.10", false),
    container("zlib.qcow2", "qcow2", "", true),
    container("zstd.qcow2", "qcow2", "compression_type=zstd", true),
    container("small.qcow2", "qcow2", "cluster_size=512", false),
    container("small-zlib.qcow2", "qcow2", "cluster_size=512", true),
    container("large.qcow2", "qcow2", "cluster_size=2M", false),
    container("large-zstd.qcow2", "qcow2", "cluster_size=2M,compression_type=zstd", true),
    container("subclusters.qcow2", "qcow2", "extended_l2=on", false),
    container("subclusters-zlib.qcow2", "qcow2", "extended_l2=on", true),
    container("sparse.vmdk", "vmdk", "subformat=monolithicSparse", false),
    container("stream.vmdk", "vmdk", "subformat=streamOptimized", false),
    container("zeroed.vmdk", "vmdk", "subformat=monolithicSparse,zeroed_grain=on", false),
    container("dynamic.vhd", "vpc", "subformat=dynamic,force_size=on", false),
    container("fixed.vhd", "vpc", "subformat=fixed,force_size=on", false),
    container("dynamic.vhdx", "vhdx", "subformat=dynamic", false),
    container("fixed.vhdx", "vhdx", "subformat=fixed,block_size=1M", false),
    container("dynamic.vdi", "vdi", "", false),
    container("static.vdi", "vdi", "static=on", false),
];

/// A disk with bytes of several kinds: some that do not shrink, some that do, zeros, and a beginning that no detection
/// takes for something.
///
/// # Panics
/// When it cannot be written.
#[must_use]
pub fn mixed(folder: &Path, name: &str, length: u64) -> PathBuf {
    let path = folder.join(name);
    let file = File::create(&path).expect("a file");
    file.set_len(length).expect("a file of that length");
    file.write_all_at(b"\xfa mixed", 0).expect("writes");
    for (number, at) in (0..length).step_by(700_000).enumerate() {
        let bytes = match number % 3 {
            0 => bytes::noise(at, 200_000),
            1 => bytes::prose(at, 300_000),
            _ => continue,
        };
        let room = usize::try_from(length - at).unwrap_or(usize::MAX).min(bytes.len());
        file.write_all_at(&bytes[..room], at + 8)
            .or_else(|_| file.write_all_at(&bytes[..room - 8], at + 8))
            .expect("writes");
    }
    file.set_len(length).expect("a file of that length");
    path
}

/// Puts a disk into a container, in the folder where the disk lies.
///
/// # Panics
/// When `qemu-img` fails.
#[must_use]
pub fn convert(raw: &Path, to: &Container) -> PathBuf {
    let path = raw.with_file_name(to.name);
    let mut arguments = vec!["convert", "-f", "raw", "-O", to.format];
    if to.compressed {
        arguments.push("-c");
    }
    if !to.options.is_empty() {
        arguments.extend(["-o", to.options]);
    }
    arguments.extend([text(raw), text(&path)]);
    run("qemu-img", &arguments);
    path
}

/// A path as an argument.
///
/// # Panics
/// When it is not UTF-8.
#[must_use]
pub fn text(path: &Path) -> &str {
    path.to_str().expect("the path of a temporary file is UTF-8")
}

/// Writes parts of a disk to their places; the disk gets longer when that is needed.
///
/// # Panics
/// When it cannot be written.
pub fn put(disk: &Path, at: u64, bytes: &[u8]) {
    let file = fs::OpenOptions::new().write(true).create(true).truncate(false).open(disk).expect("a file");
    file.write_all_at(bytes, at).expect("writes");
}
