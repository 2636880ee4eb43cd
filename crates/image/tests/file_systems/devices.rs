//! btrfs over several devices.

use std::{fs, path::Path, process::Command, sync::Arc};

use guardhouse_image::{
    BlockRead, Content, FileSystem, Options,
    file_system::open_btrfs,
    volume::{Reason, Refusal},
};
use guardhouse_test_images::file_systems::{self as images, Image, Source};

use crate::{
    compare::{Keeps, compare, walk},
    disks::FileDisk,
    packed,
};

fn opened(images: &[&Image]) -> Result<Arc<dyn FileSystem>, Refusal> {
    open_btrfs(images.iter().map(|image| FileDisk::open(&image.path) as Arc<dyn BlockRead>).collect())
}

fn read(images: &[&Image]) -> Arc<dyn FileSystem> {
    opened(images).unwrap_or_else(|refusal| panic!("{refusal}"))
}

#[test]
fn devices_are_put_together_in_any_order() {
    for profile in ["raid0", "raid1"] {
        let [first, second] = ["1", "2"].map(|device| packed::image(&format!("{profile}-{device}")));
        for pair in [[&first, &second], [&second, &first]] {
            let files = read(&pair);
            assert_eq!(packed::list(files.as_ref()), packed::expected("devices"));
            assert_eq!((files.notes(), files.left_out()), (&[][..], &[][..]));
        }
    }
}

#[test]
fn copies_stand_in_for_a_device_that_is_missing() {
    for (device, other) in [("1", "2"), ("2", "1")] {
        let files = read(&[&packed::image(&format!("raid1-{device}"))]);
        assert_eq!(packed::list(files.as_ref()), packed::expected("devices"));
        let note = format!("it lies on 2 devices, of which 1 are there: device {other} is missing");
        assert!(files.notes().iter().any(|found| found.contains(&note)), "{:?}", files.notes());
        assert_eq!(files.left_out(), [""; 0]);
    }
}

#[test]
fn what_lies_on_a_missing_device_alone_is_told() {
    for (device, other) in [("1", "2"), ("2", "1")] {
        let files = read(&[&packed::image(&format!("raid0-{device}"))]);
        let note = format!("device {other} is missing; give the others with --also");
        assert!(files.left_out().iter().any(|found| found.contains(&note)), "{:?}", files.left_out());
        let mut reader = files.reader().expect("a reader");
        let mut lookup = |path: &[&[u8]]| {
            path.iter()
                .fold(reader.root(), |place, name| reader.lookup(&place, name).expect("read").expect("there"))
        };
        let (few, numbers) = (lookup(&[b"folder", b"few"]), lookup(&[b"numbers"]));
        // Short files lie in the tree, which is on both.
        let mut buffer = vec![0; 100];
        assert_eq!(reader.read_at(&few, 0, &mut buffer).expect("read"), 14);
        let mut buffer = vec![0; 600_000];
        let error = reader.read_at(&numbers, 0, &mut buffer).expect_err("a stripe is missing").to_string();
        assert_eq!(error, format!("it lies on device {other} of the btrfs, which is missing"));
    }
}

#[test]
fn a_damaged_block_is_read_from_its_copy() {
    let [first, second] = ["1", "2"].map(|device| packed::image(&format!("raid1-{device}")));
    // Everything behind the superblock of one of them, up to its copy.
    let file = fs::OpenOptions::new().write(true).open(&first.path).expect("the image");
    let noise = vec![0xa5; 40 << 20];
    std::os::unix::fs::FileExt::write_all_at(&file, &noise, 20 << 20).expect("written");
    let files = read(&[&first, &second]);
    let found = walk(files.reader().expect("a reader").as_mut());
    assert_eq!(found.len(), packed::expected("devices").lines().count());
}

