//! The roots on one volume: a btrfs may have several, and copies of them.

use std::ops::ControlFlow;

use super::{
    Tree,
    compose::stated_subvolume,
    device::Part,
    roots::{self, RootKind},
};
use crate::{
    file_system::{FileKind, ReadError},
    path::FilePath,
};

/// Where installers put the root: Ubuntu and Arch, Fedora, Debian, openSUSE.
const USUAL: [&str; 4] = ["/@", "/root", "/@rootfs", "/@/.snapshots/1/snapshot"];

/// Where tools keep snapshots, at the top of the file system or of a root.
pub(super) const SNAPSHOT_FOLDERS: [&[u8]; 5] =
    [b".snapshots", b"@snapshots", b"@.snapshots", b"timeshift-btrfs", b"btrbk_snapshots"];

/// How many folders at the top are looked at.
const FOLDERS: usize = 64;

/// How much of a file that tells a system from another is read.
const IDENTITY_BYTES: usize = 64 * 1024;

/// What one volume has.
#[derive(Default)]
pub(super) struct Roots {
    /// Roots of systems.
    pub systems: Vec<(FilePath, RootKind)>,
    /// Folders at the top that are none: subvolumes with data, when no system shows them.
    pub data: Vec<FilePath>,
    /// Things to tell: snapshots, which are left out.
    pub notes: Vec<String>,
}

/// The roots on a volume.
pub(super) fn find(part: &Part<'_>) -> Roots {
    let top = FilePath::root();
    let kind = |from: &FilePath| roots::kind(&tree(part, from));
    if let Some(kind) = kind(&top) {
        return Roots { systems: vec![(top, kind)], ..Roots::default() };
    }
    match part.file_system.kind() {
        "btrfs" => on_btrfs(part),
        // Layers of Windows have the registry beside the files.
        "layers" => {
            let files = FilePath::new(b"/Files");
            let systems = kind(&files).map(|kind| (files, kind)).into_iter().collect();
            Roots { systems, ..Roots::default() }
        }
        _ => Roots::default(),
    }
}

fn tree(part: &Part<'_>, from: &FilePath) -> Tree {
    Tree::of(part.file_system.clone(), from.clone(), part.volume.place.clone())
}

fn on_btrfs(part: &Part<'_>) -> Roots {
    let mut found = Roots::default();
    let default = part.file_system.default_folder();
    let (folders, more) = top_folders(&tree(part, &FilePath::root())).unwrap_or_default();
    if more {
        found.notes.push(format!("only {FOLDERS} of the folders at the top were looked at for systems"));
    }
    let usual = USUAL.iter().map(|path| FilePath::new(path.as_bytes()));
    let mut candidates: Vec<(FilePath, RootKind)> = Vec::new();
    for path in [default].into_iter().chain(usual).chain(folders.iter().cloned()) {
        if path.is_root() || candidates.iter().any(|(candidate, _)| *candidate == path) {
            continue;
        }
        let seen = tree(part, &path);
        if let Some(kind) = roots::kind(&seen).filter(|_| has_etc(&seen)) {
            candidates.push((path, kind));
        }
    }
    let mut identities: Vec<(FilePath, [Vec<u8>; 2])> = Vec::new();
    for (path, kind) in &candidates {
        let seen = tree(part, path);
        let identity = identity(&seen);
        // A copy still says which subvolume it was made of, or that it is the same machine.
        let stated = stated_subvolume(&seen)
            .filter(|of| of != path && candidates.iter().any(|(other, _)| other == of));
        let same =
            || identities.iter().find(|(_, other)| is_same(other, &identity)).map(|(of, _)| of.clone());
        match stated.or_else(same).or_else(|| snapshot_of(path, &found.systems)) {
            Some(of) => found.notes.push(format!("{path} is a copy of {of}: it is not read")),
            None => {
                identities.push((path.clone(), identity));
                found.systems.push((path.clone(), *kind));
            }
        }
    }
    for path in folders {
        if SNAPSHOT_FOLDERS.contains(&path.name()) {
            found.notes.push(format!("{path} has snapshots: they are not read"));
        } else if candidates.iter().all(|(candidate, _)| candidate.from(&path).is_none()) {
            found.data.push(path);
        }
    }
    found
}

/// The system in whose folder of snapshots a path lies. The default subvolume may be there, too: it comes first, and so
/// is a system itself.
fn snapshot_of(path: &FilePath, systems: &[(FilePath, RootKind)]) -> Option<FilePath> {
    let is_snapshot =
        |within: FilePath| within.names().next().is_some_and(|folder| SNAPSHOT_FOLDERS.contains(&folder));
    systems
        .iter()
        .map(|(system, _)| system)
        .find(|system| path.from(system).is_some_and(is_snapshot))
        .cloned()
}

/// openSUSE has subvolumes for `/var` and others in `/@`, which is no root for that.
fn has_etc(tree: &Tree) -> bool {
    let found = tree.reader().and_then(|mut reader| reader.find(&FilePath::new(b"/etc")));
    matches!(found, Ok(Some(_)))
}

/// What tells a system from another one of the same kind: the id of the machine, and fstab.
fn identity(tree: &Tree) -> [Vec<u8>; 2] {
    let Ok(mut reader) = tree.reader() else { return Default::default() };
    ["/etc/machine-id", "/etc/fstab"].map(|path| {
        let read = reader.read_head(&FilePath::new(path.as_bytes()), IDENTITY_BYTES);
        read.ok().flatten().unwrap_or_default()
    })
}

/// A machine id is enough, where both have one; fstab must be the same where they have not.
fn is_same([id, fstab]: &[Vec<u8>; 2], [other_id, other_fstab]: &[Vec<u8>; 2]) -> bool {
    const ID_BYTES: usize = 32;
    match id.len() >= ID_BYTES && other_id.len() >= ID_BYTES {
        true => id == other_id,
        false => !fstab.is_empty() && fstab == other_fstab,
    }
}

/// The folders at the top, in the order of their names, and whether there are more.
fn top_folders(tree: &Tree) -> Result<(Vec<FilePath>, bool), ReadError> {
    let mut reader = tree.reader()?;
    let root = reader.root();
    let mut places = Vec::new();
    reader.read_folder(&root, &mut |_, place| {
        places.push(place);
        if places.len() > FOLDERS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    let more = places.len() > FOLDERS;
    places.truncate(FOLDERS);
    let mut folders = Vec::new();
    for place in places {
        if reader.metadata(&place)?.kind == FileKind::Folder {
            folders.push(place.path);
        }
    }
    folders.sort();
    Ok((folders, more))
}
