//! For the fuzz target of the same name, and the property tests.

use std::{io, ops::ControlFlow, sync::Arc};

use super::{Builder, Layers};
use crate::{
    block::BlockRead,
    file_system::{FileKind, FileSystem, Place},
};

/// A disk in memory.
#[derive(Debug)]
pub(super) struct Memory(pub Vec<u8>);

impl BlockRead for Memory {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let end = start.checked_add(buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(self.0.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// Puts two layers on each other and reads all that is in them. The first byte says at which block the second begins.
pub fn merge(bytes: &[u8]) {
    let Some((&blocks, bytes)) = bytes.split_first() else { return };
    let at = (usize::from(blocks) * 512).min(bytes.len());
    let mut builder = Builder::new();
    for layer in [bytes.get(..at), bytes.get(at..)].into_iter().flatten() {
        // What is there before an error is a tree as any other.
        let _ = builder.add(Arc::new(Memory(layer.to_vec())));
    }
    walk(&builder.finish());
}

fn walk(layers: &Layers) {
    let mut reader = layers.reader().expect("layers always have a reader");
    let mut open = vec![reader.root()];
    while let Some(folder) = open.pop() {
        let mut places = Vec::new();
        let listed = reader.read_folder(&folder, &mut |entry| {
            places.push(Place { path: folder.path.join(entry.name), node: entry.node });
            ControlFlow::Continue(())
        });
        listed.expect("it was listed as a folder");
        for place in places {
            let metadata = reader.metadata(&place).expect("it was listed");
            match metadata.kind {
                FileKind::Folder => open.push(place),
                FileKind::Symlink => drop(reader.read_link(&place)),
                FileKind::File | FileKind::Other => {
                    for offset in [0, metadata.size / 2, metadata.size] {
                        let _ = reader.read_at(&place, offset, &mut [0; 700]);
                    }
                }
            }
        }
    }
}
