use std::{fs, os::unix::fs::FileExt as _};

use guardhouse_image::{
    FilePath,
    file_system::{Kind, open},
};
use guardhouse_test_images::file_systems::{self as images, Image, Source};

use crate::{
    compare::{Keeps, compare},
    disks::FileDisk,
    packed,
};

#[test]
fn every_file_of_a_btrfs_is_read() {
    let source = images::source(Source { many: 3_000, unix: true, sparse: true });
    for arguments in [
        &[][..],
        &["--csum", "xxhash", "-n", "4096"],
        &["--csum", "sha256", "-n", "65536"],
        &["--csum", "blake2", "-n", "8192"],
        &["-m", "single", "-O", "^no-holes"],
        &["--mixed", "-n", "4096", "-R", "^free-space-tree"],
    ] {
        let image = images::btrfs(arguments, source.path());
        let file_system = open(Kind::Btrfs, FileDisk::open(&image.path)).expect("a btrfs");
        assert_eq!((file_system.kind(), file_system.label()), ("btrfs", "label"));
        assert_eq!(file_system.uuid(), images::UUID);
        assert_eq!(file_system.notes(), [""; 0]);
        assert_eq!(file_system.default_folder(), FilePath::root());
        compare(source.path(), file_system.as_ref(), Keeps::everything(source.path()));
    }
}

/// Changes a field of eight bytes in the superblock, whose checksum is right afterwards.
fn change(image: &Image, at: usize, change: impl Fn(u64) -> u64) {
    let file = fs::OpenOptions::new().read(true).write(true).open(&image.path).expect("the image");
    let mut head = vec![0; 4096];
    file.read_exact_at(&mut head, 64 << 10).expect("the superblock");
    let field: &mut [u8; 8] = head[at..].first_chunk_mut().expect("inside");
    *field = change(u64::from_le_bytes(*field)).to_le_bytes();
    let sum = crc32c::crc32c(&head[32..]).to_le_bytes();
    head[..4].copy_from_slice(&sum);
    file.write_all_at(&head, 64 << 10).expect("written");
}

const FEATURES: usize = 0xbc;
const LOG_ROOT: usize = 0x60;

#[test]
fn features_that_are_not_read_are_named() {
    for (bit, name) in [(13, "extent tree v2"), (14, "the RAID stripe tree"), (40, "the unknown feature 40")]
    {
        let image = packed::image("log");
        change(&image, FEATURES, |features| features | 1 << bit);
        let refusal = open(Kind::Btrfs, FileDisk::open(&image.path)).expect_err("refused");
        assert_eq!(refusal.to_string(), format!("btrfs: not supported: {name}"));
    }
}

#[test]
fn a_log_tree_that_cannot_be_read_is_told() {
    let image = packed::image("log");
    change(&image, LOG_ROOT, |address| address + (4 << 20));
    let file_system = open(Kind::Btrfs, FileDisk::open(&image.path)).expect("a btrfs");
    let [told] = file_system.left_out() else { panic!("{:?}", file_system.left_out()) };
    assert!(told.starts_with("the log trees cannot be read (damaged: "), "{told}");
    assert!(told.ends_with("files are as the last commit left them, at most seconds older"), "{told}");
    let last_commit = packed::list(file_system.as_ref());
    assert!(last_commit != packed::expected("log") && last_commit.contains(" base/packed\n"));
}

#[test]
fn a_damaged_superblock_is_replaced_by_its_copy() {
    let source = images::source(Source::default());
    let image = images::btrfs(&[], source.path());
    let file = fs::OpenOptions::new().write(true).open(&image.path).expect("the image");
    file.write_all_at(b"damage", (64 << 10) + 200).expect("written");
    let file_system = open(Kind::Btrfs, FileDisk::open(&image.path)).expect("a btrfs");
    let note = "the superblock is damaged, or old; its copy at 67108864 is read";
    assert_eq!(file_system.notes(), [note]);
    compare(source.path(), file_system.as_ref(), Keeps::everything(source.path()));
}
