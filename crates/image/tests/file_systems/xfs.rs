use guardhouse_image::file_system::{Kind, open};
use guardhouse_test_images::file_systems::{self as images, Source};

use crate::{
    compare::{Keeps, compare},
    disks::FileDisk,
};

const KEEPS: Keeps =
    Keeps { modes: true, owner: Some((7, 8)), times: None, hard_links: false, spaces: false };

#[test]
fn every_file_of_an_xfs_is_read() {
    let source = images::source(Source { many: 3_000, unix: true, sparse: true });
    // mkfs.xfs of 2022 writes links that do not fit into the inode without their heads, which Linux refuses too.
    std::fs::remove_file(source.path().join("longer-link")).expect("removed");
    for arguments in
        [&[][..], &["-b", "size=1024", "-n", "size=8192"], &["-m", "crc=0"], &["-m", "bigtime=1,reflink=0"]]
    {
        let image = images::xfs(arguments, source.path(), 320);
        let file_system = open(Kind::Xfs, FileDisk::open(&image.path)).expect("an xfs");
        assert_eq!((file_system.kind(), file_system.label()), ("xfs", "label"));
        assert_eq!(file_system.uuid(), images::UUID);
        assert_eq!(file_system.notes(), [""; 0]);
        compare(source.path(), file_system.as_ref(), KEEPS);
    }
}
