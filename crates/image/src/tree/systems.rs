//! The systems on a target.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Os, System, Tree,
    compose::compose,
    device::Part,
    os,
    roots::RootKind,
    subvolumes::{self, Roots},
};
use crate::{
    path::FilePath,
    volume::{Content, Volume},
};

/// The systems on some volumes, each with its volumes put together, and each volume that belongs to none: see
/// [`crate::Opened::systems`]. They come in the order of the volumes of their roots.
#[must_use]
pub fn systems(volumes: &[Volume]) -> Vec<System> {
    let parts: Vec<Part<'_>> = volumes.iter().filter_map(part).collect();
    let roots: Vec<Roots> = parts.iter().map(subvolumes::find).collect();
    let mut used = BTreeSet::new();
    let mut found: Vec<(usize, System)> = Vec::new();
    for (index, roots) in roots.iter().enumerate() {
        for (number, (from, kind)) in roots.systems.iter().enumerate() {
            let composed = compose(index, from, &parts);
            used.extend(composed.used);
            let mut notes = if number == 0 { roots.notes.clone() } else { Vec::new() };
            notes.extend(composed.notes);
            let (os, unread) = recognise(&composed.tree, *kind);
            let (place, tree) = (place(&parts, index, from), Arc::new(composed.tree));
            found.push((
                index,
                System { place, os: Some(os), tree, notes, left_out: unread.into_iter().collect() },
            ));
        }
    }
    for (index, (part, roots)) in parts.iter().zip(&roots).enumerate() {
        let is_used = |from: &FilePath| {
            used.iter().any(|(part, folder)| {
                *part == index && (from.from(folder).is_some() || folder.from(from).is_some())
            })
        };
        // Without a system on it, the volume is read as a whole.
        let (data, notes) = match roots.systems.is_empty() && !is_used(&FilePath::root()) {
            true => (vec![FilePath::root()], roots.notes.clone()),
            false => (roots.data.iter().filter(|from| !is_used(from)).cloned().collect(), Vec::new()),
        };
        for from in data {
            let tree = Tree::of(part.file_system.clone(), from.clone(), part.volume.place.clone());
            let (place, tree) = (place(&parts, index, &from), Arc::new(tree));
            found.push((index, System { place, os: None, tree, notes: notes.clone(), left_out: Vec::new() }));
        }
    }
    // Stable: a system comes before the data of the same volume.
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().map(|(_, system)| system).collect()
}

fn part(volume: &Volume) -> Option<Part<'_>> {
    match &volume.content {
        Content::Files(file_system) => Some(Part { volume, file_system }),
        Content::Parts(_) | Content::Nothing(_) | Content::Refused(_) => None,
    }
}

/// The volume of a system's root, with the folder when that is not the volume's own root.
fn place(parts: &[Part<'_>], index: usize, from: &FilePath) -> String {
    let volume = parts.get(index).map(|part| part.volume.place.clone()).unwrap_or_default();
    match from.is_root() {
        true => volume,
        false => format!("{volume}, subvolume {from}"),
    }
}

/// Which system it is, one that does not say has no id; and what could not be read about that.
fn recognise(tree: &Tree, kind: RootKind) -> (Os, Option<String>) {
    if kind == RootKind::Windows {
        return (Os { id: "windows".to_owned(), name: "Windows".to_owned(), ..Os::default() }, None);
    }
    // A tree that cannot be read at all is told by whoever walks through it.
    let Ok(mut reader) = tree.reader() else { return (Os::default(), None) };
    let (os, unread) = os::recognise(&mut reader);
    (os.unwrap_or_default(), unread)
}
