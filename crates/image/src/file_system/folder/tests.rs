use std::{
    fs,
    ops::ControlFlow,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    sync::atomic::Ordering,
};

use rustix::fs::{FileType, Mode};

use super::*;
use crate::{file_system::FileKind, path::FilePath};

fn place(path: &str) -> Place {
    Place { path: FilePath::new(path.as_bytes()), node: 0 }
}

fn names(reader: &mut dyn Reader, path: &str) -> Result<Vec<String>, ReadError> {
    let mut names = Vec::new();
    reader.read_folder(&place(path), &mut |entry| {
        names.push(String::from_utf8_lossy(entry.name).into_owned());
        ControlFlow::Continue(())
    })?;
    names.sort();
    Ok(names)
}

/// With and without `openat2`.
fn both_ways(path: &Path, check: impl Fn(&mut dyn Reader)) {
    let folder = Folder::open(path).expect("the folder is there");
    check(&mut *folder.reader().expect("it can be read"));
    folder.root.by_kernel.store(false, Ordering::Relaxed);
    check(&mut *folder.reader().expect("it can be read"));
}

#[test]
fn files_are_seen_as_they_are() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("a/b")).expect("the folder is ours");
    fs::write(at("a/b/file"), "0123456789").expect("the folder is ours");
    fs::set_permissions(at("a/b/file"), PermissionsExt::from_mode(0o4751)).expect("the file is ours");
    fs::hard_link(at("a/b/file"), at("a/same")).expect("the folder is ours");
    symlink("../../etc", at("a/link")).expect("the folder is ours");
    both_ways(folder.path(), |reader| {
        assert_eq!(names(reader, "/a").expect("it is a folder"), ["b", "link", "same"]);
        let metadata = reader.metadata(&place("/a/b/file")).expect("it is there");
        assert_eq!((metadata.kind, metadata.size, metadata.mode), (FileKind::File, 10, 0o4751));
        let link = reader.metadata(&place("/a/link")).expect("it is there");
        assert_eq!((link.kind, link.size), (FileKind::Symlink, 9));
        assert_eq!(reader.read_link(&place("/a/link")).expect("it is a link"), b"../../etc");
        let mut buffer = [0; 8];
        assert_eq!(reader.read_at(&place("/a/b/file"), 4, &mut buffer).expect("it is a file"), 6);
        assert_eq!(&buffer[..6], b"456789");
        assert_eq!(reader.read_at(&place("/a/b/file"), 99, &mut buffer).expect("it is a file"), 0);
        let root = reader.root();
        assert_eq!(reader.metadata(&root).expect("it is there").kind, FileKind::Folder);
        let folder = reader.lookup(&root, b"a").expect("it can be looked for").expect("it is there");
        let file = reader.lookup(&folder, b"same").expect("it can be looked for").expect("it is there");
        assert_eq!(file.node, fs::metadata(at("a/b/file")).expect("it is there").ino());
        assert_eq!(reader.lookup(&folder, b"none").expect("it can be looked for"), None);
    });
}

#[test]
fn nothing_leads_out() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let root = folder.path().join("root");
    fs::create_dir_all(folder.path().join("outside")).expect("the folder is ours");
    fs::write(folder.path().join("outside/secret"), "x").expect("the folder is ours");
    fs::create_dir(&root).expect("the folder is ours");
    symlink("../outside", root.join("out")).expect("the folder is ours");
    symlink(folder.path().join("outside"), root.join("absolute")).expect("the folder is ours");
    symlink("../outside/secret", root.join("file")).expect("the folder is ours");
    both_ways(&root, |reader| {
        for path in ["/out", "/absolute", "/file"] {
            assert!(matches!(names(reader, path), Err(ReadError::NotFound(_))), "{path}");
        }
        for path in ["/out/secret", "/absolute/secret"] {
            assert!(matches!(reader.metadata(&place(path)), Err(ReadError::NotFound(_))), "{path}");
        }
        for path in ["/out/secret", "/file"] {
            let read = reader.read_at(&place(path), 0, &mut [0; 1]);
            assert!(matches!(read, Err(ReadError::NotFound(_))), "{path}: {read:?}");
        }
    });
}

#[test]
fn a_pipe_is_not_waited_for() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let pipe = folder.path().join("pipe");
    rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0)
        .expect("the folder is ours");
    both_ways(folder.path(), |reader| {
        assert_eq!(reader.metadata(&place("/pipe")).expect("it is there").kind, FileKind::Other);
        assert!(matches!(reader.read_at(&place("/pipe"), 0, &mut [0; 1]), Err(ReadError::NotFound(_))));
    });
}

#[test]
fn what_vanishes_is_not_found() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    fs::create_dir(folder.path().join("a")).expect("the folder is ours");
    fs::write(folder.path().join("a/file"), "0123").expect("the folder is ours");
    let opened = Folder::open(folder.path()).expect("the folder is there");
    let mut reader = opened.reader().expect("it can be read");
    assert_eq!(reader.read_at(&place("/a/file"), 0, &mut [0; 8]).expect("it is there"), 4);
    fs::write(folder.path().join("a/file"), "0").expect("the folder is ours");
    assert_eq!(reader.read_at(&place("/a/file"), 0, &mut [0; 8]).expect("it shrank"), 1);
    fs::remove_dir_all(folder.path().join("a")).expect("the folder is ours");
    assert!(matches!(reader.metadata(&place("/a/file")), Err(ReadError::NotFound(_))));
    assert!(matches!(names(&mut *reader, "/a"), Err(ReadError::NotFound(_))));
}

#[test]
fn a_folder_deeper_than_a_path_is_long_is_read() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let name = "n".repeat(200);
    let mut handle = std::os::fd::OwnedFd::from(fs::File::open(folder.path()).expect("it is there"));
    let mut path = FilePath::root();
    for _ in 0..30 {
        rustix::fs::mkdirat(&handle, &name, Mode::RWXU).expect("the folder is ours");
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        handle = rustix::fs::openat(&handle, &name, flags, Mode::empty()).expect("it was just made");
        path = path.join(name.as_bytes());
    }
    let opened = Folder::open(folder.path()).expect("the folder is there");
    let mut reader = opened.reader().expect("it can be read");
    let metadata = reader.metadata(&Place { path, node: 0 }).expect("it is there");
    assert_eq!(metadata.kind, FileKind::Folder);
}

#[test]
fn file_systems_of_the_kernel_are_empty() {
    let opened = Folder::open(Path::new("/")).expect("every machine has one");
    let mut reader = opened.reader().expect("it can be read");
    assert_eq!(names(&mut *reader, "/proc").expect("it is a folder"), [""; 0]);
    assert!(matches!(reader.metadata(&place("/proc/self/status")), Err(ReadError::NotFound(_))));
    let root = reader.root();
    let proc = reader.lookup(&root, b"proc").expect("it can be looked for").expect("it is there");
    assert_eq!(reader.lookup(&proc, b"self").expect("it can be looked for"), None);
    assert!(opened.notes().iter().any(|note| note.contains("/proc")), "{:?}", opened.notes());
}
