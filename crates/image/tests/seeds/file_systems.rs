use std::{fs, io::Read as _, os::unix::fs::FileExt as _, path::Path, sync::Arc};

use guardhouse_image::{
    file_system::{Kind, open},
    fuzzing::{self, KINDS, Memory, Sparse},
};
use guardhouse_test_images::{
    file_systems::{self as images, Image},
    ntfs_log,
    seeds::keep,
};
use tempfile::TempDir;

/// A small folder with files of every kind that the layout of file systems tells apart.
pub fn source(unix: bool) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let write = |name: &str, bytes: &[u8]| {
        let path = root.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("written");
    };
    write("etc/os-release", b"ID=debian\nVERSION_ID=12\n");
    write("etc/fstab", b"UUID=01234567-89ab-cdef-0123-456789abcdef / auto defaults 0 0\n");
    write("tiny", b"1");
    write("text", "the quick brown fox jumps over the lazy dog\n".repeat(300).as_bytes());
    write("Gr\u{fc}\u{df}e", b"names");
    write("a/b/c/deep", b"here");
    for number in 0..12 {
        write(&format!("many/a file with the number {number:06}"), b"");
    }
    let sparse = fs::File::create(root.join("sparse")).expect("a file");
    sparse.write_all_at(b"begin", 0).expect("written");
    sparse.write_all_at(b"end", 70_000).expect("written");
    if unix {
        std::os::unix::fs::symlink("etc/os-release", root.join("short-link")).expect("a link");
        std::os::unix::fs::symlink(format!("/{}", "long/".repeat(40)), root.join("long-link"))
            .expect("a link");
        fs::hard_link(root.join("text"), root.join("second-name")).expect("a link");
    }
    folder
}

fn seed(kind: Kind, name: &str, image: &Image) {
    let mut bytes = Vec::new();
    fs::File::open(&image.path).and_then(|mut file| file.read_to_end(&mut bytes)).expect("the image");
    if kind == Kind::Ntfs {
        shorten_log(&mut bytes);
    }
    let sparse = Sparse::encode(&bytes);
    let file_system = open(kind, Arc::new(Memory(bytes))).expect("a file system");
    assert_eq!(file_system.notes().len(), usize::from(name.ends_with("journal")), "{name}");
    let decoded = Sparse::decode(&sparse).expect("a disk");
    fuzzing::file_system(kind, Arc::new(decoded));
    assert!(sparse.len() < 1 << 20, "{name} has {} bytes", sparse.len());
    let number = KINDS.iter().position(|known| *known == kind).expect("a kind");
    keep("file_systems", name, &[&[u8::try_from(number).expect("a few")], &*sparse].concat());
}

/// A log that was never used is filled with ones, which would be most of the disk. Its beginning says that it is empty.
fn shorten_log(bytes: &mut [u8]) {
    bytes.chunks_exact_mut(512).filter(|sector| sector.iter().all(|&byte| byte == 0xff)).skip(32).for_each(
        |sector| {
            sector.fill(0);
        },
    );
}

#[test]
fn seeds_of_ext_are_read() {
    let source = source(true);
    for (name, program, arguments) in [
        ("ext2", "mkfs.ext2", &["-b", "1024"][..]),
        ("ext2-4096", "mkfs.ext2", &["-b", "4096", "-O", "none,filetype", "-I", "128"]),
        ("ext3", "mkfs.ext3", &["-b", "1024", "-J", "size=1"]),
        ("ext4", "mkfs.ext4", &["-b", "1024", "-O", "^metadata_csum,inline_data", "-J", "size=1"]),
        ("ext4-checksums", "mkfs.ext4", &["-b", "1024", "-O", "metadata_csum,64bit", "-J", "size=1"]),
        (
            "ext4-clusters",
            "mkfs.ext4",
            &["-O", "bigalloc,ea_inode,^has_journal,^metadata_csum", "-C", "16384"],
        ),
    ] {
        seed(Kind::Ext, name, &images::ext(program, arguments, source.path(), 4));
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("file"), [b'A'; 4096]).expect("written");
    for (features, open_journal) in
        [("metadata_csum", "jo -c -v 2"), ("^metadata_csum", "jo"), ("^64bit", "jo")]
    {
        let image = images::ext("mkfs.ext4", &["-b", "4096", "-O", features], folder.path(), 16);
        write_journal(&image, open_journal);
        seed(Kind::Ext, &format!("ext4-{features}-journal"), &image);
    }
}

