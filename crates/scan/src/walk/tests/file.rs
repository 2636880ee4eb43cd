//! A file in the hands of an analyser.

use guardhouse_image::System;
use guardhouse_packages::Source as _;
use proptest::prelude::*;

use super::{
    super::file::{ScannedFile, Window},
    memory::{Node, system},
    named,
};
use guardhouse_image::FilePath;

fn with_file<T>(bytes: &[u8], look: impl FnOnce(&mut ScannedFile<'_>) -> T) -> T {
    let nodes = vec![
        Node::Folder(named(&[("file", 1), ("beside", 2)])),
        Node::File(bytes.to_vec()),
        Node::File(b"neighbour".to_vec()),
    ];
    let System { tree, .. } = system(nodes);
    let mut reader = tree.reader().expect("a reader");
    let place = reader.find(&FilePath::new(b"/file")).expect("readable").expect("there");
    let metadata = reader.metadata(&place).expect("known");
    let mut window = Window::default();
    look(&mut ScannedFile::new(&mut reader, &mut window, &place, &metadata))
}

#[test]
fn a_neighbour_is_read_whole_or_refused() {
    with_file(b"x", |file| {
        assert_eq!(file.sibling(b"beside", 9).expect("readable").as_deref(), Some(&b"neighbour"[..]));
        assert_eq!(file.sibling(b"nobody", 9).expect("readable"), None);
        let error = file.sibling(b"beside", 8).expect_err("too long");
        assert_eq!(error.kind(), std::io::ErrorKind::FileTooLarge);
    });
}

#[test]
fn a_small_file_is_read_once() {
    let bytes = vec![7; 300_000];
    with_file(&bytes, |file| {
        let digest = file.sha256().expect("readable");
        assert_eq!(file.content(1 << 20).expect("readable").map(<[u8]>::len), Some(bytes.len()));
        assert_eq!(file.head(4).expect("readable"), [7; 4]);
        let mut buffer = [0; 10];
        assert_eq!(ScannedFile::read_at(file, 299_995, &mut buffer).expect("readable"), 5);
        assert_eq!(file.sha256().expect("readable"), digest);
        assert_eq!(file.bytes_read(), 300_000);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn reads_from_anywhere_are_right(
        size in 0_usize..400_000,
        reads in prop::collection::vec((0_u64..410_000, 0_usize..200_000), 1..20),
    ) {
        let bytes: Vec<u8> = (0..size).map(|at| (at * 31 % 251) as u8).collect();
        with_file(&bytes, |file| {
            for (offset, length) in reads {
                let mut buffer = vec![0; length];
                let read = ScannedFile::read_at(file, offset, &mut buffer).expect("readable");
                let rest = bytes.get(offset as usize..).unwrap_or_default();
                prop_assert!(read > 0 || rest.is_empty() || length == 0);
                prop_assert_eq!(Some(&buffer[..read]), rest.get(..read));
            }
            Ok(())
        })?;
    }
}
