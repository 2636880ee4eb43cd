use guardhouse_image::{
    FilePath,
    file_system::{Kind, open},
};
use guardhouse_test_images::file_systems::{self as images, Source};

use crate::{
    compare::{Keeps, compare},
    disks::FileDisk,
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
