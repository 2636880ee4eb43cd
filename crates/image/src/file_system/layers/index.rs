//! The tree of merged layers, in memory: names, and the files that they are of.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use hashbrown::HashTable;

use crate::{block::BlockRead, limits};

/// No name, no file.
pub(super) const NONE: u32 = u32::MAX;

/// The root folder.
pub(super) const ROOT: u32 = 0;

/// A name in a folder. Never given up while its folder lives: what is removed has no file, and may get one again.
struct Name {
    /// Where its bytes begin in `texts`.
    start: u32,
    length: u16,
    folder: u32,
    /// The next name of the folder.
    next: u32,
    /// What has the name; [`NONE`] once it was removed.
    file: u32,
}

/// A file. Hard links are names of the same one.
#[derive(Clone, Copy, Debug)]
pub(super) struct File {
    /// Where its bytes begin in its archive; of a symbolic link, the target in `texts`; of a folder, its first name; of
    /// a file with holes, its number among those.
    pub data: u64,
    /// In bytes.
    pub size: u64,
    pub modified: i64,
    pub uid: u32,
    pub gid: u32,
    pub mode: u16,
    /// Which of `contents` has its bytes.
    pub layer: u16,
    pub stored: Stored,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    File,
    /// A file with holes.
    Sparse,
    Folder,
    Symlink,
    Other,
}

/// A part of a file with holes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    /// Where in the file.
    pub at: u64,
    pub length: u64,
    /// Where in the archive.
    pub data: u64,
}

/// More than an index holds.
#[derive(Debug)]
pub(super) struct Full {
    pub what: &'static str,
    pub limit: u64,
}

pub(super) struct Index {
    names: Vec<Name>,
    files: Vec<File>,
    /// Names and targets of links, one after the other.
    texts: Vec<u8>,
    /// Finds a name by its folder and its bytes.
    table: HashTable<u32>,
    hasher: RandomState,
    pub sparse: Vec<Box<[Extent]>>,
    pub contents: Vec<Arc<dyn BlockRead>>,
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Index of {} files in {} layers", self.files.len(), self.contents.len())
    }
}

impl Index {
    pub fn new() -> Self {
        let mut index = Self {
            names: Vec::new(),
            files: Vec::new(),
            texts: Vec::new(),
            table: HashTable::new(),
            hasher: RandomState::new(),
            sparse: Vec::new(),
            contents: Vec::new(),
        };
        index.files.push(File::folder(0));
        index
    }

    /// The file of a number; `None` when there is none.
    pub fn file(&self, node: u64) -> Option<&File> {
        self.files.get(usize::try_from(node).ok()?)
    }

    pub fn file_mut(&mut self, file: u32) -> Option<&mut File> {
        self.files.get_mut(file as usize)
    }

    fn name(&self, name: u32) -> Option<&Name> {
        self.names.get(name as usize)
    }

    fn text(&self, start: u64, length: u64) -> &[u8] {
        let range = |start: u64, length: u64| {
            let start = usize::try_from(start).ok()?;
            self.texts.get(start..start.checked_add(usize::try_from(length).ok()?)?)
        };
        range(start, length).unwrap_or_default()
    }

    /// Where a symbolic link leads.
    pub fn target(&self, link: &File) -> &[u8] {
        self.text(link.data, link.size)
    }

    /// What a folder has by a name; `None` for nothing.
    pub fn child(&self, folder: u32, name: &[u8]) -> Option<u32> {
        let file = self.name(self.find(folder, name)?)?.file;
        (file != NONE).then_some(file)
    }

    /// The names of a folder and their files.
    pub fn children(&self, folder: &File) -> impl Iterator<Item = (&[u8], u32)> {
        let first = match folder.stored {
            Stored::Folder => u32::try_from(folder.data).unwrap_or(NONE),
            _ => NONE,
        };
        let names = std::iter::successors(self.name(first), |name| self.name(name.next));
        names
            .filter(|name| name.file != NONE)
            .map(|name| (self.text(name.start.into(), name.length.into()), name.file))
    }

    fn hash(&self, folder: u32, name: &[u8]) -> u64 {
        self.hasher.hash_one((folder, name))
    }

