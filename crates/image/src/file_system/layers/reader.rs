//! Reading merged layers in one thread.

use std::{ops::ControlFlow, sync::Arc};

use super::index::{Extent, File, Index, ROOT, Stored};
use crate::{
    file_system::{Entry, FileKind, Metadata, Place, ReadError, Reader},
    path::FilePath,
};

pub(super) struct LayersReader {
    index: Arc<Index>,
}

impl LayersReader {
    pub fn new(index: Arc<Index>) -> Self {
        Self { index }
    }

    fn file(&self, place: &Place, what: &'static str) -> Result<&File, ReadError> {
        self.index.file(place.node).ok_or(ReadError::NotFound(what))
    }

    fn folder(&self, place: &Place) -> Result<&File, ReadError> {
        match self.file(place, "folder")? {
            folder if folder.stored == Stored::Folder => Ok(folder),
            _ => Err(ReadError::NotFound("folder")),
        }
    }
}

impl Reader for LayersReader {
    fn root(&self) -> Place {
        Place { path: FilePath::root(), node: ROOT.into() }
    }

    fn metadata(&mut self, place: &Place) -> Result<Metadata, ReadError> {
        let file = self.file(place, "file")?;
        Ok(Metadata {
            kind: kind(file),
            size: file.size,
            mode: file.mode.into(),
            uid: file.uid,
            gid: file.gid,
            modified: file.modified,
        })
    }

    fn read_folder(
        &mut self,
        folder: &Place,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        for (name, number) in self.index.children(self.folder(folder)?) {
            let node = u64::from(number);
            if each(Entry { name, node, kind: self.index.file(node).map(kind) }).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn lookup(&mut self, folder: &Place, name: &[u8]) -> Result<Option<Place>, ReadError> {
        self.folder(folder)?;
        let child = u32::try_from(folder.node).ok().and_then(|number| self.index.child(number, name));
        Ok(child.map(|number| Place { path: folder.path.join(name), node: number.into() }))
    }

    fn read_link(&mut self, place: &Place) -> Result<Vec<u8>, ReadError> {
        match self.file(place, "symbolic link")? {
            link if link.stored == Stored::Symlink => Ok(self.index.target(link).to_vec()),
            _ => Err(ReadError::NotFound("symbolic link")),
        }
    }

    fn read_at(&mut self, place: &Place, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let file = self.file(place, "file")?;
        let left = usize::try_from(file.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = left.min(buffer.len());
        if count == 0 && matches!(file.stored, Stored::File | Stored::Sparse) {
            return Ok(0);
        }
        let buffer = buffer.get_mut(..count).unwrap_or_default();
        let layer = self.index.contents.get(usize::from(file.layer)).ok_or(ReadError::NotFound("layer"))?;
        match file.stored {
            Stored::File => layer.read_at(file.data.saturating_add(offset), buffer)?,
            Stored::Sparse => {
                let number = usize::try_from(file.data).unwrap_or(usize::MAX);
                let extents = self.index.sparse.get(number).ok_or(ReadError::NotFound("file"))?;
                buffer.fill(0);
                for (extent, start, part) in overlaps(extents, offset, count) {
                    let part = buffer.get_mut(part).unwrap_or_default();
                    layer.read_at(extent.data.saturating_add(start), part)?;
                }
            }
            Stored::Folder | Stored::Symlink | Stored::Other => return Err(ReadError::NotFound("file")),
        }
        Ok(count)
    }
}

/// The extents that have bytes of a range of a file, each with where to begin in it and which part of the buffer it
/// fills.
fn overlaps(
    extents: &[Extent],
    offset: u64,
    count: usize,
) -> impl Iterator<Item = (&Extent, u64, std::ops::Range<usize>)> {
    let end = offset.saturating_add(count as u64);
    let first = extents.partition_point(|extent| extent.at.saturating_add(extent.length) <= offset);
    let extents = extents.iter().skip(first).take_while(move |extent| extent.at < end);
    extents.filter_map(move |extent| {
        let from = extent.at.max(offset);
        let to = extent.at.saturating_add(extent.length).min(end);
        let [start, stop] = [from, to].map(|at| usize::try_from(at.saturating_sub(offset)).unwrap_or(count));
        (start < stop).then(|| (extent, from - extent.at, start..stop))
    })
}

fn kind(file: &File) -> FileKind {
    match file.stored {
        Stored::File | Stored::Sparse => FileKind::File,
        Stored::Folder => FileKind::Folder,
        Stored::Symlink => FileKind::Symlink,
        Stored::Other => FileKind::Other,
    }
}
