use guardhouse_image::file_system::{Kind, open};
use guardhouse_test_images::file_systems::{self as images, Source};

use crate::{
    compare::{Keeps, compare},
    disks::FileDisk,
};

#[test]
fn every_file_of_a_fat_is_read() {
    let source = images::source(Source { many: 300, unix: false, sparse: true });
    // Times have steps of two seconds.
    let keeps = Keeps { modes: false, owner: Some((0, 0)), times: Some(2), hard_links: false, spaces: true };
    for (arguments, megabytes) in [
        (&["-F", "12", "-s", "32"][..], 48),
        (&["-F", "16", "-s", "4"], 64),
        (&["-F", "32", "-s", "1"], 64),
        (&["-F", "32", "-S", "4096"], 400),
    ] {
        let image = images::fat(arguments, source.path(), megabytes);
        let file_system = open(Kind::Fat, FileDisk::open(&image.path)).expect("a fat");
        assert_eq!(
            (file_system.kind(), file_system.label(), file_system.uuid()),
            ("vfat", "LABEL", "1234-ABCD")
        );
        assert_eq!(file_system.notes(), [""; 0]);
        compare(source.path(), file_system.as_ref(), keeps);
    }
}
