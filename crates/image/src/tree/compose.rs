//! A root and its fstab: one tree.

use std::collections::BTreeSet;

use super::{
    Mount, Tree, TreeReader,
    device::{Name, Part},
    empty::Empty,
    fstab::{self, Line},
    subvolumes::SNAPSHOT_FOLDERS,
};
use crate::{
    file_system::{FileKind, ReadError},
    path::{Escaped, FilePath},
};

/// How much of fstab is read.
const FSTAB_BYTES: usize = 256 * 1024;

/// How many mounts a system may have.
const MOUNTS: usize = 256;

/// Kinds that are no volumes: the kernel fills them.
const KERNEL_KINDS: [&str; 17] = [
    "proc",
    "sysfs",
    "tmpfs",
    "devtmpfs",
    "devpts",
    "cgroup",
    "cgroup2",
    "debugfs",
    "tracefs",
    "securityfs",
    "bpf",
    "configfs",
    "efivarfs",
    "hugetlbfs",
    "mqueue",
    "ramfs",
    "usbfs",
];

/// Where snapper keeps its snapshots.
const SNAPSHOTS: &str = "/.snapshots";

/// A tree that was put together.
pub(super) struct Composed {
    pub tree: Tree,
    /// What is seen in it: a number among the parts, and the folder of its file system.
    pub used: BTreeSet<(usize, FilePath)>,
    pub notes: Vec<String>,
}

