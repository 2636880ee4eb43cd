//! Layouts with several images.

use super::*;

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

/// As buildkit and containerd write them: a tag names an index, and some of its images were never fetched.
#[test]
fn an_image_is_asked_for_by_its_name() {
    let (_folder, path) = folders();
    let layout = Layout::new(&path);
    let amd = layout.image("linux/amd64", &[plain(&["a=amd"])], "");
    let arm = layout.image("linux/arm64", &[plain(&["a=arm"])], "");
    let elsewhere = format!(
        r#"{{"mediaType":"x","digest":"sha256:{}","platform":{{"os":"linux","architecture":"s390x"}}}}"#,
        "0".repeat(64)
    );
    let inner = layout.inner_index(&[amd.clone(), arm, elsewhere]);
    let named = |descriptor: &str, names: &str| {
        format!(r#"{},"annotations":{{{names}}}}}"#, descriptor.strip_suffix('}').expect("an object"))
    };
    let tag = r#""org.opencontainers.image.ref.name":"1""#;
    let app = named(&inner, &format!(r#"{tag},"io.containerd.image.name":"docker.io/library/app:1""#));
    let other = layout.image("linux/amd64", &[plain(&["a=other"])], "");
    let other = other.replace("}}", r#"},"annotations":{"org.opencontainers.image.ref.name":"other"}}"#);
    let stable = named(&amd, r#""org.opencontainers.image.ref.name":"stable""#);
    layout.finish(&[app, other.clone(), stable]);
    let digest = other.split("sha256:").nth(1).and_then(|rest| rest.get(..12)).expect("it has one");
    let asked = |name: &str, platform: Option<&str>| {
        let (image, platform) = (Some(name.to_owned()), platform.map(str::to_owned));
        open(&path, &Options { image, platform, ..Options::default() })
    };
    let files = |name: &str, platform: Option<&str>| {
        brief(&asked(name, platform).unwrap_or_else(|error| panic!("{error}")))
    };
    for name in ["app:1", "docker.io/library/app:1"] {
        assert_eq!(files(name, None), ["image linux/amd64: /a=amd", "image linux/arm64: /a=arm"], "{name}");
        assert_eq!(files(name, Some("linux/arm64")), ["image linux/arm64: /a=arm"], "{name}");
    }
    assert_eq!(files("stable", None), ["image linux/amd64: /a=amd"]);
    for name in ["other".to_owned(), digest.to_owned(), format!("sha256:{digest}")] {
        assert_eq!(files(&name, None), ["image linux/amd64: /a=other"], "{name}");
    }
    for name in ["pp:1", "app", "", "0a"] {
        let refusal = refusal_of(asked(name, None));
        assert!(
            refusal.detail.contains("docker.io/library/app:1") && refusal.detail.contains("other"),
            "{refusal}"
        );
    }
    let opened = open_it(&path);
    assert_eq!(opened.notes, ["the index names images that are not there as well: linux/s390x"]);
    assert_eq!(opened.volumes.len(), 3);
}

#[test]
fn several_threads_unpack_the_same_as_one() {
    let (_folder, path) = folders();
    let layout = Layout::new(&path);
    let layers: Vec<_> = (0..20)
        .map(|number: usize| {
            let (file, last) = (format!("f{number}={number}"), format!("last={number}"));
            if number.is_multiple_of(2) { gzipped(&[&file, &last]) } else { zstandard(&[&file, &last]) }
        })
        .collect();
    let images: Vec<String> =
        (1..=4).map(|count| layout.image(&format!("linux/{count}"), &layers[..count * 5], "")).collect();
    layout.finish(&images);
    let unpacked =
        |threads| open(&path, &Options { threads, ..Options::default() }).map(|opened| brief(&opened));
    let one = unpacked(1).expect("it can be read");
    assert!(one[3].ends_with("/last=19"), "{one:?}");
    for threads in [0, 2, 3, 64] {
        assert_eq!(unpacked(threads).expect("it can be read"), one, "{threads}");
    }
}

/// Forms from which an engine can fetch single files: each file is packed by itself, and a table of them comes last. They
/// are plain gzip and zstd for everybody else.
#[test]
fn layers_that_are_packed_in_parts_are_read() {
    let (_folder, path) = folders();
    let layout = Layout::new(&path);
    let plain = archive(&["a=1", "b=2", "c=3"]);
    let parts = || plain.chunks(1024);
    // estargz ends with an empty member that says where the table is.
    let footer = flate2::GzBuilder::new()
        .extra("SG\x16\x00000000000000000aSTARGZ")
        .write(Vec::new(), Compression::none());
    let footer = footer.finish().expect("memory takes it");
    let estargz = [parts().map(gzip).collect::<Vec<_>>().concat(), footer].concat();
    // zstd:chunked has table and footer in frames that are skipped.
    let skipped = |content: &[u8]| {
        let length = u32::try_from(content.len()).expect("it is short").to_le_bytes();
        [&[0x50, 0x2a, 0x4d, 0x18], length.as_slice(), content].concat()
    };
    let chunked = [
        skipped(b"first"),
        parts().map(zstd).collect::<Vec<_>>().concat(),
        skipped(&zstd(b"{}")),
        skipped(&[0; 64]),
    ]
    .concat();
    let layers = [
        ("application/vnd.oci.image.layer.v1.tar+gzip", estargz, plain.clone()),
        ("application/vnd.oci.image.layer.v1.tar+zstd", chunked, plain),
    ];
    let images = layers.map(|layer| layout.image("linux/amd64", &[layer], ""));
    layout.finish(&images);
    for image in brief(&open_it(&path)) {
        assert!(image.ends_with(": /a=1 /b=2 /c=3"), "{image}");
    }
}
