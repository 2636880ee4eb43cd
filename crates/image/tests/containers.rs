//! Every container holds, byte for byte, the disk that was put into it.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

use guardhouse_image::{
    BlockRead,
    block::{
        Cache, FileDisk,
        container::{Allowed, Container, ContainerError, open},
    },
    volume::{Reason, Refusal},
};
use guardhouse_test_images::{bytes, disks, run};

const LENGTH: u64 = 5 << 20;

fn opened(path: &Path, also: &[PathBuf]) -> Result<Container, ContainerError> {
    let file = Arc::new(FileDisk::open(path).expect("opens"));
    open(file, path, &Allowed::new(also), &Cache::new(4 << 20))
}

fn refusal(path: &Path) -> Refusal {
    match opened(path, &[]).expect_err("is refused") {
        ContainerError::Refused(refusal) => refusal,
        ContainerError::Io(error) => panic!("{error}"),
    }
}

/// Compares a disk with its bytes, in steps that are no multiple of anything.
fn compare(disk: &dyn BlockRead, bytes: &[u8], step: usize, name: &str) {
    assert_eq!(disk.len(), bytes.len() as u64, "{name}");
    let mut buffer = vec![0; step];
    for (number, expected) in bytes.chunks(step).enumerate() {
        let at = (number * step) as u64;
        let read = &mut buffer[..expected.len()];
        disk.read_at(at, read).unwrap_or_else(|error| panic!("{name} at {at}: {error}"));
        assert!(read == expected, "{name} differs between {at} and {}", at + step as u64);
    }
}

fn assert_same(path: &Path, also: &[PathBuf], raw: &Path) {
    let container = opened(path, also).unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
    let bytes = fs::read(raw).expect("reads");
    for step in [131_072, 70_001, 3_001] {
        compare(container.disk.as_ref(), &bytes, step, disks::text(path));
    }
    let mut byte = [0];
    let error = container.disk.read_at(bytes.len() as u64, &mut byte).expect_err("there is nothing");
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn every_container_holds_its_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let raw = disks::mixed(folder.path(), "disk.raw", LENGTH);
    assert_same(&raw, &[], &raw);
    for container in &disks::CONTAINERS {
        assert_same(&disks::convert(&raw, container), &[], &raw);
    }
}

#[test]
fn threads_read_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let raw = disks::mixed(folder.path(), "disk.raw", LENGTH);
    let bytes = fs::read(&raw).expect("reads");
    for container in disks::CONTAINERS.iter().filter(|container| container.name.contains('z')) {
        let name = container.name;
        let container = opened(&disks::convert(&raw, container), &[]).expect("opens");
        std::thread::scope(|scope| {
            for step in [4_096, 65_536, 100_000, 500] {
                let (disk, bytes) = (&container.disk, &bytes);
                scope.spawn(move || compare(disk.as_ref(), bytes, step, name));
            }
        });
    }
}

#[test]
fn a_backing_file_is_read_only_when_it_is_allowed() {
    let folder = tempfile::tempdir().expect("a folder");
    let raw = disks::mixed(folder.path(), "base.raw", LENGTH);
    let base = disks::convert(&raw, &disks::CONTAINERS[2]);
    let (middle, top) = (folder.path().join("middle.qcow2"), folder.path().join("top.qcow2"));
    for (below, format, above) in [(&base, "qcow2", &middle), (&middle, "qcow2", &top)] {
        let below = below.file_name().and_then(|name| name.to_str()).expect("a name");
        run("qemu-img", &["create", "-q", "-f", "qcow2", "-b", below, "-F", format, disks::text(above)]);
    }
    run("qemu-io", &["-c", "write -P 7 100k 300k", "-c", "write -z 1M 128k", disks::text(&middle)]);
    // The disk grows: what lies beyond the end of the backing file is zeros.
    run("qemu-img", &["resize", "-q", disks::text(&top), "6M"]);
    run("qemu-io", &["-c", "write -P 8 64k 64k", disks::text(&top)]);
    let merged = folder.path().join("merged.raw");
    run("qemu-img", &["convert", "-O", "raw", disks::text(&top), disks::text(&merged)]);

    assert_same(&top, &[base.clone(), middle.clone()], &merged);
    let refused = refusal(&top);
    assert_eq!(refused.reason, Reason::NotAllowed);
    assert!(refused.detail.contains("middle.qcow2") && refused.detail.contains("--also"), "{refused}");
    let ContainerError::Refused(refused) =
        opened(&top, std::slice::from_ref(&middle)).expect_err("one is missing")
    else {
        panic!("not refused");
    };
    assert!(refused.detail.contains("zlib.qcow2"), "{refused}");
    // Images that were moved together are found by their names.
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).expect("a folder");
    let moved: Vec<PathBuf> =
        [&base, &middle].map(|path| elsewhere.join(path.file_name().expect("a name"))).to_vec();
    for (from, to) in [&base, &middle].into_iter().zip(&moved) {
        fs::rename(from, to).expect("moves");
    }
    assert_same(&top, &moved, &merged);
}

#[test]
fn files_that_back_each_other_in_a_circle_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (folder.path().join("a.qcow2"), folder.path().join("b.qcow2"));
    for path in [&first, &second] {
        run("qemu-img", &["create", "-q", "-f", "qcow2", disks::text(path), "1M"]);
    }
    for (above, below) in [(&first, "b.qcow2"), (&second, "a.qcow2")] {
        run(
            "qemu-img",
            &["rebase", "-q", "-u", "-f", "qcow2", "-F", "qcow2", "-b", below, disks::text(above)],
        );
    }
    let error = opened(&first, &[first.clone(), second]).expect_err("is refused");
    assert!(matches!(error, ContainerError::Refused(Refusal { reason: Reason::Damaged, .. })), "{error:?}");
}

