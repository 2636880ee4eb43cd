//! What the fuzz target begins with.

use guardhouse_test_images::seeds::keep;

use super::*;

/// Small archives of each form below a layer that takes some of their files away.
#[test]
fn seeds_of_layers_are_read() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let tree = folder.path().join("tree");
    let long = "n".repeat(90);
    std::fs::create_dir_all(tree.join("a").join(&long).join(&long)).expect("the folder is ours");
    std::fs::write(tree.join("a/file"), "text").expect("the folder is ours");
    std::fs::hard_link(tree.join("a/file"), tree.join("second")).expect("the folder is ours");
    std::os::unix::fs::symlink(long.repeat(2), tree.join("link")).expect("the folder is ours");
    let holes = std::fs::File::create(tree.join("holes")).expect("the folder is ours");
    for at in (0..6).map(|number| number * 65_536) {
        std::os::unix::fs::FileExt::write_all_at(&holes, b"here", at).expect("the folder is ours");
    }
    let above = archive(&["a/.wh..wh..opq", ".wh.link", "second=new", "b => second"]);
    for (name, form) in [
        ("v7", &["--format=v7", "--exclude=n*", "--exclude=link", "--exclude=holes"][..]),
        ("ustar", &["--format=ustar", "--exclude=link", "--exclude=holes"]),
        ("gnu", &["--format=gnu", "--sparse"]),
        ("pax", &["--format=posix", "--sparse", "--sparse-version=0.0"]),
        ("pax-0.1", &["--format=posix", "--sparse", "--sparse-version=0.1"]),
        ("pax-1.0", &["--format=posix", "--sparse", "--sparse-version=1.0"]),
    ] {
        let file = folder.path().join("layer.tar");
        let (file, tree) = (file.display().to_string(), tree.display().to_string());
        let arguments = [form, &["-b", "1", "-C", &tree, "-cf", &file, "."]].concat();
        guardhouse_test_images::run("tar", &arguments);
        let below = std::fs::read(&file).expect("tar wrote it");
        let blocks = u8::try_from(below.len() / 512).unwrap_or(u8::MAX);
        let seed = [&[blocks][..], &below, &above].concat();
        let layers = merge([below, above.clone()]).expect("the archives are right");
        assert!(files(&layers).contains_key("/b") && layers.left_out().is_empty(), "{name}");
        fuzzing::merge(&seed);
        keep("layers", name, &seed);
    }
}
