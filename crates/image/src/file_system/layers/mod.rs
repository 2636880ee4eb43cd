//! Layers of a container image, as one file tree: the image specification of the Open Container Initiative says how they
//! are put on each other (`layer.md`).
//!
//! The tree is an index in memory, with some 70 bytes and its name for a file. The bytes of the files stay in the
//! archives and are read in place; compressed archives are unpacked before, see `unpack`.

pub(crate) mod archive;
mod build;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod index;
mod notes;
mod reader;
pub(crate) mod unpack;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub(crate) use archive::is_header;
pub use build::{Builder, LayerError};

use super::{FileSystem, ReadError, Reader};
use crate::block::{BlockRead, Section};
use index::{Index, Stored};
use reader::LayersReader;

/// Layers that were put on each other, or an archive.
#[derive(Debug)]
pub struct Layers {
    kind: &'static str,
    index: Arc<Index>,
    left_out: Vec<String>,
}

impl Layers {
    /// The bytes of a regular file as a disk of its own; `None` for what is none, or has holes.
    pub(crate) fn content(&self, node: u64) -> Option<Arc<dyn BlockRead>> {
        let file = self.index.file(node)?;
        match file.stored {
            Stored::File => {
                let disk = Arc::clone(self.index.contents.get(usize::from(file.layer))?);
                Some(Arc::new(Section::new(disk, file.data, file.size)))
            }
            _ => None,
        }
    }
}

impl FileSystem for Layers {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn left_out(&self) -> &[String] {
        &self.left_out
    }

    fn reader(&self) -> Result<Box<dyn Reader>, ReadError> {
        Ok(Box::new(LayersReader::new(Arc::clone(&self.index))))
    }
}
