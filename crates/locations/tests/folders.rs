//! What is found in folders of this machine, with images that real tools make.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use guardhouse_locations::{Address, Folders, Found, Listing, fetch, list};
use guardhouse_test_images::{
    containers::{self, Layout, TAR},
    disks, run,
};
use tempfile::TempDir;

struct Place {
    folder: TempDir,
    raw: PathBuf,
}

impl Place {
    /// An empty location, and beside it a disk to make images of.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("location")).expect("a folder");
        let raw = disks::mixed(folder.path(), "raw", 3 << 20);
        Self { folder, raw }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("it is there").join("location")
    }

    fn address(&self) -> Address {
        Address::Folder { path: self.path() }
    }

    /// The path of a name in the location, with the folders above it.
    fn at(&self, name: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("below the location")).expect("folders");
        path
    }

    fn qcow2(&self, name: &str, backing: &[&str]) {
        let path = self.at(name);
        match backing {
            [] => run("qemu-img", &["convert", "-O", "qcow2", disks::text(&self.raw), disks::text(&path)]),
            [backing, ..] => run(
                "qemu-img",
                &[
                    "create",
                    "-q",
                    "-u",
                    "-f",
                    "qcow2",
                    "-F",
                    "qcow2",
                    "-b",
                    backing,
                    disks::text(&path),
                    "3M",
                ],
            ),
        };
    }

    /// A layout with an image of each name and platform.
    fn layout(&self, name: &str, images: &[(&str, &str)]) {
        let tree = self.folder.path().join("tree");
        fs::create_dir_all(&tree).expect("a folder");
        fs::write(tree.join("file"), name).expect("a file");
        let archive = self.folder.path().join("layer.tar");
        containers::tar(&tree, &archive);
        let layer = fs::read(&archive).expect("reads");
        let layout = Layout::new(&self.at(name));
        let images: Vec<String> = images
            .iter()
            .map(|(name, platform)| {
                let named = format!(r#","annotations":{{"org.opencontainers.image.ref.name":"{name}"}}"#);
                layout.image(
                    platform,
                    &[(TAR, layer.clone(), layer.clone())],
                    if name.is_empty() { "" } else { &named },
                )
            })
            .collect();
        layout.finish(&images);
    }

    async fn list(&self) -> Listing {
        list(&self.address(), &Folders::default()).await.expect("it can be listed")
    }

    async fn names(&self) -> Vec<String> {
        self.list().await.found.into_iter().map(|found| found.name).collect()
    }

    async fn version(&self, name: &str) -> String {
        let found = self.list().await.found.into_iter().find(|found| found.name == name);
        found.expect("it is listed").version
    }
}

