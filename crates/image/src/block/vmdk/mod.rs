//! The disks of VMware: the "Virtual Disk Format 5.0" of VMware describes them.
//!
//! A text, the descriptor, names the extents that make up the disk. It lies inside the one extent of a monolithicSparse
//! or streamOptimized disk, and is a file of its own for all others.

mod descriptor;
mod sparse;

use std::{io, path::PathBuf, sync::Arc};

use self::descriptor::{Descriptor, ExtentKind};
use super::{
    BlockRead, Section,
    chunks::check_end,
    container::{Container, ContainerError, Context},
    read_up_to,
};
use crate::{target::TargetKind, volume::Reason};

pub(super) const MAGIC: &[u8] = b"KDMV";
const WHAT: &str = "VMDK image";
const SECTOR: u64 = 512;

/// The longest descriptor that is read, in bytes; those of disks with hundreds of extents stay far below.
const LONGEST_DESCRIPTOR: usize = 1 << 20;

pub(super) use descriptor::is_descriptor;

pub(super) fn open(file: Arc<dyn BlockRead>, context: &Context<'_>) -> Result<Container, ContainerError> {
    if read_up_to(file.as_ref(), 0, MAGIC.len())? == MAGIC {
        let extent = sparse::open(file, context)?;
        if let Some(descriptor) = &extent.descriptor {
            refuse_delta(&Descriptor::read(descriptor)?)?;
        }
        return Ok(Container { kind: TargetKind::Vmdk, disk: Arc::new(extent.disk), notes: extent.notes });
    }
    let text = read_up_to(file.as_ref(), 0, LONGEST_DESCRIPTOR)?;
    let descriptor = Descriptor::read(&text)?;
    refuse_delta(&descriptor)?;
    let mut disk = Extents::default();
    let mut notes = Vec::new();
    for extent in &descriptor.extents {
        let length =
            extent.sectors.checked_mul(SECTOR).filter(|length| length.checked_add(disk.size).is_some());
        let length = length.ok_or_else(|| ContainerError::damaged(WHAT, "an extent of impossible length"))?;
        let part: Option<Arc<dyn BlockRead>> = match &extent.kind {
            ExtentKind::Zero => None,
            ExtentKind::Flat { file, offset } => {
                let (path, bytes) = context.open_raw(file, "extent")?;
                notes.push(read_besides(&path));
                let start = offset.checked_mul(SECTOR);
                let start =
                    start.ok_or_else(|| ContainerError::damaged(WHAT, "an extent that begins nowhere"))?;
                Some(Arc::new(Section::new(bytes, start, length)))
            }
            ExtentKind::Sparse { file } => {
                let (path, bytes) = context.open_raw(file, "extent")?;
                if read_up_to(bytes.as_ref(), 0, MAGIC.len())? != MAGIC {
                    let detail = format!("the extent {} is no sparse extent", path.display());
                    return Err(ContainerError::damaged(WHAT, detail));
                }
                notes.push(read_besides(&path));
                let below = sparse::open(bytes, context)?;
                notes.extend(below.notes);
                Some(Arc::new(below.disk))
            }
            ExtentKind::Other(kind) => {
                let detail = format!("extents of type {kind} are not read; convert it with qemu-img convert");
                return Err(ContainerError::unsupported(WHAT, detail));
            }
        };
        disk.push(length, part);
    }
    Ok(Container { kind: TargetKind::Vmdk, disk: Arc::new(disk), notes })
}

/// The extents that lie in files of their own, as the descriptor names them.
pub(super) fn refers_to(file: &dyn BlockRead) -> Result<Vec<Vec<u8>>, ContainerError> {
    let text = read_up_to(file, 0, LONGEST_DESCRIPTOR)?;
    if !is_descriptor(&text) {
        return Ok(Vec::new());
    }
    let extents = Descriptor::read(&text)?.extents;
    let files = extents.into_iter().filter_map(|extent| match extent.kind {
        ExtentKind::Flat { file, .. } | ExtentKind::Sparse { file } => Some(file),
        ExtentKind::Zero | ExtentKind::Other(_) => None,
    });
    Ok(files.collect())
}

fn read_besides(path: &PathBuf) -> String {
    format!("the extent {path:?} was read as well")
}

/// A snapshot holds only what changed since its parent.
fn refuse_delta(descriptor: &Descriptor) -> Result<(), ContainerError> {
    let Some(parent) = &descriptor.parent else { return Ok(()) };
    let detail = format!(
        "it only holds what differs from {parent:?}; merge them with vmware-vdiskmanager or qemu-img convert"
    );
    Err(ContainerError::refused(Reason::Unsupported, "VMDK snapshot", detail))
}

/// Extents one after the other.
#[derive(Debug, Default)]
struct Extents {
    parts: Vec<Part>,
    size: u64,
}

#[derive(Debug)]
struct Part {
    start: u64,
    length: u64,
    /// Zeros without.
    disk: Option<Arc<dyn BlockRead>>,
}

impl Extents {
    fn push(&mut self, length: u64, disk: Option<Arc<dyn BlockRead>>) {
        self.parts.push(Part { start: self.size, length, disk });
        self.size += length;
    }
}

impl BlockRead for Extents {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        check_end(self.size, offset, buffer)?;
        let (mut at, mut rest) = (offset, buffer);
        while !rest.is_empty() {
            let next = self.parts.partition_point(|part| part.start <= at);
            // The first begins at 0, and `check_end` saw to it that the last has not ended.
            let Some(Part { start, length, disk }) =
                next.checked_sub(1).and_then(|last| self.parts.get(last))
            else {
                break;
            };
            let take = usize::try_from(start + length - at).unwrap_or(usize::MAX).min(rest.len());
            let (part, after) = rest.split_at_mut(take);
            match disk {
                Some(disk) => disk.read_at(at - start, part)?,
                None => part.fill(0),
            }
            at += take as u64;
            rest = after;
        }
        Ok(())
    }
}
