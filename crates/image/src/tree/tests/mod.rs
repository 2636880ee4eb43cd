//! Volumes that are folders of this machine, put together.

mod fstab;
mod links;
mod subvolumes;

use std::{fs, ops::ControlFlow, os::unix::fs::symlink, path::Path, sync::Arc};

use super::*;
use crate::{
    file_system::{ReadError, Reader, folder::Folder},
    volume::{Content, Volume},
};

/// A real folder that says to be a volume.
#[derive(Debug)]
struct Disk {
    folder: Folder,
    kind: &'static str,
    uuid: String,
    label: String,
    default: FilePath,
}

impl FileSystem for Disk {
    fn kind(&self) -> &'static str {
        self.kind
    }
    fn label(&self) -> &str {
        &self.label
    }
    fn uuid(&self) -> &str {
        &self.uuid
    }
    fn default_folder(&self) -> FilePath {
        self.default.clone()
    }
    fn reader(&self) -> Result<Box<dyn Reader>, ReadError> {
        self.folder.reader()
    }
}

/// Volumes in a folder that goes with them.
struct Disks {
    folder: tempfile::TempDir,
    volumes: Vec<Volume>,
}

impl Disks {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("there is a temporary folder"), volumes: Vec::new() }
    }

    /// Adds a volume: its files as lines `path`, `path=content`, `path -> target` or `path/`.
    fn add(&mut self, place: &str, kind: &'static str, uuid: &str, files: &[&str]) -> &mut Self {
        self.add_with_default(place, kind, uuid, "/", files)
    }

    fn add_with_default(
        &mut self,
        place: &str,
        kind: &'static str,
        uuid: &str,
        default: &str,
        files: &[&str],
    ) -> &mut Self {
        let root = self.folder.path().join(self.volumes.len().to_string());
        fs::create_dir(&root).expect("the folder is ours");
        for file in files {
            write(&root, file);
        }
        let disk = Disk {
            folder: Folder::open(&root).expect("it was just made"),
            kind,
            uuid: uuid.to_owned(),
            label: format!("label {uuid}"),
            default: FilePath::new(default.as_bytes()),
        };
        self.volumes.push(Volume {
            place: place.to_owned(),
            size: 1 << 20,
            partition_uuid: format!("part-{uuid}"),
            partition_label: String::new(),
            content: Content::Files(Arc::new(disk)),
        });
        self
    }

    fn systems(&self) -> Vec<System> {
        systems(&self.volumes)
    }
}

fn write(root: &Path, file: &str) {
    let (path, content) = match (file.split_once(" -> "), file.split_once('=')) {
        (Some((path, _)), _) | (None, Some((path, _))) => (path, file.split_once('=').map(|(_, text)| text)),
        (None, None) => (file, None),
    };
    let at = root.join(path);
    fs::create_dir_all(at.parent().expect("it lies below the root")).expect("the folder is ours");
    let made = match file.split_once(" -> ") {
        Some((_, target)) => symlink(target, &at),
        None if path.ends_with('/') => fs::create_dir_all(&at),
        None => fs::write(&at, content.unwrap_or_default()),
    };
    made.expect("the folder is ours");
}

/// Every path of a tree, sorted.
fn paths(tree: &Tree) -> Vec<String> {
    let mut reader = tree.reader().expect("the tree can be read");
    let (mut open, mut seen) = (vec![reader.root()], Vec::new());
    while let Some(folder) = open.pop() {
        let mut entries = Vec::new();
        reader
            .read_folder(&folder, &mut |_, place| {
                entries.push(place);
                ControlFlow::Continue(())
            })
            .expect("the folder can be read");
        for place in entries {
            seen.push(place.path.to_string());
            if reader.metadata(&place).expect("it is there").kind == crate::FileKind::Folder {
                open.push(place);
            }
        }
    }
    seen.sort();
    seen
}

fn read(tree: &Tree, path: &str) -> Option<String> {
    let mut reader = tree.reader().expect("the tree can be read");
    let bytes = reader.read_head(&FilePath::new(path.as_bytes()), 4096).expect("it can be looked for")?;
    Some(String::from_utf8(bytes).expect("tests write texts"))
}

const DEBIAN: &str = "usr/lib/os-release=ID=debian\nVERSION_ID=\"12\"\n";
