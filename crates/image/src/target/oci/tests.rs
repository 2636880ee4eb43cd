use std::{
    collections::BTreeSet,
    fs,
    io::{Read as _, Write as _},
    ops::ControlFlow,
    path::PathBuf,
};

use flate2::{Compression, write::GzEncoder};
use guardhouse_test_images::containers::{self, Layout, TAR};
use tempfile::TempDir;

use super::*;
use crate::{file_system::FileKind, path::FilePath, tree};

/// A tar archive of `path=content`.
fn archive(files: &[&str]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for file in files {
        let (path, content) = file.split_once('=').unwrap_or((file, ""));
        let mut header = ::tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, content.as_bytes()).expect("memory takes it");
    }
    builder.into_inner().expect("memory takes it")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(bytes, 3).expect("memory takes it")
}

/// A layer as it is, in gzip and in zstd.
fn plain(files: &[&str]) -> (&'static str, Vec<u8>, Vec<u8>) {
    (TAR, archive(files), archive(files))
}

fn gzipped(files: &[&str]) -> (&'static str, Vec<u8>, Vec<u8>) {
    ("application/vnd.oci.image.layer.v1.tar+gzip", gzip(&archive(files)), archive(files))
}

fn zstandard(files: &[&str]) -> (&'static str, Vec<u8>, Vec<u8>) {
    ("application/vnd.oci.image.layer.v1.tar+zstd", zstd(&archive(files)), archive(files))
}

/// A folder for a layout, and one for what is made of it.
fn folders() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let layout = folder.path().join("layout");
    fs::create_dir(&layout).expect("the folder is ours");
    (folder, layout)
}

/// Each volume with its files, or why it has none.
fn brief(opened: &Opened) -> Vec<String> {
    opened
        .volumes
        .iter()
        .map(|volume| {
            let content = match &volume.content {
                Content::Files(_) => files(volume).into_iter().collect::<Vec<_>>().join(" "),
                Content::Nothing(what) | Content::Parts(what) => format!("nothing: {what}"),
                Content::Refused(refusal) => format!("{:?}", refusal.reason),
            };
            format!("{}: {content}", volume.place)
        })
        .collect()
}

/// The regular files of a volume, as `path=content`.
fn files(volume: &Volume) -> BTreeSet<String> {
    let tree = tree::systems(std::slice::from_ref(volume)).remove(0).tree;
    let mut reader = tree.reader().expect("it can be read");
    let (mut open, mut seen) = (vec![reader.root()], BTreeSet::new());
    while let Some(folder) = open.pop() {
        let mut places = Vec::new();
        reader
            .read_folder(&folder, &mut |_, place| {
                places.push(place);
                ControlFlow::Continue(())
            })
            .expect("it can be read");
        for place in places {
            match reader.metadata(&place).expect("it is there").kind {
                FileKind::Folder => open.push(place),
                FileKind::File => {
                    let content =
                        reader.read_head(&place.path, 1 << 20).expect("it can be read").expect("a file");
                    seen.insert(format!("{}={}", place.path, String::from_utf8_lossy(&content)));
                }
                FileKind::Symlink | FileKind::Other => {}
            }
        }
    }
    seen
}

