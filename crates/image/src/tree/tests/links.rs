//! Symbolic links.

use super::*;

#[test]
fn links_stay_in_the_tree_and_end() {
    let mut disks = Disks::new();
    let outside = disks.folder.path().join("outside");
    fs::write(&outside, "secret").expect("the folder is ours");
    let absolute = format!("absolute -> {}", outside.display());
    let mut files = vec![
        "loop -> loop",
        "a -> b",
        "b -> a",
        "up -> ../../../../outside",
        "in -> /etc/../etc/./x",
        "etc/x=found",
        "file/../through",
        "etc/deep -> ../etc/x/../x",
        &absolute,
    ];
    let chain: Vec<String> = (0..45).map(|number| format!("c{number} -> c{}", number + 1)).collect();
    files.extend(chain.iter().map(String::as_str));
    files.push("c45=end");
    disks.add("disk", "ext4", "a", &files);
    let tree = disks.systems().remove(0).tree;
    assert_eq!(read(&tree, "/in").as_deref(), Some("found"));
    assert_eq!(read(&tree, "/up"), None);
    assert_eq!(read(&tree, "/absolute"), None);
    assert_eq!(read(&tree, "/etc/deep"), None, "a file has no entries");
    assert_eq!(read(&tree, "/c5").as_deref(), Some("end"));
    let mut reader = tree.reader().expect("the tree can be read");
    for path in ["/loop", "/a/x", "/c4"] {
        let found = reader.find(&FilePath::new(path.as_bytes()));
        assert!(matches!(found, Err(ReadError::Limit { limit: 40, .. })), "{path}: {found:?}");
    }
    let link = reader.find_entry(&FilePath::new(b"/loop")).expect("it is there").expect("it is there");
    assert_eq!(reader.read_link(&link).expect("it is a link"), b"loop");
}
