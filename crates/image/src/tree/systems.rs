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
            let os = Some(recognise(&composed.tree, *kind));
            found.push((index, system(&parts, index, from, os, composed.tree, notes)));
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
            found.push((index, system(&parts, index, &from, None, tree, notes.clone())));
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

fn system(
    parts: &[Part<'_>],
    index: usize,
    from: &FilePath,
    os: Option<Os>,
    tree: Tree,
    notes: Vec<String>,
) -> System {
    let volume = parts.get(index).map(|part| part.volume.place.clone()).unwrap_or_default();
    let place = match from.is_root() {
        true => volume,
        false => format!("{volume}, subvolume {from}"),
    };
    System { place, os, tree: Arc::new(tree), notes }
}

/// Which system it is; one that does not say has no id.
fn recognise(tree: &Tree, kind: RootKind) -> Os {
    match kind {
        RootKind::Windows => Os { id: "windows".to_owned(), name: "Windows".to_owned(), ..Os::default() },
        RootKind::Unix => {
            tree.reader().ok().and_then(|mut reader| os::recognise(&mut reader)).unwrap_or_default()
        }
    }
}
