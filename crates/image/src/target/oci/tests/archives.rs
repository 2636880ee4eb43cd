//! Archives of files, which are no images.

use guardhouse_test_images::file_systems;

use super::*;

const FILES: [&str; 3] = ["./etc/alpine-release=3.20.3", "./lib/x=1", "./a.wh/.wh.b=a name as all others"];

#[test]
fn the_files_of_a_system_are_read() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let path = folder.path().join("rootfs");
    let plain = archive(&FILES);
    fs::write(&path, &plain).expect("the folder is ours");
    guardhouse_test_images::run("xz", &["--keep", "--force", &path.display().to_string()]);
    let xz = fs::read(path.with_extension("xz")).expect("xz wrote it");
    for (packing, bytes) in
        [("none", plain.clone()), ("gzip", gzip(&plain)), ("zstd", zstd(&plain)), ("xz", xz)]
    {
        fs::write(&path, &bytes).expect("the folder is ours");
        let opened = open(&path, &Options::default()).unwrap_or_else(|error| panic!("{packing}: {error}"));
        assert_eq!((opened.kind, opened.size), (TargetKind::Archive, plain.len() as u64), "{packing}");
        assert_eq!(
            brief(&opened),
            ["archive: /a.wh/.wh.b=a name as all others /etc/alpine-release=3.20.3 /lib/x=1"],
            "{packing}"
        );
        let system = opened.systems().remove(0);
        assert_eq!(system.os.map(|os| os.id).as_deref(), Some("alpine"), "{packing}");
    }
}

/// Before there was a magic number.
#[test]
fn the_oldest_archives_are_recognised() {
    let mut header = ::tar::Header::new_old();
    header.set_path("a").expect("it is short");
    header.set_size(0);
    header.set_cksum();
    assert!(recognises(Path::new("old.tar"), header.as_bytes()));
    assert!(!recognises(Path::new("zeros"), &[0; BLOCK]));
    assert!(!recognises(Path::new("short"), &header.as_bytes()[..100]));
}

#[test]
fn files_of_a_program_are_no_image() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let path = folder.path().join("page.tar");
    for files in [
        &["index.json={}", "manifest.json={\"name\":\"page\"}"][..],
        &["index.json=["],
        &["one/index.json={}"],
    ] {
        fs::write(&path, archive(files)).expect("the folder is ours");
        assert_eq!(open_it(&path).kind, TargetKind::Archive, "{files:?}");
    }
}

/// Nothing would be found in it, though there is an image.
#[test]
fn images_that_look_like_files_are_refused() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let path = folder.path().join("file.tar");
    for (bytes, reason) in [
        (archive(&["oci-layout={}"]), Reason::Incomplete),
        (archive(&["oci-layout={}", "index.json=["]), Reason::Damaged),
        (archive(&["index.json={\"manifests\":[]}"]), Reason::Incomplete),
        (archive(&["manifest.json=[{}]"]), Reason::Damaged),
        (archive(&["repositories={}", "0a/layer.tar=", "0a/json={}"]), Reason::Unsupported),
        (archive(&["layout/oci-layout={}", "layout/index.json={}"]), Reason::Unsupported),
        (archive(&["saved/manifest.json=[]", "saved/repositories={}"]), Reason::Unsupported),
        (gzip(&archive(&["a=1"]))[..30].to_vec(), Reason::Damaged),
    ] {
        fs::write(&path, &bytes).expect("the folder is ours");
        let refusal = refusal_of(open(&path, &Options::default()));
        assert_eq!(refusal.reason, reason, "{refusal}");
    }
    assert!(matches!(open(&folder.path().join("none"), &Options::default()), Err(OpenError::Io { .. })));
}

/// A disk that somebody packed looks like a system without packages.
#[test]
fn a_disk_in_an_archive_is_told() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let path = folder.path().join("disk.tar");
    let tree = tempfile::tempdir().expect("there is a temporary folder");
    let image = file_systems::ext("mkfs.ext2", &["-b", "1024"], tree.path(), 1);
    let pack = |with_holes, above: &[&str]| {
        let mut builder = ::tar::Builder::new(Vec::new());
        builder.sparse(with_holes);
        builder.append_path_with_name(&image.path, "disk.raw").expect("memory takes it");
        let disk = builder.into_inner().expect("memory takes it");
        // Without the blocks that end it.
        fs::write(&path, [&disk[..disk.len() - 2 * BLOCK], &archive(above)].concat())
            .expect("the folder is ours");
    };
    for with_holes in [true, false] {
        pack(with_holes, &["README=text"]);
        let refusal = refusal_of(open(&path, &Options::default()));
        assert_eq!(refusal.reason, Reason::Unsupported);
        assert!(refusal.detail.contains("the disk \"disk.raw\"; take it out"), "{refusal}");
    }
    pack(false, &["etc/os-release=ID=debian"]);
    assert_eq!(open_it(&path).kind, TargetKind::Archive, "a system with the disk of a guest");
}