#[test]
fn a_data_file_is_read_only_when_it_is_allowed() {
    let folder = tempfile::tempdir().expect("a folder");
    let raw = disks::mixed(folder.path(), "disk.raw", LENGTH);
    let (image, data) = (folder.path().join("disk.qcow2"), folder.path().join("disk.data"));
    let options = format!("data_file={}", disks::text(&data));
    run("qemu-img", &["convert", "-O", "qcow2", "-o", &options, disks::text(&raw), disks::text(&image)]);
    assert_eq!(refusal(&image).reason, Reason::NotAllowed);
    assert_same(&image, &[data], &raw);
}

#[test]
fn extents_are_read_only_when_they_are_allowed() {
    let folder = tempfile::tempdir().expect("a folder");
    let raw = disks::mixed(folder.path(), "disk.raw", LENGTH);
    for format in ["monolithicFlat", "twoGbMaxExtentFlat", "twoGbMaxExtentSparse"] {
        let image = folder.path().join(format!("{format}.vmdk"));
        let options = format!("subformat={format}");
        run("qemu-img", &["convert", "-O", "vmdk", "-o", &options, disks::text(&raw), disks::text(&image)]);
        let refused = refusal(&image);
        assert_eq!(refused.reason, Reason::NotAllowed, "{refused}");
        let extents =
            fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("an entry").path());
        let extents: Vec<PathBuf> =
            extents.filter(|path| disks::text(path).contains(&format!("{format}-"))).collect();
        assert!(!extents.is_empty());
        assert_same(&image, &extents, &raw);
    }
    // Several of them, of several kinds.
    let extent = folder.path().join("part-1.vmdk");
    disks::put(&extent, 512, &bytes::noise(5, 1 << 20));
    let image = folder.path().join("parts.vmdk");
    let text = "# Disk DescriptorFile\nparentCID=ffffffff\nRW 100 FLAT \"part-1.vmdk\" 1\nRW 300 ZERO\nRW 1000 FLAT \"part-1.vmdk\" 7\n";
    fs::write(&image, text).expect("writes");
    let bytes = fs::read(&extent).expect("reads");
    let expected = [&bytes[512..512 * 101], &vec![0; 512 * 300], &bytes[512 * 7..512 * 1007]].concat();
    let merged = folder.path().join("parts.raw");
    fs::write(&merged, expected).expect("writes");
    assert_same(&image, &[extent], &merged);
}

#[test]
fn what_is_not_read_is_refused_by_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("image");
    let secret = "secret,id=key,data=geheim";
    let encrypted = folder.path().join("encrypted.qcow2");
    let options = "encrypt.format=luks,encrypt.key-secret=key,encrypt.iter-time=10";
    run(
        "qemu-img",
        &["create", "-q", "--object", secret, "-f", "qcow2", "-o", options, disks::text(&encrypted), "1M"],
    );
    assert_eq!(refusal(&encrypted).reason, Reason::Encrypted);

    for (format, options) in [("qed", ""), ("parallels", ""), ("qcow", "")] {
        let image = folder.path().join(format);
        run("qemu-img", &["create", "-q", "-f", format, disks::text(&image), "1M"]);
        assert_eq!(refusal(&image).reason, Reason::Unsupported, "{format}{options}");
    }
    for (head, what) in
        [(b"EVF\x09\x0d\x0a\xff\x00".as_slice(), "EWF"), (b"\x1f\x8b\x08\0", "gzip"), (b"COWD", "COWD")]
    {
        fs::write(&path, [head, &[0; 4096]].concat()).expect("writes");
        let refused = refusal(&path);
        assert!(refused.reason == Reason::Unsupported && refused.what.contains(what), "{refused}");
    }
    // A snapshot and a differencing disk need another disk.
    let base = folder.path().join("base.vmdk");
    run("qemu-img", &["create", "-q", "-f", "vmdk", disks::text(&base), "1M"]);
    let delta = folder.path().join("delta.vmdk");
    run(
        "qemu-img",
        &["create", "-q", "-f", "vmdk", "-b", disks::text(&base), "-F", "vmdk", disks::text(&delta)],
    );
    let refused = refusal(&delta);
    assert!(refused.what.contains("snapshot") && refused.detail.contains("base.vmdk"), "{refused}");
}

#[test]
fn an_image_that_was_cut_off_is_damaged_and_not_empty() {
    let folder = tempfile::tempdir().expect("a folder");
    let raw = disks::mixed(folder.path(), "disk.raw", LENGTH);
    for container in &disks::CONTAINERS {
        let image = disks::convert(&raw, container);
        let length = fs::metadata(&image).expect("a file").len();
        fs::File::options().write(true).open(&image).and_then(|file| file.set_len(length / 2)).expect("cuts");
        // A fixed VHD has its footer at the end only: what is left looks like a raw disk, half as long.
        let Ok(container) = opened(&image, &[]) else { continue };
        let mut bytes = vec![0; 1 << 20];
        let read = (0..LENGTH).step_by(1 << 20).map(|at| container.disk.read_at(at, &mut bytes));
        assert!(read.into_iter().any(|read| read.is_err()), "{} is read", image.display());
    }
}
