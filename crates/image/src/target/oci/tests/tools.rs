//! Images that others have made or unpacked.

use super::*;

fn has(program: &str) -> bool {
    let has = std::process::Command::new(program).arg("--version").output().is_ok();
    if !has {
        eprintln!("SKIPPED: {program} is not installed");
    }
    has
}

/// What umoci makes of the same image, as root of a user namespace.
#[test]
fn umoci_sees_the_same_files() {
    if !has("umoci") {
        return;
    }
    let (folder, path) = folders();
    let layout = Layout::new(&path);
    let layers = [
        gzipped(&["a/b/c=1", "a/d=1", "e/f=1", "g/h/i=1", "j=1", "k/l=1"]),
        gzipped(&["a/.wh.b", "a/b/new=2", "e/.wh..wh..opq", "e/n=2", ".wh.j", "k=2", "g/h/.wh.i"]),
        gzipped(&["j/k/l=3", "a/b/.wh.new", "k=3", "g/.wh.h", "g/h/again=3", "e/f=3"]),
    ];
    let more = r#","annotations":{"org.opencontainers.image.ref.name":"latest"}"#;
    layout.finish(&[layout.image("linux/amd64", &layers, more)]);
    let bundle = folder.path().join("bundle");
    let image = format!("{}:latest", path.display());
    guardhouse_test_images::run(
        "umoci",
        &["unpack", "--rootless", "--image", &image, &bundle.display().to_string()],
    );
    let unpacked =
        crate::target::folder::open(&bundle.join("rootfs"), &Options::default()).expect("umoci made it");
    let opened = open_it(&path);
    assert_eq!(files(&opened.volumes[0]), files(&unpacked.volumes[0]));
    assert!(files(&opened.volumes[0]).contains(&format!("{}=2", FilePath::new(b"/e/n"))));
}

#[test]
fn archives_of_skopeo_are_read() {
    if !has("skopeo") {
        return;
    }
    let (folder, path) = folders();
    let layout = Layout::new(&path);
    let layers = [gzipped(&["a=1", "b=1"]), plain(&[".wh.a", "c=2"])];
    let more = r#","annotations":{"org.opencontainers.image.ref.name":"latest"}"#;
    layout.finish(&[layout.image("linux/amd64", &layers, more)]);
    let saved = folder.path().join("saved.tar");
    let from = format!("oci:{}:latest", path.display());
    let to = format!("docker-archive:{}:example.org/app:1", saved.display());
    guardhouse_test_images::run("skopeo", &["--insecure-policy", "copy", "--quiet", &from, &to]);
    let opened = open_it(&saved);
    assert_eq!(opened.kind, TargetKind::Docker);
    assert_eq!(brief(&opened), ["image example.org/app:1: /b=1 /c=2"]);

    // Its own form: everything beside each other in a folder.
    let flat = folder.path().join("flat");
    let to = format!("dir:{}", flat.display());
    guardhouse_test_images::run("skopeo", &["--insecure-policy", "copy", "--quiet", &from, &to]);
    assert!(recognises(&flat, b""));
    let opened = open_it(&flat);
    assert_eq!(opened.kind, TargetKind::Oci);
    assert_eq!(brief(&opened), ["image linux/amd64: /b=1 /c=2"]);
    let blob = fs::read_dir(&flat).expect("skopeo wrote it").filter_map(Result::ok).find(|entry| {
        let name = entry.file_name();
        name != "manifest.json" && name != "version"
    });
    fs::remove_file(blob.expect("there are some").path()).expect("the folder is ours");
    assert_eq!(brief(&open_it(&flat)).first().map(|image| image.ends_with(": Incomplete")), Some(true));
}
