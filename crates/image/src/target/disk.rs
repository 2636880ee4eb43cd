//! Files and block devices that hold a disk.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{OpenError, Opened, Options};
use crate::{
    block::{
        BlockRead, Cache, Cached, FileDisk,
        container::{self, Allowed, ContainerError},
    },
    volume,
};

/// How much all disks of one target keep in memory, in bytes. What a scan needs for its whole list of packages; more was no
/// faster, on disks as they are and on compressed ones.
const CACHE: usize = 12 << 20;

/// Opens a disk, and what lies on it.
pub(super) fn open(path: &Path, file: FileDisk, options: &Options) -> Result<Opened, OpenError> {
    let cache = Cache::new(CACHE);
    let allowed = Allowed::new(&options.also);
    let container =
        container::open(Arc::new(file), path, &allowed, &cache).map_err(|error| failed(path, error))?;
    let mut notes = container.notes;

    // What no container referred to may be a disk of the same group of logical volumes, or of the same file system.
    let mut further: Vec<(PathBuf, Arc<dyn BlockRead>)> = Vec::new();
    for path in allowed.unused() {
        let file = FileDisk::open(&path).map_err(|error| failed(&path, ContainerError::Io(error)))?;
        match container::open(Arc::new(file), &path, &allowed, &cache) {
            Ok(container) => further.push((path, Arc::new(Cached::new(container.disk, &cache)))),
            Err(ContainerError::Refused(refusal)) => notes.push(format!("{}: {refusal}", path.display())),
            Err(error) => return Err(failed(&path, error)),
        }
    }
    let disks: Vec<Arc<dyn BlockRead>> = further.iter().map(|(_, disk)| Arc::clone(disk)).collect();

    let disk: Arc<dyn BlockRead> = Arc::new(Cached::new(container.disk, &cache));
    let found = volume::find(&disk, &disks);
    notes.extend(found.notes);
    for (number, (path, _)) in further.iter().enumerate() {
        if found.used.contains(&number) {
            notes.push(format!("{} was read as well", path.display()));
        } else if allowed.unused().contains(path) {
            notes.push(format!("{} was allowed, but nothing refers to it", path.display()));
        }
    }
    Ok(Opened {
        kind: container.kind,
        size: disk.len(),
        volumes: found.volumes,
        notes,
        left_out: found.left_out,
    })
}

fn failed(path: &Path, error: ContainerError) -> OpenError {
    let path = path.to_owned();
    match error {
        ContainerError::Io(error) => OpenError::Io { path, error },
        ContainerError::Refused(refusal) => OpenError::Refused { path, refusal },
    }
}