#[test]
fn the_other_disks_are_those_that_also_names() {
    let [first, second] = ["1", "2"].map(|device| packed::image(&format!("raid0-{device}")));
    let options = Options { also: vec![second.path.clone()], ..Options::default() };
    let target = guardhouse_image::open(&first.path, &options).unwrap_or_else(|error| panic!("{error}"));
    let [volume] = target.volumes.as_slice() else { panic!("{:?}", target.volumes) };
    let Content::Files(files) = &volume.content else { panic!("{volume:?}") };
    assert_eq!(packed::list(files.as_ref()), packed::expected("devices"));
    assert_eq!(target.notes, [format!("{} was read as well", second.path.display())]);

    let target = guardhouse_image::open(&first.path, &Options::default()).expect("opens");
    let Content::Files(files) = &target.volumes[0].content else { panic!("{:?}", target.volumes) };
    assert!(files.left_out()[0].contains("--also"), "{:?}", files.left_out());
}

#[test]
fn a_device_that_is_there_twice_is_told() {
    let [first, second] = ["1", "2"].map(|device| packed::image(&format!("raid1-{device}")));
    let again = first.folder().join("again");
    fs::copy(&first.path, &again).expect("copied");
    let options = Options { also: vec![second.path.clone(), again], ..Options::default() };
    let target = guardhouse_image::open(&first.path, &options).unwrap_or_else(|error| panic!("{error}"));
    assert!(matches!(target.volumes[0].content, Content::Files(_)));
    assert!(target.notes.iter().any(|note| note.contains("device 1 of the btrfs")), "{:?}", target.notes);
}

#[test]
fn without_its_trees_nothing_is_read() {
    let source = tempfile::tempdir().expect("a folder");
    let Some(devices) = filled("-d raid0 -m raid0", 2, source.path()) else { return };
    let refusal = opened(&[&devices[0]]).expect_err("half of the trees is missing");
    assert_eq!(refusal.reason, Reason::Incomplete);
    assert!(refusal.detail.contains("give the others with --also"), "{refusal}");
}

/// Devices that Linux has filled with what lies in a folder; `None` where it cannot.
fn filled(arguments: &str, count: usize, source: &Path) -> Option<Vec<Image>> {
    let devices: Vec<Image> = (0..count).map(|_| Image::empty(256 << 20)).collect();
    let may = Command::new("unshare").args(["-m", "true"]).status().is_ok_and(|status| status.success());
    if !may || fs::metadata("/dev/loop-control").is_err() {
        println!("skipped: mounting needs root and loop devices");
        return None;
    }
    let at = devices[0].folder().join("at");
    fs::create_dir(&at).expect("a folder");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/file_systems/btrfs_images/devices.sh");
    let names: Vec<&str> = devices.iter().map(Image::name).collect();
    let output = Command::new("unshare")
        .args(["-m", "sh"])
        .arg(script)
        .env("ARGUMENTS", arguments)
        .env("IMAGES", names.join(" "))
        .env("SOURCE", source)
        .env("AT", &at)
        .output()
        .expect("sh");
    let text = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(77) {
        println!("skipped: {text}");
        return None;
    }
    assert!(output.status.success(), "{text}");
    Some(devices)
}

#[test]
fn every_profile_is_read() {
    let source = images::source(Source { many: 300, unix: true, sparse: true });
    // How many devices may be missing.
    for (profile, count, spare) in [
        ("single", 2, 0),
        ("raid10", 4, 1),
        ("raid1c3", 3, 2),
        ("raid1c4", 4, 3),
        ("raid5", 3, 0),
        ("raid6", 4, 0),
    ] {
        let metadata = if profile == "single" { "raid1" } else { profile };
        let arguments = format!("-d {profile} -m {metadata}");
        let Some(devices) = filled(&arguments, count, source.path()) else { return };
        println!("{profile}");
        for missing in 0..=spare {
            let there: Vec<&Image> = devices.iter().skip(missing).rev().collect();
            let files = read(&there);
            compare(source.path(), files.as_ref(), Keeps::everything(source.path()));
            assert_eq!(files.notes().len(), usize::from(missing > 0), "{:?}", files.notes());
            assert_eq!(files.left_out(), [""; 0]);
        }
    }
}
