//! What is not read says so, and stops nothing else.

use super::*;

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
    let bzip2 = layout.image("linux/riscv64", &[(TAR, b"BZh91AY&".to_vec(), Vec::new())], "");
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
    layout
        .finish(&[good, missing, encrypted, unknown, bzip2, cut, half, changed, artefact, nonsense, nowhere]);
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
