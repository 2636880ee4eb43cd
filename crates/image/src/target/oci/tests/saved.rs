//! What `docker save` writes.

use super::*;

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

/// Since version 25 there is a layout as well, which may have more.
#[test]
fn an_image_that_only_the_index_names_is_read() {
    let (folder, path) = folders();
    let layout = Layout::new(&path);
    let layer = plain(&["a=1"]);
    let digests = [format!(r#""sha256:{}""#, containers::digest(&layer.2))];
    let config = containers::digest(containers::config("linux/amd64", &digests).as_bytes());
    let amd = layout.image("linux/amd64", std::slice::from_ref(&layer), "");
    let arm = layout.image("linux/arm64", &[plain(&["a=arm"])], "");
    let inner = layout.inner_index(&[amd, arm]);
    layout.finish(&[inner]);
    let layer = containers::digest(&layer.2);
    let manifest = format!(
        r#"[{{"Config":"blobs/sha256/{config}","RepoTags":["app:1"],"Layers":["blobs/sha256/{layer}"]}}]"#
    );
    fs::write(path.join("manifest.json"), manifest).expect("the folder is ours");
    let packed = folder.path().join("saved.tar");
    containers::tar(&path, &packed);
    let opened = open_it(&packed);
    assert_eq!(opened.kind, TargetKind::Docker);
    assert_eq!(brief(&opened), ["image app:1: /a=1", "image linux/arm64: /a=arm"]);
    let arm = Options { platform: Some("linux/arm64".to_owned()), ..Options::default() };
    assert_eq!(brief(&open(&packed, &arm).expect("there is one")), ["image linux/arm64: /a=arm"]);
}
