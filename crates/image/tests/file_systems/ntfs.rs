use std::fs;

use guardhouse_image::file_system::{Kind, open};
use guardhouse_test_images::file_systems::{self as images, Source};

use crate::{
    compare::{Keeps, compare},
    disks::FileDisk,
};

const KEEPS: Keeps =
    Keeps { modes: false, owner: Some((0, 0)), times: None, hard_links: false, spaces: true };

#[test]
fn every_file_of_an_ntfs_is_read() {
    let source = images::source(Source { many: 0, unix: false, sparse: true });
    // ntfscp makes no folders.
    for name in ["deep", "etc", "empty", "many"] {
        fs::remove_dir_all(source.path().join(name)).expect("removed");
    }
    // So many that the index of the root has blocks of its own.
    for number in 0..60 {
        fs::write(source.path().join(format!("a long name, number {number:03}")), [number; 900])
            .expect("written");
    }
    fs::write(source.path().join("\u{1f600}"), "two units of UTF-16").expect("written");
    for arguments in [&[][..], &["-c", "512"], &["-c", "65536"]] {
        let image = images::ntfs(arguments, source.path(), 64);
        let file_system = open(Kind::Ntfs, FileDisk::open(&image.path)).expect("an ntfs");
        assert_eq!((file_system.kind(), file_system.label()), ("ntfs", "label"));
        assert_eq!(file_system.uuid().len(), 16);
        assert_eq!(file_system.notes(), [""; 0]);
        compare(source.path(), file_system.as_ref(), KEEPS);
    }
}
