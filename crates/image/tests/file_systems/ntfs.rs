use std::fs;

use guardhouse_image::{
    FileSystem,
    file_system::{Kind, open},
};
use guardhouse_test_images::file_systems::{self as images, Source};

use crate::{
    compare::{Keeps, compare, walk},
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
    for name in ["CASE", "case", "Case", "\u{e9}t\u{e9}", "\u{c9}T\u{c9}"] {
        fs::write(source.path().join(name), name).expect("written");
    }
    for arguments in [&[][..], &["-c", "512"], &["-c", "65536"]] {
        let image = images::ntfs(arguments, source.path(), 64);
        let file_system = open(Kind::Ntfs, FileDisk::open(&image.path)).expect("an ntfs");
        assert_eq!((file_system.kind(), file_system.label()), ("ntfs", "label"));
        assert_eq!(file_system.uuid().len(), 16);
        assert_eq!(file_system.notes(), [""; 0]);
        compare(source.path(), file_system.as_ref(), KEEPS);
        look_up(file_system.as_ref());
    }
}

/// Entries are found by their names, and by no others: all of them, or 500 of many.
pub fn look_up(file_system: &dyn FileSystem) {
    let mut reader = file_system.reader().expect("a reader");
    let found = walk(reader.as_mut());
    for entry in found.values().step_by(found.len().div_ceil(500)) {
        let path = entry.place.path.as_bytes();
        let (folder, name) = path.split_at(path.iter().rposition(|&byte| byte == b'/').expect("a slash"));
        let name = &name[1..];
        let folder = found.get(folder).map_or_else(|| reader.root(), |folder| folder.place.clone());
        let place = reader.lookup(&folder, name).expect("a folder");
        assert_eq!(place.as_ref(), Some(&entry.place));
        for other in
            [[name, b"x"].concat(), name.to_ascii_uppercase(), name.split_last().expect("a name").1.to_vec()]
        {
            let path = folder.path.join(&other);
            let expected = found.get(path.as_bytes()).map(|found| found.place.clone());
            assert_eq!(reader.lookup(&folder, &other).expect("a folder"), expected, "{path}");
        }
    }
}