#[tokio::test]
async fn images_are_found_by_their_content() {
    let place = Place::new();
    place.qcow2("db/root.qcow2", &[]);
    place.qcow2("no-ending", &[]);
    fs::write(place.at("notes.qcow2"), "not one").expect("a file");
    fs::write(place.at("db/readme.txt"), "a text").expect("a file");
    let tree = place.folder.path().join("tree");
    fs::create_dir(&tree).expect("a folder");
    containers::tar(&tree, &place.at("root.tar"));
    place.layout(
        "apps",
        &[("web:1", "linux/amd64"), ("web:1", "linux/arm64/v8"), ("db", "linux/386"), ("", "linux/s390x")],
    );
    let listing = place.list().await;
    assert_eq!(listing.left_out, [""; 0]);
    let names: Vec<&str> = listing.found.iter().map(|found| found.name.as_str()).collect();
    assert_eq!(names[0..1], ["apps#db"]);
    assert!(names[1].starts_with("apps#sha256:"), "{names:?}");
    assert_eq!(
        names[2..],
        ["apps#web:1 (linux/amd64)", "apps#web:1 (linux/arm64/v8)", "db/root.qcow2", "no-ending", "root.tar"]
    );
    for Found { name, size_bytes, version } in &listing.found {
        assert!(*size_bytes > 0 && version.len() == 32, "{name}");
        let fetched =
            fetch(&place.address(), name, Path::new("/nonexistent"), &Folders::default()).await.expect(name);
        assert_eq!((&fetched.version, fetched.size_bytes), (version, *size_bytes), "{name}");
        assert!(fetched.path.starts_with(place.path()) && !fetched.is_temporary(), "{name}");
        let options =
            guardhouse_image::Options { image: fetched.image, ..guardhouse_image::Options::default() };
        let opened = guardhouse_image::open(&fetched.path, &options).expect(name);
        assert_eq!(opened.volumes.len(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_layout_is_a_location_too() {
    let place = Place::new();
    place.layout("apps", &[("web:1", "linux/amd64"), ("web:2", "linux/arm64")]);
    let address = Address::OciLayout { path: place.path().join("apps") };
    let names = async |address: &Address| {
        let listing = list(address, &Folders::default()).await.expect("it can be listed");
        listing.found.into_iter().map(|found| found.name).collect::<Vec<_>>()
    };
    assert_eq!(names(&address).await, ["web:1", "web:2"]);
    assert_eq!(names(&Address::Folder { path: place.path().join("apps") }).await, ["web:1", "web:2"]);
    let fetched = fetch(&address, "web:2", Path::new("/"), &Folders::default()).await.expect("it is there");
    assert_eq!(
        (fetched.path.clone(), fetched.image.map(|digest| digest.len())),
        (place.path().join("apps"), Some(64))
    );
    let trouble = fetch(&address, "web:3", Path::new("/"), &Folders::default())
        .await
        .expect_err("there is none")
        .to_string();
    assert!(trouble.contains("web:3"), "{trouble}");
    let trouble = list(&Address::OciLayout { path: place.path() }, &Folders::default())
        .await
        .expect_err("no layout")
        .to_string();
    assert!(trouble.contains("index.json"), "{trouble}");
}

#[tokio::test]
async fn files_that_an_image_needs_come_with_it() {
    let place = Place::new();
    place.qcow2("base/first.qcow2", &[]);
    place.qcow2("second.qcow2", &["base/first.qcow2"]);
    let third = place.path().join("second.qcow2");
    place.qcow2("tops/third.qcow2", &[disks::text(&third)]);
    // It was moved here with the one it refers to.
    place.qcow2("moved/top.qcow2", &["/elsewhere/first.qcow2"]);
    fs::copy(place.at("base/first.qcow2"), place.at("moved/first.qcow2")).expect("copies");
    let flat = place.at("vm/flat.vmdk");
    run(
        "qemu-img",
        &[
            "convert",
            "-O",
            "vmdk",
            "-o",
            "subformat=twoGbMaxExtentFlat",
            disks::text(&place.raw),
            disks::text(&flat),
        ],
    );
    assert_eq!(
        place.names().await,
        [
            "base/first.qcow2",
            "moved/first.qcow2",
            "moved/top.qcow2",
            "second.qcow2",
            "tops/third.qcow2",
            "vm/flat.vmdk"
        ]
    );
    let table = [
        ("tops/third.qcow2", vec!["base/first.qcow2", "second.qcow2"]),
        ("moved/top.qcow2", vec!["moved/first.qcow2"]),
        ("vm/flat.vmdk", vec!["vm/flat-f001.vmdk"]),
        ("base/first.qcow2", vec![]),
    ];
    for (name, also) in table {
        let fetched = fetch(&place.address(), name, Path::new("/"), &Folders::default()).await.expect(name);
        let also: Vec<PathBuf> = also.into_iter().map(|name| place.path().join(name)).collect();
        assert_eq!(fetched.also, also, "{name}");
        let options = guardhouse_image::Options { also, ..guardhouse_image::Options::default() };
        guardhouse_image::open(&fetched.path, &options).expect(name);
    }
    let before = place.version("tops/third.qcow2").await;
    place.qcow2("base/first.qcow2", &[]);
    assert_ne!(place.version("tops/third.qcow2").await, before, "what lies below it changed");

    fs::write(place.folder.path().join("secret"), b"QFI\xfb").expect("a file");
    for outside in
        ["../secret", "../../../../etc/shadow", "/etc/shadow", "json:{\"file.filename\":\"/etc/shadow\"}"]
    {
        place.qcow2("bad.qcow2", &[outside]);
        let trouble = fetch(&place.address(), "bad.qcow2", Path::new("/"), &Folders::default())
            .await
            .expect_err(outside)
            .to_string();
        assert!(trouble.contains("is not in the location"), "{trouble}");
        assert!(place.names().await.contains(&"bad.qcow2".to_owned()), "the scan is to say so");
        fs::remove_file(place.at("bad.qcow2")).expect("it is there");
    }
}

#[tokio::test]
async fn no_name_and_no_link_leads_out() {
    let place = Place::new();
    place.qcow2("inside.qcow2", &[]);
    let outside = place.folder.path().join("outside");
    fs::create_dir(&outside).expect("a folder");
    fs::copy(place.at("inside.qcow2"), outside.join("disk.qcow2")).expect("copies");
    symlink(outside.join("disk.qcow2"), place.at("link.qcow2")).expect("a link");
    symlink(&outside, place.at("folder")).expect("a link");
    symlink("inside.qcow2", place.at("again.qcow2")).expect("a link");
    let listing = place.list().await;
    assert_eq!(listing.found.len(), 1, "{listing:?}");
    assert!(listing.left_out[0].contains("3 symbolic links"), "{listing:?}");
    let absolute = outside.join("disk.qcow2");
    for name in [
        "link.qcow2",
        "folder/disk.qcow2",
        "again.qcow2",
        "../outside/disk.qcow2",
        disks::text(&absolute),
        "",
        ".",
    ] {
        fetch(&place.address(), name, Path::new("/"), &Folders::default()).await.expect_err(name);
    }
}

#[tokio::test]
async fn a_version_changes_with_the_content() {
    let place = Place::new();
    place.qcow2("disk.qcow2", &[]);
    let (path, before) = (place.at("disk.qcow2"), place.version("disk.qcow2").await);
    assert_eq!(place.version("disk.qcow2").await, before);
    let time = fs::metadata(&path).and_then(|metadata| metadata.modified()).expect("it is there");
    // Another byte at the same length, and the old time.
    let mut bytes = fs::read(&path).expect("reads");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, &bytes).expect("writes");
    fs::File::options()
        .write(true)
        .open(&path)
        .and_then(|file| file.set_modified(time))
        .expect("sets the time");
    assert_ne!(place.version("disk.qcow2").await, before);
}

#[tokio::test]
async fn what_cannot_be_read_is_told() {
    let place = Place::new();
    place.qcow2("disk.qcow2", &[]);
    place.layout("apps", &[("web", "linux/amd64")]);
    fs::write(place.at("apps/index.json"), "{").expect("a file");
    let deep = (0..10).map(|number| number.to_string()).collect::<Vec<_>>().join("/");
    place.qcow2(&format!("{deep}/disk.qcow2"), &[]);
    let listing = place.list().await;
    assert_eq!(listing.found.len(), 1, "{listing:?}");
    let left_out = listing.left_out.join("\n");
    assert!(left_out.contains("index.json") && left_out.contains("deeper than 8 folders"), "{left_out}");

    let gone = Address::Folder { path: place.path().join("gone") };
    let trouble = list(&gone, &Folders::default()).await.expect_err("it is not there");
    assert!(!trouble.is_passing() && trouble.to_string().contains("on every machine"), "{trouble}");
    let file = Address::Folder { path: place.path().join("disk.qcow2") };
    let trouble = list(&file, &Folders::default()).await.expect_err("it is a file").to_string();
    assert!(trouble.contains("name the folder it lies in"), "{trouble}");
}

#[tokio::test]
async fn no_folder_is_read_but_those_that_are_allowed() {
    let place = Place::new();
    place.qcow2("in/disk.qcow2", &[]);
    place.qcow2("out/disk.qcow2", &[]);
    place.layout("out/apps", &[("web", "linux/amd64")]);
    std::os::unix::fs::symlink(place.at("in"), place.at("alias")).expect("a link");
    std::os::unix::fs::symlink(place.at("out"), place.at("in/leads-out")).expect("a link");
    let only = |name: &str| Folders::below(vec![place.at(name)]);
    let folder = |name: &str| Address::Folder { path: place.at(name) };
    let layout = |name: &str| Address::OciLayout { path: place.at(name) };

    // What is allowed may be a link, and so may be what leads there.
    for (allowed, address) in [("in", "in"), ("in", "alias"), ("alias", "in"), ("alias", "alias")] {
        let (allowed, address) = (only(allowed), folder(address));
        let listing = list(&address, &allowed).await.expect("it is allowed");
        assert_eq!(listing.found.len(), 1, "{listing:?}");
        fetch(&address, "disk.qcow2", Path::new("/"), &allowed).await.expect("it is allowed");
    }
    for (address, name) in [
        (folder("out"), "disk.qcow2"),
        (folder("in/leads-out"), "disk.qcow2"),
        (folder("alias/leads-out"), "disk.qcow2"),
        (folder("in/../out"), "disk.qcow2"),
        (layout("out/apps"), "web"),
        (layout("in/leads-out/apps"), "web"),
    ] {
        for trouble in [
            list(&address, &only("in")).await.expect_err("it is not allowed"),
            fetch(&address, name, Path::new("/"), &only("in")).await.expect_err("it is not allowed"),
        ] {
            let said = trouble.to_string();
            assert!(!trouble.is_passing() && said.contains("--location-folder"), "{address:?}: {said}");
        }
        list(&address, &Folders::default()).await.expect("all are allowed");
    }
    let nowhere = Folders::below(vec![place.at("not-mounted")]);
    list(&folder("in"), &nowhere).await.expect_err("what is allowed is not there");
    for kernel in ["/proc/self", "/sys", "/"] {
        list(&Address::Folder { path: kernel.into() }, &Folders::default()).await.expect_err(kernel);
    }
}
