//! Compares a file system with the folder that it was made from.

use std::{
    collections::BTreeMap,
    fs,
    ops::ControlFlow,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::Path,
};

use guardhouse_image::{FileKind, FilePath, FileSystem, Metadata, Place, Reader};
use sha2::{Digest as _, Sha256};

/// What a file system keeps of a file besides its bytes.
#[derive(Clone, Copy, Default)]
pub struct Keeps {
    /// Permission bits.
    pub modes: bool,
    /// The owner of the source, or another one for all files.
    pub owner: Option<(u32, u32)>,
    /// Last change, to within so many seconds.
    pub times: Option<u64>,
    /// Hard links.
    pub hard_links: bool,
    /// Spaces in names; otherwise there are underscores.
    pub spaces: bool,
}

impl Keeps {
    /// Everything, as a copy has it that root, or the owner, made of a folder.
    pub fn everything(source: &Path) -> Self {
        let owner = fs::metadata(source).expect("the source");
        Self {
            modes: true,
            owner: Some((owner.uid(), owner.gid())),
            times: Some(0),
            hard_links: true,
            spaces: true,
        }
    }
}

/// A file as it was found.
#[derive(Debug)]
pub struct Found {
    pub place: Place,
    pub metadata: Metadata,
    pub listed: Option<FileKind>,
    pub link: Vec<u8>,
    pub digest: Vec<u8>,
}

/// Everything in a file system, by path.
pub fn walk(reader: &mut dyn Reader) -> BTreeMap<Vec<u8>, Found> {
    let mut found = BTreeMap::new();
    let mut folders = vec![reader.root()];
    while let Some(folder) = folders.pop() {
        let mut entries = Vec::new();
        reader
            .read_folder(&folder, &mut |entry| {
                entries.push((Place { path: folder.path.join(entry.name), node: entry.node }, entry.kind));
                ControlFlow::Continue(())
            })
            .unwrap_or_else(|error| panic!("{}: {error}", folder.path));
        for (place, listed) in entries {
            let metadata = reader.metadata(&place).unwrap_or_else(|error| panic!("{}: {error}", place.path));
            let mut link = Vec::new();
            let mut digest = Vec::new();
            match metadata.kind {
                FileKind::Folder => folders.push(place.clone()),
                FileKind::Symlink => {
                    link = reader.read_link(&place).unwrap_or_else(|error| panic!("{}: {error}", place.path));
                }
                FileKind::File => digest = hash(reader, &place, metadata.size),
                FileKind::Other => {}
            }
            let path = place.path.as_bytes().to_vec();
            let before = found.insert(path, Found { place, metadata, listed, link, digest });
            assert!(before.is_none(), "{before:?} is there twice");
        }
    }
    found
}

/// The digest of a file, read in pieces of a length that meets no block.
pub fn hash(reader: &mut dyn Reader, place: &Place, size: u64) -> Vec<u8> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0xaa; 200_003];
    let mut offset = 0;
    loop {
        let read = reader
            .read_at(place, offset, &mut buffer)
            .unwrap_or_else(|error| panic!("{}: {error}", place.path));
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        offset += read as u64;
    }
    assert_eq!(offset, size, "{}", place.path);
    for beyond in [size, size + 1, u64::MAX - 1] {
        let read = reader
            .read_at(place, beyond, &mut buffer)
            .unwrap_or_else(|error| panic!("{}: {error}", place.path));
        assert_eq!(read, 0, "{}", place.path);
    }
    hasher.finalize().to_vec()
}

/// Panics unless the file system holds exactly what the folder holds.
pub fn compare(source: &Path, file_system: &dyn FileSystem, keeps: Keeps) {
    let mut reader = file_system.reader().expect("a reader");
    let mut found = walk(reader.as_mut());
    found.retain(|path, _| path != b"/lost+found");
    let mut nodes: BTreeMap<u64, u64> = BTreeMap::new();
    let mut folders = vec![source.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the source") {
            let path = entry.expect("the source").path();
            let inner = path.strip_prefix(source).expect("below the source").as_os_str().as_bytes();
            let mut inner = FilePath::new(inner).as_bytes().to_vec();
            if !keeps.spaces {
                inner.iter_mut().filter(|byte| **byte == b' ').for_each(|byte| *byte = b'_');
            }
            let shown = FilePath::new(&inner);
            let there = found.remove(&inner).unwrap_or_else(|| panic!("{shown} is missing"));
            let expected = fs::symlink_metadata(&path).expect("the source");
            let metadata = there.metadata;
            let kind = expected.file_type();
            if kind.is_dir() {
                folders.push(path);
                assert_eq!(metadata.kind, FileKind::Folder, "{shown}");
            } else if kind.is_symlink() {
                let target = fs::read_link(&path).expect("the source");
                assert_eq!(metadata.kind, FileKind::Symlink, "{shown}");
                assert_eq!(there.link, target.as_os_str().as_bytes(), "{shown}");
                assert_eq!(metadata.size, target.as_os_str().len() as u64, "{shown}");
            } else if kind.is_file() {
                let bytes = fs::read(&path).expect("the source");
                assert_eq!(metadata.kind, FileKind::File, "{shown}");
                assert_eq!(metadata.size, bytes.len() as u64, "{shown}");
                assert!(there.digest == Sha256::digest(&bytes).as_slice(), "{shown} has other bytes");
                if keeps.hard_links {
                    let node = *nodes.entry(expected.ino()).or_insert(there.place.node);
                    assert_eq!(there.place.node, node, "{shown}");
                }
            } else {
                assert_eq!(metadata.kind, FileKind::Other, "{shown}");
            }
            assert!(there.listed.is_none_or(|listed| listed == metadata.kind), "{shown}");
            if keeps.modes && !kind.is_symlink() {
                assert_eq!(metadata.mode, expected.mode() & 0o7777, "{shown}");
            }
            if let Some(owner) = keeps.owner {
                assert_eq!((metadata.uid, metadata.gid), owner, "{shown}");
            }
            if let Some(most) = keeps.times.filter(|_| kind.is_file()) {
                let apart = metadata.modified.abs_diff(expected.mtime());
                assert!(apart <= most, "{shown}: {} and {}", metadata.modified, expected.mtime());
            }
            // Without an index each look-up reads the folder: of the many, some will do.
            if !inner.starts_with(b"/many/") || inner.ends_with(b"77") {
                check_lookup(reader.as_mut(), &there);
            }
        }
    }
    assert!(found.is_empty(), "more than the source has: {:?}", found.keys().map(|path| FilePath::new(path)));
}

/// The file is found by its name, and another name is not.
fn check_lookup(reader: &mut dyn Reader, found: &Found) {
    let path = &found.place.path;
    let mut folder = reader.root();
    for name in path.names() {
        let there = reader.lookup(&folder, name).unwrap_or_else(|error| panic!("{path}: {error}"));
        folder = there.unwrap_or_else(|| panic!("{path} is not found by its name"));
    }
    assert_eq!(folder, found.place);
    let parent = path.parent().map(|path| path.names().map(<[u8]>::to_vec).collect::<Vec<_>>());
    let mut folder = reader.root();
    for name in parent.unwrap_or_default() {
        folder = reader.lookup(&folder, &name).expect("read").expect("found");
    }
    assert!(reader.lookup(&folder, b"no such file").expect("read").is_none());
}
