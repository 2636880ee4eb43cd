//! A file system without files, to be mounted over what is not to be seen.

use std::ops::ControlFlow;

use crate::{
    file_system::{Entry, FileKind, FileSystem, Metadata, Place, ReadError, Reader},
    path::FilePath,
};

#[derive(Debug)]
pub(super) struct Empty;

impl FileSystem for Empty {
    fn kind(&self) -> &'static str {
        "empty"
    }

    fn reader(&self) -> Result<Box<dyn Reader>, ReadError> {
        Ok(Box::new(Self))
    }
}

impl Reader for Empty {
    fn root(&self) -> Place {
        Place { path: FilePath::root(), node: 0 }
    }

    fn metadata(&mut self, place: &Place) -> Result<Metadata, ReadError> {
        match place.path.is_root() {
            true => {
                Ok(Metadata { kind: FileKind::Folder, size: 0, mode: 0o755, uid: 0, gid: 0, modified: 0 })
            }
            false => Err(ReadError::NotFound("file")),
        }
    }

    fn read_folder(
        &mut self,
        _folder: &Place,
        _each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        Ok(())
    }

    fn read_link(&mut self, _place: &Place) -> Result<Vec<u8>, ReadError> {
        Err(ReadError::NotFound("symbolic link"))
    }

    fn read_at(&mut self, _place: &Place, _offset: u64, _buffer: &mut [u8]) -> Result<usize, ReadError> {
        Err(ReadError::NotFound("file"))
    }
}