/// The tree of a system whose root is a folder of one of the parts.
pub(super) fn compose(root: usize, from: &FilePath, parts: &[Part<'_>]) -> Composed {
    let mut composed = Composed {
        tree: Tree { mounts: Vec::new() },
        used: BTreeSet::from([(root, from.clone())]),
        notes: Vec::new(),
    };
    let Some(part) = parts.get(root) else { return composed };
    composed.push(part, FilePath::root(), from.clone());
    // A container image and the folder of a running system are whole as they are.
    if matches!(part.file_system.kind(), "layers" | "tar" | "folder") {
        return composed;
    }
    match composed.tree.reader().and_then(|mut reader| lines(&mut reader)) {
        Ok(lines) => lines.iter().for_each(|line| composed.mount(line, parts)),
        Err(error) => composed.notes.push(format!("/etc/fstab cannot be read: {error}")),
    }
    if part.file_system.kind() == "btrfs" {
        composed.hide_snapshots();
    }
    composed
}

/// The lines of fstab in the order in which they are mounted: outer folders first, and before what shows one of their
/// folders in another place.
fn lines(reader: &mut TreeReader) -> Result<Vec<Line>, ReadError> {
    let path = FilePath::new(b"/etc/fstab");
    let bytes = reader.read_head(&path, FSTAB_BYTES)?.unwrap_or_default();
    let mut lines = fstab::parse(&bytes);
    lines.sort_by_key(|line| (line.is_bind(), line.at.names().count()));
    Ok(lines)
}

/// Which subvolume a root says to be, in the first line of its fstab for `/`.
pub(super) fn stated_subvolume(tree: &Tree) -> Option<FilePath> {
    let lines = lines(&mut tree.reader().ok()?).ok()?;
    let root = lines.iter().find(|line| line.at.is_root())?;
    root.option("subvol").map(FilePath::new)
}

impl Composed {
    fn push(&mut self, part: &Part<'_>, at: FilePath, from: FilePath) {
        let (file_system, volume) = (part.file_system.clone(), part.volume.place.clone());
        self.tree.mounts.push(Mount { at, file_system, from, volume });
    }

    fn mount(&mut self, line: &Line, parts: &[Part<'_>]) {
        let is_kernels = KERNEL_KINDS.iter().any(|kind| kind.as_bytes() == line.kind);
        if line.at.is_root() || is_kernels || !line.is_automatic() {
            return;
        }
        let (at, device) = (&line.at, Escaped(&line.device));
        let tried = match line.is_bind() {
            true => self.bind(line),
            false => self.volume(line, parts),
        };
        if let Err(why) = tried {
            self.notes.push(format!("{at} of /etc/fstab ({device}) is not put in: {why}"));
        }
    }

    /// A folder of the system in another place.
    fn bind(&mut self, line: &Line) -> Result<(), String> {
        let mut reader = self.reader()?;
        let at = folder(&mut reader, &line.at)?.path;
        let source = folder(&mut reader, &FilePath::new(&line.device))?;
        if at.from(&source.path).is_some() {
            return Err("it would show itself again".to_owned());
        }
        let Some(mount) = self.tree.mounts.get(source.mount).cloned() else { return Ok(()) };
        self.add(Mount { at, from: source.place.path, ..mount })
    }

    /// A volume, or a subvolume.
    fn volume(&mut self, line: &Line, parts: &[Part<'_>]) -> Result<(), String> {
        let name = Name::parse(&line.device);
        let candidates = name.find(parts);
        let Some((&index, part)) =
            candidates.first().and_then(|index| parts.get(*index).map(|part| (index, part)))
        else {
            return Err("no volume with files on the target has this name".to_owned());
        };
        let from = match (line.option("subvol"), line.option("subvolid")) {
            _ if part.file_system.kind() != "btrfs" => FilePath::root(),
            (Some(path), _) => FilePath::new(path),
            (None, Some(b"5" | b"0")) => FilePath::root(),
            (None, Some(_)) => return Err("it names its subvolume by number alone".to_owned()),
            (None, None) => part.file_system.default_folder(),
        };
        if line.at.to_string() == SNAPSHOTS && part.file_system.kind() == "btrfs" {
            return Err("snapshots are not read".to_owned());
        }
        if self.used.iter().any(|(used, folder)| *used == index && folder.from(&from).is_some()) {
            return Err(format!("{} is seen elsewhere in the tree", part.volume.place));
        }
        let mut reader = self.reader()?;
        let at = folder(&mut reader, &line.at)?.path;
        let (file_system, volume) = (part.file_system.clone(), part.volume.place.clone());
        self.add(Mount { at, file_system, from: from.clone(), volume })?;
        self.used.insert((index, from));
        if candidates.len() > 1 {
            let (at, place) = (&line.at, &part.volume.place);
            self.notes.push(format!(
                "{at} of /etc/fstab: several volumes have the name of its device; took {place}"
            ));
        }
        if matches!(name, Name::Partition(_)) {
            let (at, device, place) = (&line.at, Escaped(&line.device), &part.volume.place);
            self.notes.push(format!("{at} of /etc/fstab: took {place} for {device}, by its number alone"));
        }
        Ok(())
    }

    fn reader(&self) -> Result<TreeReader, String> {
        self.tree.reader().map_err(|error| error.to_string())
    }

    /// Adds a mount, when the tree can be read with it.
    fn add(&mut self, mount: Mount) -> Result<(), String> {
        if mount.at.is_root() {
            return Err("it would hide the root".to_owned());
        }
        if self.tree.mounts.len() >= MOUNTS {
            return Err(format!("more than {MOUNTS} mounts"));
        }
        self.tree.mounts.push(mount);
        match self.tree.reader() {
            Ok(_) => Ok(()),
            Err(error) => {
                self.tree.mounts.pop();
                Err(error.to_string())
            }
        }
    }

    /// Snapshots are subvolumes, and so folders of the tree: each has the whole system once more.
    fn hide_snapshots(&mut self) {
        for folder in SNAPSHOT_FOLDERS {
            self.hide(FilePath::root().join(folder));
        }
    }

    fn hide(&mut self, at: FilePath) {
        let there = self.reader().and_then(|mut reader| folder(&mut reader, &at));
        if !matches!(there, Ok(place) if place.path == at) {
            return;
        }
        let mount = Mount {
            at: at.clone(),
            file_system: std::sync::Arc::new(Empty),
            from: FilePath::root(),
            volume: "nothing".to_owned(),
        };
        if self.add(mount).is_ok() {
            self.notes.push(format!("the snapshots in {at} are not read"));
        }
    }
}

/// The folder at a path, with symbolic links followed.
fn folder(reader: &mut TreeReader, path: &FilePath) -> Result<super::TreePlace, String> {
    let place = reader.find(path).map_err(|error| error.to_string())?;
    let place = place.ok_or_else(|| format!("there is no folder {path}"))?;
    match reader.metadata(&place).map_err(|error| error.to_string())?.kind {
        FileKind::Folder => Ok(place),
        _ => Err(format!("{path} is no folder")),
    }
}