fn refusal_of(result: Result<Opened, OpenError>) -> Refusal {
    match result {
        Err(OpenError::Refused { refusal, .. }) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

fn open_it(path: &Path) -> Opened {
    open(path, &Options::default()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_platform_of_a_layout_is_an_image() {
    let (folder, path) = folders();
    let layout = Layout::new(&path);
    let amd = layout.image("linux/amd64", &[gzipped(&["a=1", "b=1"]), zstandard(&[".wh.a", "c=2"])], "");
    let arm = layout.image("linux/arm64/v8", &[plain(&["a=arm"])], "");
    let tagged = layout.image(
        "linux/amd64",
        &[plain(&["a=other"])],
        r#","annotations":{"org.opencontainers.image.ref.name":"v2"}"#,
    );
    let attestation = layout.image(
        "unknown/unknown",
        &[],
        r#","annotations":{"vnd.docker.reference.type":"attestation-manifest"}"#,
    );
    let inner = layout.inner_index(&[amd.clone(), arm, attestation]);
    layout.finish(&[inner, amd, tagged]);
    let opened = open_it(&path);
    assert_eq!(opened.kind, TargetKind::Oci);
    let seen = brief(&opened);
    assert_eq!(
        seen[..3],
        [
            "image linux/amd64: /b=1 /c=2",
            "image linux/arm64/v8: /a=arm",
            "image attestation: nothing: attestation"
        ]
    );
    assert!(seen[3].starts_with("image linux/amd64 (v2, ") && seen[3].ends_with(": /a=other"), "{seen:?}");
    assert_eq!(opened.size, opened.volumes.iter().map(|volume| volume.size).sum::<u64>());

    let arm = Options { platform: Some("linux/arm64".to_owned()), ..Options::default() };
    assert_eq!(brief(&open(&path, &arm).expect("there is one")), ["image linux/arm64/v8: /a=arm"]);
    let none = Options { platform: Some("linux/s390x".to_owned()), ..Options::default() };
    let refusal = refusal_of(open(&path, &none));
    assert!(refusal.detail.contains("linux/amd64, linux/arm64/v8"), "{refusal}");
    let nonsense = Options { platform: Some("amd64".to_owned()), ..Options::default() };
    assert!(refusal_of(open(&path, &nonsense)).detail.contains("os/architecture"));

    // As an archive, plain and compressed, it is the same.
    let packed = folder.path().join("image.tar");
    containers::tar(&path, &packed);
    let bytes = fs::read(&packed).expect("tar wrote it");
    for (name, bytes) in [("plain", bytes.clone()), ("gzip", gzip(&bytes)), ("zstd", zstd(&bytes))] {
        fs::write(&packed, &bytes).expect("the folder is ours");
        assert!(recognises(&packed, &bytes[..bytes.len().min(4096)]), "{name}");
        assert_eq!(brief(&open_it(&packed)), seen, "{name}");
    }
    assert!(recognises(&path, b""));
    assert!(!recognises(folder.path(), b""));
    assert!(!recognises(&packed, &[0; 4096]));
    assert!(!recognises(&packed, &gzip(b"no tar")));
}

#[test]
fn saved_images_of_docker_are_read() {
    let (folder, path) = folders();
    let below = archive(&["etc/alpine-release=3.20.3", "a=1"]);
    let above = archive(&["etc/.wh.none", ".wh.a", "b=2"]);
    let digests = [&below, &above].map(|bytes| format!(r#""sha256:{}""#, containers::digest(bytes)));
    let config = containers::config("linux/amd64", &digests);
    let id = containers::digest(config.as_bytes());
    let write = |name: &str, bytes: &[u8]| {
        let at = path.join(name);
        fs::create_dir_all(at.parent().expect("it lies below")).expect("the folder is ours");
        fs::write(at, bytes).expect("the folder is ours");
    };
    // As before version 25: a layer of another image is a link.
    write("one/layer.tar", &below);
    write("two/layer.tar", &gzip(&above));
    fs::create_dir(path.join("three")).expect("the folder is ours");
    std::os::unix::fs::symlink("../one/layer.tar", path.join("three/layer.tar")).expect("the folder is ours");
    write(&format!("{id}.json"), config.as_bytes());
    let other = containers::config("linux/amd64", &digests[..1]);
    let other_id = containers::digest(other.as_bytes());
    write(&format!("blobs/sha256/{other_id}"), other.as_bytes());
    let manifest = format!(
        r#"[{{"Config":"{id}.json","RepoTags":["app:1","app:latest"],"Layers":["one/layer.tar","two/layer.tar"]}},
            {{"Config":"blobs/sha256/{other_id}","RepoTags":null,"Layers":["three/layer.tar"]}}]"#
    );
    write("manifest.json", manifest.as_bytes());
    let packed = folder.path().join("saved.tar");
    containers::tar(&path, &packed);
    let opened = open_it(&packed);
    assert_eq!(opened.kind, TargetKind::Docker);
    assert_eq!(
        brief(&opened),
        [
            "image app:1, app:latest: /b=2 /etc/alpine-release=3.20.3".to_owned(),
            format!("image {}: /a=1 /etc/alpine-release=3.20.3", &other_id[..12]),
        ]
    );
    let os = opened.systems().remove(0).os.expect("it says so");
    assert_eq!((os.id.as_str(), os.version.as_str()), ("alpine", "3.20.3"));

    // Other bytes under the same name.
    write("one/layer.tar", &archive(&["a=changed"]));
    containers::tar(&path, &packed);
    assert_eq!(
        brief(&open_it(&packed)),
        ["image app:1, app:latest: Damaged".to_owned(), format!("image {}: Damaged", &other_id[..12])]
    );
}

#[test]
fn what_cannot_be_read_is_refused_alone() {
    let (_folder, path) = folders();
    let layout = Layout::new(&path);
    let good = layout.image("linux/amd64", &[plain(&["a=1"])], "");
    let missing = layout.image("linux/386", &[plain(&["gone=1"])], "");
    let gone = containers::digest(&archive(&["gone=1"]));
    fs::remove_file(path.join("blobs/sha256").join(gone)).expect("it was written");
    let kind = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted";
    let encrypted = layout.image("linux/arm", &[(kind, vec![1, 2, 3], Vec::new())], "");
    let unknown = layout.image("linux/mips", &[("application/x-layer", vec![1], Vec::new())], "");
    let xz = layout.image("linux/riscv64", &[(TAR, b"\xfd7zXZ\0\0\0".to_vec(), Vec::new())], "");
    let cut = archive(&["a=1"]);
    let cut = layout.image(
        "linux/ppc64",
        &[(TAR, cut[..600].to_vec(), Vec::new()), (TAR, cut[..512].to_vec(), Vec::new())],
        "",
    );
    let packed = gzip(&archive(&["a=1"]));
    let half = layout.image("linux/s390x", &[(TAR, packed[..40].to_vec(), Vec::new())], "");
    let changed = layout.image("linux/loong64", &[plain(&["changed=1"])], "");
    let name = containers::digest(&archive(&["changed=1"]));
    fs::write(path.join("blobs/sha256").join(name), archive(&["changed=2"])).expect("the folder is ours");
    let artefact = layout.blob(
        "application/vnd.oci.image.manifest.v1+json",
        br#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json"},"layers":[]}"#,
        "",
    );
    let nonsense = layout.blob("application/vnd.oci.image.manifest.v1+json", b"[", "");
    let nowhere = r#"{"mediaType":"x","digest":"sha256:../../etc/passwd"}"#.to_owned();
    layout.finish(&[good, missing, encrypted, unknown, xz, cut, half, changed, artefact, nonsense, nowhere]);
    let seen = brief(&open_it(&path));
    let seen: Vec<&str> =
        seen.iter().map(|line| line.strip_prefix("image ").expect("all are images")).collect();
    assert_eq!(
        seen[..8],
        [
            "linux/amd64: /a=1",
            "linux/386: Incomplete",
            "linux/arm: Encrypted",
            "linux/mips: Unsupported",
            "linux/riscv64: Unsupported",
            "linux/ppc64: Damaged",
            "linux/s390x: Damaged",
            "linux/loong64: Damaged",
        ]
    );
    let reasons: Vec<&str> = seen[8..].iter().filter_map(|line| line.rsplit(": ").next()).collect();
    assert_eq!(reasons, ["Unsupported", "Damaged", "Damaged"]);
}

#[test]
fn archives_that_are_no_images_are_refused() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let path = folder.path().join("file.tar");
    for (bytes, reason) in [
        (archive(&["etc/os-release=ID=debian"]), Reason::Unsupported),
        (archive(&["index.json={}"]), Reason::Incomplete),
        (archive(&["index.json=["]), Reason::Damaged),
        (archive(&["manifest.json=[{}]"]), Reason::Damaged),
        (gzip(&archive(&["a=1"]))[..30].to_vec(), Reason::Damaged),
    ] {
        fs::write(&path, &bytes).expect("the folder is ours");
        assert_eq!(refusal_of(open(&path, &Options::default())).reason, reason);
    }
    assert!(matches!(open(&folder.path().join("none"), &Options::default()), Err(OpenError::Io { .. })));
}

/// An index that leads to itself cannot be made, for it would have to name its own digest; a deep one can.
#[test]
fn deep_indexes_end() {
    let (_folder, path) = folders();
    let layout = Layout::new(&path);
    let mut inner = layout.image("linux/amd64", &[plain(&["a=1"])], "");
    for _ in 0..20 {
        inner = layout.inner_index(&[inner]);
    }
    layout.finish(&[inner]);
    assert_eq!(brief(&open_it(&path)), ["image unknown/unknown: Limit"]);
}

#[test]
fn bombs_are_refused_before_they_fill_the_disk() {
    let (_folder, path) = folders();
    // A gigabyte of zeros and a bit.
    let zeros = std::io::repeat(0).take(limits::UNPACKED_ANYWAY_BYTES + (1 << 20));
    let bomb = ::zstd::encode_all(zeros, 1).expect("memory takes it");
    assert!(bomb.len() < 1 << 20);
    let layout = Layout::new(&path);
    let bomb =
        layout.image("linux/amd64", &[("application/vnd.oci.image.layer.v1.tar+zstd", bomb, Vec::new())], "");
    layout.finish(&[bomb]);
    assert_eq!(brief(&open_it(&path)), ["image linux/amd64: Limit"]);
}

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
}
