use guardhouse_image::file_system::{Kind, open};
use guardhouse_test_images::{
    disks::put,
    file_systems::{self as images, Source},
};

use crate::{
    compare::{Keeps, compare},
    disks::FileDisk,
};

#[test]
fn every_file_of_a_squashfs_is_read() {
    let source = images::source(Source { many: 3_000, unix: true, sparse: true });
    for arguments in [
        &["-comp", "gzip"][..],
        &["-comp", "gzip", "-no-fragments", "-noI", "-noD"],
        &["-comp", "xz", "-b", "1M"],
        &["-comp", "xz", "-Xbcj", "x86"],
        &["-comp", "lz4", "-b", "4096"],
        &["-comp", "zstd", "-always-use-fragments"],
        &["-comp", "lzo"],
        &["-comp", "lzo", "-Xalgorithm", "lzo1x_1_11", "-b", "4096"],
        &["-comp", "lzma"],
    ] {
        let image = images::squashfs(arguments, source.path());
        let file_system = open(Kind::Squashfs, FileDisk::open(&image.path)).expect("a squashfs");
        assert_eq!(file_system.kind(), "squashfs");
        compare(source.path(), file_system.as_ref(), Keeps::everything(source.path()));
    }
}

#[test]
fn compression_that_is_not_known_is_named() {
    let source = images::source(Source::default());
    let image = images::squashfs(&[], source.path());
    put(&image.path, 20, &[99]);
    let refusal = open(Kind::Squashfs, FileDisk::open(&image.path)).expect_err("refused");
    assert_eq!(refusal.to_string(), "squashfs: not supported: unknown compression 99");
}
