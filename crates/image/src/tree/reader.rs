//! Reading a tree in one thread.

use std::ops::ControlFlow;

use super::{Mount, Tree, TreePlace};
use crate::{
    file_system::{Entry, FileKind, Metadata, Place, ReadError, Reader},
    limits,
    path::FilePath,
};

/// Reads a tree in one thread.
pub struct TreeReader {
    mounts: Vec<Mounted>,
}

struct Mounted {
    at: FilePath,
    reader: Box<dyn Reader>,
    /// The folder of its file system that is seen.
    root: Place,
    /// Whether a later one hides it.
    hidden: bool,
}

impl Tree {
    /// A reader for one thread.
    ///
    /// # Errors
    /// See [`ReadError`]; `NotFound` also when a mount has no such folder as it says.
    pub fn reader(&self) -> Result<TreeReader, ReadError> {
        let mounts = self.mounts.iter().enumerate().map(|(index, mount)| {
            let mut reader = mount.file_system.reader()?;
            let root = walk_down(&mut *reader, mount)?;
            let mut later = self.mounts.iter().skip(index + 1);
            let hidden = later.any(|later| mount.at.from(&later.at).is_some());
            Ok(Mounted { at: mount.at.clone(), reader, root, hidden })
        });
        let mounts = mounts.collect::<Result<Vec<_>, ReadError>>()?;
        match mounts.iter().any(|mount| mount.at.is_root()) {
            true => Ok(TreeReader { mounts }),
            false => Err(ReadError::NotFound("root of the tree")),
        }
    }
}

/// The folder of a file system that a mount shows. Its path was found before, or comes from the options of a mount,
/// which follow no symbolic link either.
fn walk_down(reader: &mut dyn Reader, mount: &Mount) -> Result<Place, ReadError> {
    let mut place = reader.root();
    for name in mount.from.names() {
        place = reader.lookup(&place, name)?.ok_or(ReadError::NotFound("subvolume"))?;
    }
    if mount.from.is_root() || reader.metadata(&place)?.kind == FileKind::Folder {
        return Ok(place);
    }
    Err(ReadError::NotFound("subvolume"))
}

impl TreeReader {
    /// The root folder.
    #[must_use]
    pub fn root(&self) -> TreePlace {
        // A tree without a root has no reader.
        self.mounted_at(&FilePath::root()).unwrap_or_else(|| TreePlace {
            mount: 0,
            place: Place { path: FilePath::root(), node: 0 },
            path: FilePath::root(),
        })
    }

    /// The root of what is mounted at a path.
    fn mounted_at(&self, path: &FilePath) -> Option<TreePlace> {
        let (mount, mounted) =
            self.mounts.iter().enumerate().find(|(_, mounted)| !mounted.hidden && mounted.at == *path)?;
        Some(TreePlace { mount, place: mounted.root.clone(), path: path.clone() })
    }

    fn reader(&mut self, place: &TreePlace) -> Result<&mut dyn Reader, ReadError> {
        match self.mounts.get_mut(place.mount) {
            Some(mounted) => Ok(&mut *mounted.reader),
            None => Err(ReadError::NotFound("mount")),
        }
    }

    /// See [`Reader::metadata`].
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn metadata(&mut self, place: &TreePlace) -> Result<Metadata, ReadError> {
        self.reader(place)?.metadata(&place.place)
    }

    /// See [`Reader::read_folder`]; folders that another mount hides lead to that mount.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn read_folder(
        &mut self,
        folder: &TreePlace,
        each: &mut dyn FnMut(Entry<'_>, TreePlace) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        // Most folders have no mount in them.
        let below: Vec<TreePlace> = self
            .mounts
            .iter()
            .filter(|mounted| !mounted.hidden && mounted.at.parent().is_some_and(|at| at == folder.path))
            .filter_map(|mounted| self.mounted_at(&mounted.at))
            .collect();
        let mount = folder.mount;
        self.reader(folder)?.read_folder(&folder.place, &mut |entry| match below
            .iter()
            .find(|place| place.path.name() == entry.name)
        {
            Some(place) => {
                let entry = Entry { name: entry.name, node: place.place.node, kind: Some(FileKind::Folder) };
                each(entry, place.clone())
            }
            None => {
                let place = Place { path: folder.place.path.join(entry.name), node: entry.node };
                each(entry, TreePlace { mount, place, path: folder.path.join(entry.name) })
            }
        })
    }

