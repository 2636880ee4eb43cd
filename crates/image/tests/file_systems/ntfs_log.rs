//! The log of NTFS. Nothing but Windows writes one, so a writer of our own does here; what a log comes to, `ntfsrecover`
//! of ntfs-3g tells, and the machine that wrote it, which knows what it had in memory.

use std::{collections::BTreeMap, fs, path::Path};

use guardhouse_image::file_system::{Kind, open};
use guardhouse_test_images::{
    file_systems::Image,
    ntfs_log::{LastPage, Layout, Machine, PAGE, Version, machine, unfinished_work, work},
    run,
};

use crate::{compare::walk, disks::FileDisk};

/// Every path, with its size and a digest of its bytes.
type Files = BTreeMap<String, (u64, Vec<u8>)>;

/// What a volume has, and what is told about it.
fn view(path: &Path) -> (Files, Vec<String>) {
    let file_system = open(Kind::Ntfs, FileDisk::open(path)).expect("an ntfs");
    let found = walk(file_system.reader().expect("a reader").as_mut()).into_iter().map(|(path, found)| {
        let path = String::from_utf8(path).expect("a plain path");
        (path, (found.metadata.size, found.digest))
    });
    (found.collect(), file_system.notes().to_vec())
}

/// The image after `ntfsrecover` has replayed its log, checked with the reader of ntfs-3g.
fn recovered(image: &Image) -> Files {
    let path = image.folder().join("recovered");
    fs::copy(&image.path, &path).expect("copied");
    let name = path.to_str().expect("plain");
    run("ntfsrecover", &[name]);
    let (found, notes) = view(&path);
    assert_eq!(notes, [""; 0]);
    let mut listed: Vec<String> =
        run("ntfsls", &["-f", name]).lines().map(|line| format!("/{line}")).collect();
    listed.sort();
    let mut expected: Vec<&String> = found.keys().filter(|path| path.rfind('/') == Some(0)).collect();
    expected.sort();
    assert_eq!(listed.iter().collect::<Vec<_>>(), expected);
    found
}

fn expect_replayed(notes: &[String], undone: u64) {
    let [note] = notes else { panic!("{notes:?}") };
    assert!(
        note.starts_with("the volume was not cleanly unmounted; its log ($LogFile) was replayed"),
        "{note}"
    );
    assert!(note.contains(&format!(" {undone} of unfinished")), "{note}");
}

fn layouts(version: Version) -> impl Iterator<Item = Layout> {
    [(true, 1 << 19), (false, 1 << 19), (true, 3 * PAGE), (false, PAGE)]
        .into_iter()
        .map(move |(is_first, before)| Layout { version, is_first, before })
}

fn expect_finished(files: &Files) {
    assert_eq!((files["/folder/three"].0, files["/large"].0), (3, 13_000));
    assert_eq!(files.len(), 8 + 5 - 1 + 6);
}

#[test]
fn a_log_comes_to_what_ntfsrecover_makes_of_it() {
    for (layout, last_page) in
        layouts(Version::One).zip([LastPage::Whole, LastPage::Torn].into_iter().cycle())
    {
        let mut machine = machine(layout);
        machine.checkpoint();
        work(&mut machine, |_| {});
        let image = machine.crashed(last_page);
        let (found, notes) = view(&image.path);
        expect_replayed(&notes, 0);
        let (expected, _) = view(&machine.whole().path);
        expect_finished(&expected);
        assert_eq!(found, expected, "{layout:?}, {last_page:?}");
        assert_eq!(recovered(&image), expected, "{layout:?}, {last_page:?}");
    }
}

#[test]
fn the_second_version_of_the_log_is_replayed() {
    for (layout, last_page) in
        layouts(Version::Two).zip([LastPage::Torn, LastPage::Whole].into_iter().cycle())
    {
        let mut machine = machine(layout);
        machine.checkpoint();
        work(&mut machine, |_| {});
        let (found, notes) = view(&machine.crashed(last_page).path);
        expect_replayed(&notes, 0);
        let (expected, _) = view(&machine.whole().path);
        expect_finished(&expected);
        assert_eq!(found, expected, "{layout:?}, {last_page:?}");
    }
}

/// What is written before the machine stops makes no difference, nor when checkpoints are taken.
#[test]
fn whatever_is_written_already_the_log_comes_to_the_same() {
    let mut random = 0x1234_5678_9abc_def1_u64;
    let mut next = move |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    for layout in layouts(Version::One).chain(layouts(Version::Two)) {
        let mut machine = machine(layout);
        machine.checkpoint();
        work(&mut machine, |machine: &mut Machine| {
            for cluster in machine.unwritten() {
                if next(3) == 0 {
                    machine.flush(&[cluster]);
                }
            }
            if next(2) == 0 {
                machine.checkpoint();
            }
        });
        let image = machine.crashed(LastPage::Whole);
        let (found, _) = view(&image.path);
        let (expected, _) = view(&machine.whole().path);
        expect_finished(&expected);
        assert_eq!(found, expected, "{layout:?}");
        if layout.version == Version::One {
            assert_eq!(recovered(&image), expected, "{layout:?}");
        }
    }
}

#[test]
fn transactions_that_were_not_finished_are_taken_back() {
    for layout in layouts(Version::One).chain(layouts(Version::Two)) {
        let mut machine = machine(layout);
        machine.checkpoint();
        let (before, _) = view(&machine.whole().path);
        unfinished_work(&mut machine);
        // Nothing of it is on the disk: it is made again first, and taken back then.
        let (found, notes) = view(&machine.crashed(LastPage::Whole).path);
        assert!(notes[0].contains("of unfinished transactions") && !notes[0].contains(" 0 of"), "{notes:?}");
        assert_eq!(found, before, "{layout:?}");
        // All of it is.
        machine.flush(&machine.unwritten());
        let (found, _) = view(&machine.crashed(LastPage::Whole).path);
        assert_eq!(found, before, "{layout:?}");
        // And was when the last checkpoint was taken.
        machine.checkpoint();
        let (found, notes) = view(&machine.crashed(LastPage::Whole).path);
        assert!(notes[0].contains(": 0 changes made"), "{notes:?}");
        assert_eq!(found, before, "{layout:?}");
    }
}

#[test]
fn a_log_that_is_not_understood_changes_nothing() {
    let mut machine = machine(Layout::default());
    machine.checkpoint();
    let (before, _) = view(&machine.whole().path);
    work(&mut machine, |_| {});
    // A version that is not known; a checkpoint that is not there; a record whose operation is not known: what was
    // the end of a transaction.
    for (old, at, value, reason) in [
        (&b"RSTR\x1e\0\x09\0"[..], 28, 9, "not supported: version 9.1 of the log"),
        (b"RSTR\x1e\0\x09\0", 48 + 64 + 8, 0xf8, "is not there"),
        (b"\x1b\0\x01\0\x28\0\0\0", 0, 0x7f, "not supported: record 0x"),
    ] {
        let image = machine.crashed(LastPage::Whole);
        let mut bytes = fs::read(&image.path).expect("the image");
        for start in (0..bytes.len() - 8).step_by(8) {
            if bytes[start..].starts_with(old) {
                bytes[start + at] = value;
            }
        }
        fs::write(&image.path, bytes).expect("written");
        let (found, notes) = view(&image.path);
        assert!(notes[0].contains("is not replayed") && notes[0].contains(reason), "{notes:?}");
        assert_eq!(found, before);
    }
}
