//! What is read of an archive.

use super::*;

#[test]
fn what_is_known_about_files_is_read() {
    let layers = merge([archive(&["a=123"])]).expect("the archive is right");
    let mut reader = layers.reader().expect("it can be read");
    let root = reader.root();
    let place = reader.lookup(&root, b"a").expect("a folder").expect("it is there");
    let metadata = reader.metadata(&place).expect("it is there");
    assert_eq!((metadata.mode, metadata.uid, metadata.gid, metadata.modified), (0o640, 7, 8, 1_700_000_000));
    let mut buffer = [0; 9];
    assert_eq!(reader.read_at(&place, 1, &mut buffer).expect("it can be read"), 2);
    assert_eq!(&buffer[..2], b"23");
    assert_eq!(reader.read_at(&place, u64::MAX, &mut buffer).expect("it can be read"), 0);
}

/// What GNU tar makes of a folder, in each of its forms.
#[test]
fn archives_of_gnu_tar_are_read() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let tree = folder.path().join("tree");
    let long = "n".repeat(120);
    std::fs::create_dir_all(tree.join(&long).join("deeper")).expect("the folder is ours");
    std::fs::write(tree.join(&long).join("deeper").join(&long), "long").expect("the folder is ours");
    std::os::unix::fs::symlink(&long, tree.join("link")).expect("the folder is ours");
    let holes = std::fs::File::create(tree.join("holes")).expect("the folder is ours");
    let mut wanted = vec![0_u8; 5 << 20];
    for number in 0..40_usize {
        // More parts than the first header has room for, and than its second.
        let at = number * 131_072;
        wanted[at..at + 4].copy_from_slice(b"here");
        std::os::unix::fs::FileExt::write_all_at(&holes, b"here", at as u64).expect("the folder is ours");
    }
    holes.set_len(wanted.len() as u64).expect("the folder is ours");
    for form in [
        vec!["--format=gnu"],
        vec!["--format=gnu", "--sparse"],
        vec!["--format=posix"],
        vec!["--format=posix", "--sparse", "--sparse-version=0.0"],
        vec!["--format=posix", "--sparse", "--sparse-version=0.1"],
        vec!["--format=posix", "--sparse", "--sparse-version=1.0"],
    ] {
        let file = folder.path().join("layer.tar");
        let (file, tree) = (file.display().to_string(), tree.display().to_string());
        let arguments: Vec<&str> = form.iter().copied().chain(["-C", &tree, "-cf", &file, "."]).collect();
        guardhouse_test_images::run("tar", &arguments);
        let bytes = std::fs::read(&file).expect("tar wrote it");
        assert_eq!(bytes.len() < 1 << 20, form.contains(&"--sparse"), "{form:?}: {} bytes", bytes.len());
        let layers = merge([bytes]).expect("the archive is right");
        let mut seen = files(&layers);
        let holes = seen.remove("/holes").expect("it is there");
        assert!(holes.as_bytes() == wanted, "{form:?}");
        let paths: Vec<String> = seen.into_iter().map(|(path, text)| format!("{path} {text}")).collect();
        let deeper = format!("/{long}/deeper");
        assert_eq!(
            paths,
            [
                format!("/link -> {long}"),
                format!("/{long} /"),
                format!("{deeper} /"),
                format!("{deeper}/{long} long")
            ],
            "{form:?}"
        );
        // From the middle of a hole into the next part.
        let mut reader = layers.reader().expect("it can be read");
        let root = reader.root();
        let place = reader.lookup(&root, b"holes").expect("a folder").expect("it is there");
        let mut part = vec![1; 70_000];
        let count = reader.read_at(&place, 100_000, &mut part).expect("it can be read");
        assert!(part[..count] == wanted[100_000..100_000 + count], "{form:?}");
    }
}
