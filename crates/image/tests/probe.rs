//! What is told of a file by a look at its head.

use std::{fs, path::Path};

use guardhouse_image::target::{Probed, TargetKind, images, probe};
use guardhouse_test_images::{
    containers::{self, Layout, TAR},
    disks, run,
};

fn kind(path: &Path) -> Option<TargetKind> {
    probe(path).expect("it can be read").map(|probed| probed.kind)
}

#[test]
fn every_container_is_recognised() {
    let folder = tempfile::tempdir().expect("a folder");
    let raw = disks::mixed(folder.path(), "disk.raw", 5 << 20);
    assert_eq!(kind(&raw), None, "nothing known lies on it");
    for container in &disks::CONTAINERS {
        let expected = match container.format {
            "qcow2" => TargetKind::Qcow2,
            "vmdk" => TargetKind::Vmdk,
            "vpc" => TargetKind::Vhd,
            "vhdx" => TargetKind::Vhdx,
            _ => TargetKind::Vdi,
        };
        let probed = probe(&disks::convert(&raw, container)).expect("it can be read");
        assert_eq!(probed, Some(Probed { kind: expected, refers_to: Vec::new() }), "{}", container.name);
    }
}

#[test]
fn disks_without_a_container_are_told_from_other_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let disk = at("disk");
    fs::File::create(&disk).and_then(|file| file.set_len(8 << 20)).expect("a file");
    assert_eq!(kind(&disk), None, "zeros");
    run("mkfs.ext4", &["-q", disks::text(&disk)]);
    assert_eq!(kind(&disk), Some(TargetKind::Raw), "a file system");
    for table in ["label: gpt", "label: dos"] {
        let disk = at("table");
        fs::File::create(&disk).and_then(|file| file.set_len(8 << 20)).expect("a file");
        guardhouse_test_images::try_run("sfdisk", &["-q", disks::text(&disk)], table.as_bytes())
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(kind(&disk), Some(TargetKind::Raw), "{table}");
    }
    for (name, bytes) in
        [("text", &b"# Read me"[..]), ("short", b"x"), ("empty", b""), ("log.gz", b"\x1f\x8b\x08")]
    {
        fs::write(at(name), bytes).expect("a file");
        assert_eq!(kind(&at(name)), None, "{name}");
    }
    assert_eq!(kind(folder.path()), None, "a folder of files");
}

#[test]
fn files_that_an_image_needs_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let raw = disks::mixed(folder.path(), "disk.raw", 5 << 20);
    let base = disks::convert(&raw, &disks::CONTAINERS[0]);
    let at = |name: &str| folder.path().join(name);
    let refers_to = |name: &str| probe(&at(name)).expect("it can be read").map(|probed| probed.refers_to);
    let file = at("above.qcow2");
    run(
        "qemu-img",
        &["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", disks::text(&base), disks::text(&file)],
    );
    assert_eq!(refers_to("above.qcow2"), Some(vec![disks::text(&base).to_owned()]));
    let flat = at("flat.vmdk");
    let options =
        ["convert", "-O", "vmdk", "-o", "subformat=monolithicFlat", disks::text(&raw), disks::text(&flat)];
    run("qemu-img", &options);
    assert_eq!(refers_to("flat.vmdk"), Some(vec!["flat-flat.vmdk".to_owned()]));
}

#[test]
fn images_of_a_layout_are_listed() {
    let folder = tempfile::tempdir().expect("a folder");
    let tree = folder.path().join("tree");
    fs::create_dir(&tree).expect("a folder");
    fs::write(tree.join("file"), b"content").expect("a file");
    let archive = folder.path().join("layer.tar");
    containers::tar(&tree, &archive);
    assert_eq!(kind(&archive), Some(TargetKind::Archive));
    let bytes = fs::read(&archive).expect("reads");

    let path = folder.path().join("layout");
    let layout = Layout::new(&path);
    let named = r#","annotations":{"org.opencontainers.image.ref.name":"app:1"}"#;
    let layers = [(TAR, bytes.clone(), bytes.clone())];
    let image = |platform, more| layout.image(platform, &layers, more);
    layout.finish(&[image("linux/amd64", named), image("linux/arm64/v8", "")]);
    assert_eq!(kind(&path), Some(TargetKind::Oci));
    let listed = images(&path).expect("it can be read");
    let brief: Vec<_> =
        listed.iter().map(|image| (image.names.join(" "), image.platform.as_str(), image.size)).collect();
    let size = bytes.len() as u64;
    assert_eq!(brief, [("app:1".to_owned(), "linux/amd64", size), (String::new(), "linux/arm64/v8", size)]);
    assert!(listed.iter().all(|image| image.digest.len() == 64), "{listed:?}");

    fs::remove_file(path.join("index.json")).expect("it was there");
    images(&path).expect_err("it is no layout any more");
}

/// Changes bytes of the heads, and cuts files off: whatever is told, it is told without a panic and without a large
/// allocation, which would end the test.
#[test]
fn damaged_heads_are_survived() {
    let folder = tempfile::tempdir().expect("a folder");
    let raw = disks::mixed(folder.path(), "disk.raw", 1 << 20);
    let base = disks::convert(&raw, &disks::CONTAINERS[0]);
    let above = folder.path().join("above.qcow2");
    run(
        "qemu-img",
        &["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", disks::text(&base), disks::text(&above)],
    );
    let flat = folder.path().join("flat.vmdk");
    run(
        "qemu-img",
        &["convert", "-O", "vmdk", "-o", "subformat=monolithicFlat", disks::text(&raw), disks::text(&flat)],
    );
    let damaged = folder.path().join("damaged");
    for path in [base, above, flat] {
        let mut sound = fs::read(&path).expect("reads");
        sound.truncate(4096);
        for (at, value) in (0..sound.len().min(160)).flat_map(|at| [(at, 0), (at, 0x7f), (at, 0xff)]) {
            let mut bytes = sound.clone();
            bytes[at] = value;
            fs::write(&damaged, &bytes).expect("writes");
            let _ = probe(&damaged);
        }
        for length in (0..sound.len()).step_by(97) {
            fs::write(&damaged, &sound[..length]).expect("writes");
            let _ = probe(&damaged);
        }
    }
}