    fn find(&self, folder: u32, name: &[u8]) -> Option<u32> {
        let is_it = |&at: &u32| {
            self.name(at).is_some_and(|found| {
                found.folder == folder && self.text(found.start.into(), found.length.into()) == name
            })
        };
        self.table.find(self.hash(folder, name), is_it).copied()
    }

    /// Adds a file, which has no name yet.
    pub fn add(&mut self, file: File) -> Result<u32, Full> {
        let full = Full { what: "files in layers", limit: limits::LAYER_FILES as u64 };
        match u32::try_from(self.files.len()) {
            Ok(number) if self.files.len() < limits::LAYER_FILES => {
                self.files.push(file);
                Ok(number)
            }
            _ => Err(full),
        }
    }

    /// Keeps a text: where it begins.
    pub fn keep(&mut self, text: &[u8]) -> Result<u32, Full> {
        let start = self.texts.len();
        if text.len() > limits::LAYER_TEXTS.saturating_sub(start) {
            return Err(Full { what: "bytes of names in layers", limit: limits::LAYER_TEXTS as u64 });
        }
        self.texts.extend_from_slice(text);
        Ok(u32::try_from(start).unwrap_or(NONE))
    }

    /// Gives a file a name in a folder. What had the name before loses it; a folder with all that is in it.
    pub fn set(&mut self, folder: u32, name: &[u8], file: u32) -> Result<(), Full> {
        if let Some(at) = self.find(folder, name) {
            self.unset(at);
            if let Some(name) = self.names.get_mut(at as usize) {
                name.file = file;
            }
            return Ok(());
        }
        let full = Full { what: "files in layers", limit: limits::LAYER_FILES as u64 };
        let number = u32::try_from(self.names.len()).ok().filter(|_| self.names.len() < limits::LAYER_FILES);
        let number = number.ok_or(full)?;
        let start = self.keep(name)?;
        let hash = self.hash(folder, name);
        let Some(parent) = self.files.get_mut(folder as usize) else { return Ok(()) };
        let next = u32::try_from(parent.data).unwrap_or(NONE);
        parent.data = number.into();
        let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
        self.names.push(Name { start, length, folder, next, file });
        let (names, texts, hasher) = (&self.names, &self.texts, &self.hasher);
        self.table.insert_unique(hash, number, |&at| {
            let text = |name: &Name| texts.get(name.start as usize..)?.get(..usize::from(name.length));
            let name = names.get(at as usize);
            hasher.hash_one((name.map_or(NONE, |name| name.folder), name.and_then(text).unwrap_or_default()))
        });
        Ok(())
    }

    /// Takes a name away.
    pub fn remove(&mut self, folder: u32, name: &[u8]) {
        if let Some(at) = self.find(folder, name) {
            self.unset(at);
        }
    }

    fn unset(&mut self, at: u32) {
        let Some(name) = self.names.get_mut(at as usize) else { return };
        let file = std::mem::replace(&mut name.file, NONE);
        if self.file(file.into()).is_some_and(|file| file.stored == Stored::Folder) {
            self.clear(file);
        }
    }

    /// Takes everything out of a folder. What is taken out is forgotten, so that each name is only once gone through.
    pub fn clear(&mut self, folder: u32) {
        let mut folders = vec![folder];
        while let Some(folder) = folders.pop() {
            let Some(file) = self.file_mut(folder) else { continue };
            let mut next = u32::try_from(file.data).unwrap_or(NONE);
            file.data = NONE.into();
            while let Some(name) = self.name(next) {
                let hash = self.hash(folder, self.text(name.start.into(), name.length.into()));
                let (file, at) = (name.file, next);
                next = name.next;
                if let Ok(entry) = self.table.find_entry(hash, |&found| found == at) {
                    entry.remove();
                }
                if let Some(name) = self.names.get_mut(at as usize) {
                    name.file = NONE;
                }
                if self.file(file.into()).is_some_and(|file| file.stored == Stored::Folder) {
                    folders.push(file);
                }
            }
        }
    }
}

impl File {
    /// A folder that no entry describes.
    pub fn folder(layer: u16) -> Self {
        Self {
            data: NONE.into(),
            size: 0,
            modified: 0,
            uid: 0,
            gid: 0,
            mode: 0o755,
            layer,
            stored: Stored::Folder,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_takes_few_bytes() {
        // And four in the table, which is between half and seven eighths full.
        assert!(size_of::<Name>() + size_of::<File>() + 4 * 2 <= 80);
    }
}
