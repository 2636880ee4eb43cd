//! A file system in memory that may be as damaged as a test wants it.

use std::{io, ops::ControlFlow, sync::Arc};

use guardhouse_image::{
    Entry, FileKind, FilePath, FileSystem, Metadata, Place, ReadError, Reader, System, Tree,
};

/// A file by its number; 0 is the root.
#[derive(Clone, Debug)]
pub enum Node {
    /// With these entries; the numbers may lead anywhere.
    Folder(Vec<(String, u64)>),
    /// With so many empty files, numbered from 1,000,000 on: they are made while the folder is read.
    Crowd(u64),
    /// With one folder in it that is like this one, and so on.
    Well,
    /// A folder whose reading fails after these entries.
    TornFolder(Vec<(String, u64)>),
    /// A folder whose reader has a bug.
    BuggyFolder,
    File(Vec<u8>),
    /// Zeros, of that length.
    Sparse(u64),
    /// Reading fails.
    TornFile,
}

#[derive(Clone, Debug)]
pub struct Memory(pub Vec<Node>);

pub fn system(nodes: Vec<Node>) -> System {
    let tree = Tree::of(Arc::new(Memory(nodes)), FilePath::root(), "disk".to_owned());
    System {
        place: "disk".to_owned(),
        os: None,
        tree: Arc::new(tree),
        notes: Vec::new(),
        left_out: Vec::new(),
    }
}

impl FileSystem for Memory {
    fn kind(&self) -> &'static str {
        "memory"
    }

    fn reader(&self) -> Result<Box<dyn Reader>, ReadError> {
        Ok(Box::new(self.clone()))
    }
}

impl Memory {
    fn node(&self, node: u64) -> &Node {
        const EMPTY: &Node = &Node::File(Vec::new());
        match self.0.get(usize::try_from(node).expect("small")) {
            Some(node) => node,
            None if node >= 2_000_000 => &Node::Well,
            None => EMPTY,
        }
    }
}

fn show(entries: &[(String, u64)], memory: &Memory, each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>) {
    for (name, node) in entries {
        // Every other entry does not say what it is.
        let kind = (node % 2 == 0).then(|| kind(memory.node(*node)));
        if each(Entry { name: name.as_bytes(), node: *node, kind }).is_break() {
            return;
        }
    }
}

fn kind(node: &Node) -> FileKind {
    match node {
        Node::File(_) | Node::Sparse(_) | Node::TornFile => FileKind::File,
        _ => FileKind::Folder,
    }
}

impl Reader for Memory {
    fn root(&self) -> Place {
        Place { path: FilePath::root(), node: 0 }
    }

    fn metadata(&mut self, place: &Place) -> Result<Metadata, ReadError> {
        let node = self.node(place.node);
        let size = match node {
            Node::File(bytes) => bytes.len() as u64,
            Node::Sparse(size) => *size,
            Node::TornFile => 10,
            _ => 0,
        };
        Ok(Metadata { kind: kind(node), size, mode: 0o644, uid: 0, gid: 0, modified: 0 })
    }

    fn read_folder(
        &mut self,
        folder: &Place,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        match self.node(folder.node).clone() {
            Node::Folder(entries) => show(&entries, self, each),
            Node::Crowd(count) => {
                for number in 0..count {
                    let name = number.to_string();
                    let node = 1_000_000 + number;
                    if each(Entry { name: name.as_bytes(), node, kind: Some(FileKind::File) }).is_break() {
                        break;
                    }
                }
            }
            Node::Well => {
                let node = folder.node.max(2_000_000) + 1;
                let _ = each(Entry { name: b"d", node, kind: Some(FileKind::Folder) });
            }
            Node::TornFolder(entries) => {
                show(&entries, self, each);
                return Err(ReadError::Damaged("half of the folder is missing".to_owned()));
            }
            Node::BuggyFolder => panic!("index out of bounds"),
            _ => return Err(ReadError::NotFound("folder")),
        }
        Ok(())
    }

    fn read_link(&mut self, _place: &Place) -> Result<Vec<u8>, ReadError> {
        Err(ReadError::NotFound("symbolic link"))
    }

    fn read_at(&mut self, place: &Place, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        match self.node(place.node) {
            Node::File(bytes) => {
                let rest = bytes.get(usize::try_from(offset).expect("small")..).unwrap_or_default();
                let count = rest.len().min(buffer.len());
                buffer[..count].copy_from_slice(&rest[..count]);
                Ok(count)
            }
            Node::Sparse(size) => {
                let count = usize::try_from(size.saturating_sub(offset)).expect("64 bits").min(buffer.len());
                buffer[..count].fill(0);
                Ok(count)
            }
            _ => Err(io::Error::other("a bad sector").into()),
        }
    }
}
