use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    os::unix::fs::{FileExt as _, PermissionsExt as _, symlink},
    process::Command,
};

use tempfile::TempDir;

use super::*;

fn tree(folder: &TempDir, mount_point: &str) -> Tree {
    let folder = folder.path().to_owned();
    Tree { folder, mount_point: mount_point.into(), unwanted: Vec::new(), is_subvolume: false }
}

fn archive(trees: &[&Tree]) -> (Vec<u8>, Omissions, u64) {
    let content_bytes = Arc::new(AtomicU64::new(0));
    let points = trees.iter().map(|tree| tree.mount_point.clone()).collect();
    let mut archive = Archive::new(Vec::new(), points, Arc::clone(&content_bytes));
    for tree in trees {
        archive.add(tree).expect("written");
    }
    let omissions = archive.omissions.clone();
    (archive.finish().expect("written"), omissions, content_bytes.load(Ordering::Relaxed))
}

/// An entry as another reader sees it.
#[derive(Debug, PartialEq)]
struct Seen {
    kind: EntryType,
    mode: u32,
    target: OsString,
    content: Vec<u8>,
}

fn seen(bytes: &[u8]) -> BTreeMap<OsString, Seen> {
    let mut archive = tar::Archive::new(bytes);
    let entries = archive.entries().expect("an archive").map(|entry| {
        let mut entry = entry.expect("readable");
        let path = OsStr::from_bytes(&entry.path_bytes()).to_owned();
        let target = entry.link_name_bytes().unwrap_or_default();
        let target = OsStr::from_bytes(&target).to_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("readable");
        let header = entry.header();
        (path, Seen { kind: header.entry_type(), mode: header.mode().expect("a mode"), target, content })
    });
    entries.collect()
}

#[test]
fn everything_comes_back() {
    let root = tempfile::tempdir().expect("a folder");
    let at = |path: &str| root.path().join(path);
    fs::create_dir_all(at("etc/deep")).expect("made");
    fs::write(at("etc/passwd"), "root:x:0:0").expect("written");
    fs::set_permissions(at("etc/passwd"), fs::Permissions::from_mode(0o4640)).expect("set");
    fs::write(at("empty"), "").expect("written");
    symlink("../../etc//passwd", at("etc/deep/link")).expect("linked");
    symlink("/", at("root")).expect("linked");
    symlink("x".repeat(300), at("far")).expect("linked");
    // Names that are no text, long, or look like something else when they are cut.
    let odd = OsStr::from_bytes(b"caf\xe9 \n\\");
    fs::write(root.path().join(odd), "odd").expect("written");
    let long = format!("{}/..{}", "d".repeat(97), "e".repeat(120));
    fs::create_dir(at(&"d".repeat(97))).expect("made");
    fs::write(at(&long), "long").expect("written");
    let exact = "n".repeat(100);
    fs::write(at(&exact), "100").expect("written");
    for name in ["one", "two", "etc/three"] {
        fs::hard_link(at("etc/passwd"), at(name)).expect("linked");
    }
    assert!(Command::new("mkfifo").arg(at("pipe")).status().expect("mkfifo").success());

    let (bytes, omissions, content_bytes) = archive(&[&tree(&root, "/")]);
    assert_eq!(omissions, Omissions::default());
    assert_eq!(content_bytes, 10 + 3 + 4 + 3, "what has several names is read once");
    let seen = seen(&bytes);
    let entry = |path: &str| &seen[OsStr::new(path)];
    let names = ["etc/passwd", "one", "two", "etc/three"];
    let files: Vec<&Seen> =
        names.iter().map(|name| entry(name)).filter(|seen| seen.kind == EntryType::Regular).collect();
    assert_eq!(files.len(), 1);
    assert_eq!((files[0].mode, files[0].content.as_slice()), (0o4640, b"root:x:0:0".as_slice()));
    for name in names.iter().filter(|name| entry(name).kind != EntryType::Regular) {
        assert_eq!(entry(name).kind, EntryType::Link);
        assert_eq!(entry(entry(name).target.to_str().expect("text")).content, b"root:x:0:0");
    }
    assert_eq!(entry("etc").kind, EntryType::Directory);
    assert_eq!(entry("empty").content, b"");
    assert_eq!(
        (entry("etc/deep/link").kind, entry("root").target.as_os_str()),
        (EntryType::Symlink, OsStr::new("/"))
    );
    assert_eq!(entry("etc/deep/link").target, "../../etc//passwd");
    assert_eq!(entry("far").target, OsString::from("x".repeat(300)));
    assert_eq!(seen[odd].content, b"odd");
    assert_eq!(
        (entry(&long).content.as_slice(), entry(&exact).content.as_slice()),
        (b"long".as_slice(), b"100".as_slice())
    );
    assert!(!seen.contains_key(OsStr::new("pipe")) && !seen.contains_key(OsStr::new("")));
}

