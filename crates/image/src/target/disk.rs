//! Files and block devices that hold a disk.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{OpenError, Opened, Options, TargetKind, ova::Member};
use crate::{
    block::{
        BlockRead, Cache, Cached, FileDisk,
        container::{self, Allowed, Container, ContainerError},
    },
    volume::{self, Content, Volume},
};

/// How much all disks of one target keep in memory, in bytes. What a scan needs for its whole list of packages; more was no
/// faster, on disks as they are and on compressed ones.
const CACHE: usize = 12 << 20;

/// A file of an appliance that is shorter, and of no kind of container, is no disk: what a machine keeps of its settings,
/// a text. In bytes.
const LEAST: u64 = 1 << 20;

/// Opens a disk, and what lies on it.
pub(super) fn open(path: &Path, file: Arc<FileDisk>, options: &Options) -> Result<Opened, OpenError> {
    let mut disks = Disks::new(options);
    let container = disks.container(path, file).map_err(|error| failed(path, error))?;
    disks.notes.extend(container.notes);
    let kind = container.kind;
    disks.disks.push((String::new(), container.disk));
    disks.opened(kind)
}

/// Opens the disks of an appliance, and what lies on them.
pub(super) fn open_all(path: &Path, members: &[Member], options: &Options) -> Result<Opened, OpenError> {
    let mut disks = Disks::new(options);
    let mut refused = Vec::new();
    for Member { name, bytes } in members {
        match disks.container(path, Arc::clone(bytes)) {
            Ok(Container { kind: TargetKind::Raw, .. }) if bytes.len() < LEAST => {
                disks.notes.push(format!("{name} is no disk, and was not read"));
            }
            Ok(container) => {
                disks.notes.extend(container.notes.into_iter().map(|note| format!("{name}: {note}")));
                disks.disks.push((name.clone(), container.disk));
            }
            Err(ContainerError::Refused(refusal)) => refused.push(Volume {
                place: name.clone(),
                size: bytes.len(),
                partition_uuid: String::new(),
                partition_label: String::new(),
                content: Content::Refused(refusal),
            }),
            Err(error) => return Err(failed(path, error)),
        }
    }
    // With a single disk its parts are called as they are on a disk that comes alone.
    if let ([(name, _)], []) = (disks.disks.as_mut_slice(), refused.as_slice()) {
        name.clear();
    }
    let mut opened = disks.opened(TargetKind::Ova)?;
    opened.volumes.extend(refused);
    Ok(opened)
}

/// Disks that are scanned together.
struct Disks {
    cache: Arc<Cache>,
    allowed: Allowed,
    /// Each with the name that its parts are told with; empty for a disk that comes alone.
    disks: Vec<(String, Arc<dyn BlockRead>)>,
    notes: Vec<String>,
}

impl Disks {
    fn new(options: &Options) -> Self {
        let (cache, allowed) = (Cache::new(CACHE), Allowed::new(&options.also));
        Self { cache, allowed, disks: Vec::new(), notes: Vec::new() }
    }

    /// The disk in a file.
    fn container(&self, path: &Path, file: Arc<dyn BlockRead>) -> Result<Container, ContainerError> {
        let mut container = container::open(file, path, &self.allowed, &self.cache)?;
        container.disk = Arc::new(Cached::new(container.disk, &self.cache));
        Ok(container)
    }

    /// Looks through them.
    fn opened(mut self, kind: TargetKind) -> Result<Opened, OpenError> {
        // What no container referred to may be a disk of the same group of logical volumes, or of the same file system.
        let mut further: Vec<(PathBuf, Arc<dyn BlockRead>)> = Vec::new();
        for path in self.allowed.unused() {
            let file = FileDisk::open(&path).map_err(|error| failed(&path, ContainerError::Io(error)))?;
            match self.container(&path, Arc::new(file)) {
                Ok(container) => further.push((path, container.disk)),
                Err(ContainerError::Refused(refusal)) => {
                    self.notes.push(format!("{}: {refusal}", path.display()));
                }
                Err(error) => return Err(failed(&path, error)),
            }
        }
        let others: Vec<Arc<dyn BlockRead>> = further.iter().map(|(_, disk)| Arc::clone(disk)).collect();
        let found = volume::find(&self.disks, &others);
        self.notes.extend(found.notes);
        for (number, (path, _)) in further.iter().enumerate() {
            if found.used.contains(&number) {
                self.notes.push(format!("{} was read as well", path.display()));
            } else if self.allowed.unused().contains(path) {
                self.notes.push(format!("{} was allowed, but nothing refers to it", path.display()));
            }
        }
        let size = self.disks.iter().fold(0, |size: u64, (_, disk)| size.saturating_add(disk.len()));
        Ok(Opened { kind, size, volumes: found.volumes, notes: self.notes, left_out: found.left_out })
    }
}

fn failed(path: &Path, error: ContainerError) -> OpenError {
    let path = path.to_owned();
    match error {
        ContainerError::Io(error) => OpenError::Io { path, error },
        ContainerError::Refused(refusal) => OpenError::Refused { path, refusal },
    }
}