/// Leaves a transaction with a block and one that revokes another in the journal.
fn write_journal(image: &Image, open_journal: &str) {
    let block = images::run("e2fsprogs", "debugfs", &["-R", "blocks /file", image.name()]);
    let (data, commands) = (image.folder().join("data"), image.folder().join("commands"));
    fs::write(&data, [&[0xc0, 0x3b, 0x39, 0x98][..], &[b'B'; 4092]].concat()).expect("written");
    let (block, data) = (block.trim(), data.display());
    let text = format!("{open_journal}\njw -b {block} {data}\njc\n{open_journal}\njw -r 9\njc\n");
    fs::write(&commands, text).expect("written");
    let commands = commands.to_str().expect("plain");
    images::run("e2fsprogs", "debugfs", &["-w", "-f", commands, image.name()]);
}

#[test]
fn seeds_of_xfs_are_read() {
    let source = source(true);
    for (name, arguments) in [
        ("xfs", &[][..]),
        ("xfs-v4", &["-m", "crc=0"]),
        ("xfs-1024", &["-m", "crc=0", "-b", "size=1024", "-n", "size=8192"]),
    ] {
        seed(Kind::Xfs, name, &images::xfs(arguments, source.path(), 320));
    }
}

#[test]
fn seeds_of_btrfs_are_read() {
    let source = source(true);
    for (name, arguments) in [
        ("btrfs", &["-n", "4096", "-m", "single"][..]),
        ("btrfs-xxhash", &["-n", "4096", "-m", "single", "--csum", "xxhash", "-O", "^no-holes"]),
    ] {
        seed(Kind::Btrfs, name, &images::btrfs(arguments, source.path()));
    }
}

#[test]
fn seeds_of_ntfs_are_read() {
    let source = source(false);
    for number in 0..20 {
        fs::write(source.path().join(format!("a long name, number {number:03}")), "").expect("written");
    }
    for (name, arguments) in
        [("ntfs", &[][..]), ("ntfs-512", &["-c", "512"]), ("ntfs-65536", &["-c", "65536"])]
    {
        seed(Kind::Ntfs, name, &images::ntfs(arguments, source.path(), 2));
    }
    let mut machine = ntfs_log::machine(ntfs_log::Layout::default());
    machine.checkpoint();
    ntfs_log::work(&mut machine, |_| {});
    seed(Kind::Ntfs, "ntfs-journal", &machine.crashed(ntfs_log::LastPage::Whole));
}

#[test]
fn seeds_of_fat_are_read() {
    let source = source(false);
    for (name, arguments, megabytes) in [
        ("fat12", &["-F", "12"][..], 1),
        ("fat16", &["-F", "16", "-s", "1"], 4),
        ("fat32", &["-F", "32", "-s", "1"], 40),
        ("fat16-4096", &["-F", "16", "-S", "4096", "-s", "1"], 32),
    ] {
        seed(Kind::Fat, name, &images::fat(arguments, source.path(), megabytes));
    }
}

#[test]
fn seeds_of_squashfs_are_read() {
    let source = source(true);
    for compressor in ["gzip", "lzma", "lzo", "xz", "lz4", "zstd"] {
        let packed = images::squashfs(&["-comp", compressor, "-b", "4096"], source.path());
        seed(Kind::Squashfs, &format!("squashfs-{compressor}"), &packed);
        // With nothing but the data packed, the structures can be changed.
        let plain = ["-comp", compressor, "-b", "4096", "-noI", "-noF", "-noX", "-no-fragments"];
        let plain = images::squashfs(&plain, source.path());
        seed(Kind::Squashfs, &format!("squashfs-{compressor}-plain"), &plain);
    }
    seed(Kind::Squashfs, "squashfs-fragments", &images::squashfs(&["-noI", "-noF", "-noD"], source.path()));
}

/// An image of a small system, for disks that hold one.
pub fn system() -> Image {
    images::ext("mkfs.ext2", &["-b", "1024"], source(true).path(), 1)
}

/// Puts an image to a place of a disk.
pub fn put(disk: &Path, at: u64, image: &Image) {
    guardhouse_test_images::partitions::put_image(disk, at, &image.path);
}
