use std::os::unix::fs::MetadataExt as _;

use guardhouse_image::file_system::{Kind, open};
use guardhouse_test_images::file_systems::{self as images, Source};

use crate::{
    compare::{Keeps, compare},
    disks::FileDisk,
};

#[test]
fn every_file_of_ext_is_read() {
    let source = images::source(Source { many: 3_000, unix: true, sparse: true });
    // mke2fs with inline data cuts the hole at the end of a file off.
    let dense = images::source(Source { many: 3_000, unix: true, sparse: false });
    let owner = std::fs::metadata(source.path()).expect("the source");
    let keeps = Keeps {
        modes: true,
        owner: Some((owner.uid(), owner.gid())),
        times: Some(0),
        hard_links: true,
        spaces: true,
    };
    for (program, arguments) in [
        ("mkfs.ext2", &["-b", "1024", "-N", "5000"][..]),
        ("mkfs.ext2", &["-b", "4096", "-O", "none,filetype", "-I", "128", "-N", "5000"]),
        ("mkfs.ext3", &["-b", "1024", "-N", "5000"]),
        ("mkfs.ext4", &["-b", "1024", "-N", "5000"]),
        ("mkfs.ext4", &["-b", "4096", "-N", "5000"]),
        ("mkfs.ext4", &["-b", "4096", "-O", "64bit,metadata_csum,inline_data", "-N", "5000"]),
        ("mkfs.ext4", &["-O", "^64bit,^metadata_csum,uninit_bg,meta_bg,^resize_inode", "-N", "5000"]),
        ("mkfs.ext4", &["-O", "bigalloc,ea_inode,large_dir,^has_journal", "-C", "16384", "-N", "5000"]),
    ] {
        let is_inline = arguments.iter().any(|argument| argument.contains("inline_data"));
        let source = if is_inline { &dense } else { &source };
        let image = images::ext(program, arguments, source.path(), 384);
        let file_system = open(Kind::Ext, FileDisk::open(&image.path)).expect("an ext");
        assert_eq!((file_system.kind(), file_system.label()), (&program[5..], "label"));
        assert_eq!(file_system.uuid(), images::UUID);
        assert_eq!(file_system.notes(), [""; 0]);
        compare(source.path(), file_system.as_ref(), keeps);
    }
}