#[test]
fn holes_are_not_written() {
    const SIZE: u64 = 48 << 20;
    let root = tempfile::tempdir().expect("a folder");
    let file = File::create(root.path().join("disk.img")).expect("made");
    file.set_len(SIZE).expect("long");
    // More parts than the header has room for, and than one block behind it has.
    let places: Vec<u64> = (0..40).map(|number| number * (1 << 20) + 4096).collect();
    for place in &places {
        file.write_all_at(&[7; 4096], *place).expect("written");
    }
    let full = File::create(root.path().join("all-hole")).expect("made");
    full.set_len(5 << 20).expect("long");
    drop((file, full));
    let (bytes, omissions, _) = archive(&[&tree(&root, "/")]);
    assert_eq!(omissions.count, 0);
    assert!(bytes.len() < 1 << 20, "{}", bytes.len());

    let mut archive = tar::Archive::new(bytes.as_slice());
    for entry in archive.entries().expect("an archive") {
        let mut entry = entry.expect("readable");
        assert_eq!(entry.header().entry_type(), EntryType::GNUSparse);
        let is_disk = entry.path_bytes().as_ref() == b"disk.img";
        let expected = if is_disk { SIZE } else { 5 << 20 };
        let mut found: Vec<(u64, usize)> = Vec::new();
        let (mut at, mut buffer) = (0_u64, vec![0; 1 << 20]);
        loop {
            let length = entry.read(&mut buffer).expect("readable");
            if length == 0 {
                break;
            }
            for (block, bytes) in buffer[..length].chunks(4096).enumerate() {
                if bytes.iter().any(|byte| *byte != 0) {
                    assert!(bytes.iter().all(|byte| *byte == 7));
                    found.push((at + block as u64 * 4096, bytes.len()));
                }
            }
            at += length as u64;
        }
        assert_eq!(at, expected);
        if is_disk {
            assert_eq!(found, places.iter().map(|place| (*place, 4096)).collect::<Vec<_>>());
        } else {
            assert!(found.is_empty());
        }
    }
}

#[test]
fn what_does_not_come_in_is_named() {
    let root = tempfile::tempdir().expect("a folder");
    let home = tempfile::tempdir().expect("a folder");
    for folder in ["proc/1", "state/identity", "home/below"] {
        fs::create_dir_all(root.path().join(folder)).expect("made");
    }
    fs::write(root.path().join("state/identity/key"), "secret").expect("written");
    fs::write(root.path().join("proc/1/maps"), "").expect("written");
    fs::write(home.path().join("file"), "mine").expect("written");
    let state = fs::metadata(root.path().join("state")).expect("there");
    let first = Tree { unwanted: vec![(state.ino(), "the state of the agent")], ..tree(&root, "/") };
    let (bytes, omissions, _) = archive(&[&first, &tree(&home, "/home")]);
    let names: Vec<OsString> = seen(&bytes).into_keys().collect();
    assert_eq!(names, ["home", "home/file", "proc"], "what a mount point hides stays hidden");
    let expected = LeftOut { path: "/state".to_owned(), reason: "the state of the agent".to_owned() };
    assert_eq!(omissions, Omissions { named: vec![expected], count: 1 });

    let gone = Tree { folder: "/nowhere/at/all".into(), ..tree(&root, "/mnt") };
    let (_, omissions, _) = archive(&[&gone]);
    assert_eq!(omissions.count, 2, "neither it nor what is in it: {omissions:?}");
}

#[test]
fn what_cannot_be_read_to_its_end_is_zeros() {
    let root = tempfile::tempdir().expect("a folder");
    let path = root.path().join("file");
    fs::write(&path, [7; 100]).expect("written");
    let file = File::open(&path).expect("there");
    let parts = [holes::Part { at: 90, length: 20 }, holes::Part { at: 0, length: 5 }];
    let mut content = Content::new(&file, &parts);
    let mut bytes = Vec::new();
    content.read_to_end(&mut bytes).expect("it goes on");
    assert_eq!(bytes, [vec![7; 10], vec![0; 15]].concat());
    assert!(content.trouble.is_some());
}

#[test]
fn no_more_than_some_are_named() {
    let mut omissions = Omissions::default();
    for number in 0..200 {
        omissions.add(&PathBuf::from(format!("/{number}")), "why");
    }
    assert_eq!((omissions.named.len(), omissions.count), (MOST_NAMED, 200));
}