    /// An entry of a folder; `None` when it has none of that name. Symbolic links are not followed.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn lookup(&mut self, folder: &TreePlace, name: &[u8]) -> Result<Option<TreePlace>, ReadError> {
        let path = folder.path.join(name);
        if let Some(place) = self.mounted_at(&path) {
            return Ok(Some(place));
        }
        let found = self.reader(folder)?.lookup(&folder.place, name)?;
        Ok(found.map(|place| TreePlace { mount: folder.mount, place, path }))
    }

    /// The file at a path of the system, with symbolic links followed inside the tree, as a program with that root
    /// would find it; `None` when there is none.
    ///
    /// # Errors
    /// See [`ReadError`]; `Limit` after [`limits::SYMLINK_HOPS`] links.
    pub fn find(&mut self, path: &FilePath) -> Result<Option<TreePlace>, ReadError> {
        self.resolve(path, true)
    }

    /// As [`Self::find`], but when the path is that of a symbolic link, the link itself.
    ///
    /// # Errors
    /// See [`ReadError`]; `Limit` after [`limits::SYMLINK_HOPS`] links.
    pub fn find_entry(&mut self, path: &FilePath) -> Result<Option<TreePlace>, ReadError> {
        self.resolve(path, false)
    }

    fn resolve(&mut self, path: &FilePath, follow_last: bool) -> Result<Option<TreePlace>, ReadError> {
        // The folders from the root to where the search is, and the names that are still to go, the next one last.
        let mut way = vec![self.root()];
        let mut names: Vec<Vec<u8>> = path.names().map(<[u8]>::to_vec).collect();
        names.reverse();
        let mut hops = 0;
        while let Some(name) = names.pop() {
            let Some(folder) = way.last().cloned() else { break };
            if way.len() > 1 && self.metadata(&folder)?.kind != FileKind::Folder {
                return Ok(None);
            }
            if name == b".." {
                // At the root it stays there.
                way.truncate(way.len().saturating_sub(1).max(1));
                continue;
            }
            let Some(found) = self.lookup(&folder, &name)? else { return Ok(None) };
            let last = names.is_empty() && !follow_last;
            if last || self.metadata(&found)?.kind != FileKind::Symlink {
                way.push(found);
                continue;
            }
            hops += 1;
            if hops > limits::SYMLINK_HOPS {
                let limit = limits::SYMLINK_HOPS as u64;
                return Err(ReadError::Limit { what: "symbolic links on the way to a file", limit });
            }
            let target = self.read_link(&found)?;
            if target.len() > limits::PATH_BYTES {
                let limit = limits::PATH_BYTES as u64;
                return Err(ReadError::Limit { what: "bytes in a symbolic link", limit });
            }
            if target.first() == Some(&b'/') {
                way.truncate(1);
            }
            let steps = target.split(|&byte| byte == b'/').filter(|name| !matches!(*name, b"" | b"."));
            names.extend(steps.map(<[u8]>::to_vec).rev());
        }
        Ok(way.pop())
    }

    /// See [`Reader::read_link`].
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn read_link(&mut self, place: &TreePlace) -> Result<Vec<u8>, ReadError> {
        self.reader(place)?.read_link(&place.place)
    }

    /// See [`Reader::read_at`].
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn read_at(&mut self, place: &TreePlace, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        self.reader(place)?.read_at(&place.place, offset, buffer)
    }

    /// The first bytes of the regular file at a path, as [`Self::find`] finds it; `None` when there is no such file.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn read_head(&mut self, path: &FilePath, most: usize) -> Result<Option<Vec<u8>>, ReadError> {
        let Some(place) = self.find(path)? else { return Ok(None) };
        let metadata = self.metadata(&place)?;
        if metadata.kind != FileKind::File {
            return Ok(None);
        }
        // As much as it says to have, but no more than is asked for: the length may be a lie.
        let mut bytes = vec![0; usize::try_from(metadata.size).unwrap_or(most).min(most)];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read_at(&place, filled as u64, rest)? {
                0 => break,
                count => filled += count,
            }
        }
        bytes.truncate(filled);
        Ok(Some(bytes))
    }
}
