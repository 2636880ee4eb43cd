//! Putting layers on each other.

use std::sync::Arc;

use super::{
    Layers,
    archive::{Archive, ArchiveError, Entry, EntryKind, Part},
    index::{Extent, File, Full, Index, NONE, ROOT, Stored},
    notes::Notes,
};
use crate::{block::BlockRead, limits, path::FilePath};

/// What the name of a whiteout begins with.
const WHITEOUT: &[u8] = b".wh.";

/// The whiteout of everything in its folder.
const OPAQUE: &[u8] = b".wh..wh..opq";

/// Other files of aufs in the archives of its time.
const AUFS: &[u8] = b".wh..wh.";

/// Why a layer cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// It contradicts itself, or its bytes cannot be read.
    #[error("{0}")]
    Damaged(String),
    /// One of [`crate::limits`] was reached.
    #[error("more than {limit} {what}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How much is read.
        limit: u64,
    },
}

/// Puts layers on each other, the lowest first.
#[derive(Debug)]
pub struct Builder {
    index: Index,
    notes: Notes,
    whiteouts: bool,
}

/// An entry that cannot be put into the tree: a sentence about it.
enum Trouble {
    LeftOut(&'static str),
    Full(Full),
}

impl From<Full> for Trouble {
    fn from(full: Full) -> Self {
        Self::Full(full)
    }
}

impl Builder {
    /// For layers of an image.
    #[must_use]
    pub fn new() -> Self {
        Self { index: Index::new(), notes: Notes::default(), whiteouts: true }
    }

    /// For an archive that is no layer: names of whiteouts are names as all others.
    #[must_use]
    pub(crate) fn archive() -> Self {
        Self { whiteouts: false, ..Self::new() }
    }

    /// Puts a layer on those before it: a tar archive, not compressed.
    ///
    /// # Errors
    /// See [`LayerError`]. The tree is in between then.
    pub fn add(&mut self, archive: Arc<dyn BlockRead>) -> Result<(), LayerError> {
        let full = || LayerError::Limit { what: "layers", limit: limits::LAYERS as u64 };
        let layer = u16::try_from(self.index.contents.len()).map_err(|_| full())?;
        if usize::from(layer) >= limits::LAYERS {
            return Err(full());
        }
        // Whiteouts hide what is below their layer, and nothing in it, wherever in the archive they are. So all of them
        // go first.
        if self.whiteouts && layer > 0 {
            self.each(&archive, |builder, entry| builder.whiteout(entry))?;
        }
        self.index.contents.push(Arc::clone(&archive));
        self.each(&archive, |builder, entry| builder.entry(entry, layer))
    }

    /// The tree.
    #[must_use]
    pub fn finish(self) -> Layers {
        let kind = if self.whiteouts { "layers" } else { "tar" };
        Layers { kind, index: Arc::new(self.index), left_out: self.notes.into_told() }
    }

    fn each(
        &mut self,
        archive: &Arc<dyn BlockRead>,
        apply: impl Fn(&mut Self, &Entry) -> Result<(), Trouble>,
    ) -> Result<(), LayerError> {
        let mut archive = Archive::new(Arc::clone(archive));
        loop {
            let entry = match archive.next() {
                Ok(Some(entry)) => entry,
                Ok(None) => return Ok(()),
                Err(error @ (ArchiveError::Damaged { .. } | ArchiveError::Io(_))) => {
                    return Err(LayerError::Damaged(error.to_string()));
                }
            };
            match apply(self, &entry) {
                Ok(()) => {}
                Err(Trouble::LeftOut(why)) => self.notes.left_out(&entry.path, why),
                Err(Trouble::Full(Full { what, limit })) => return Err(LayerError::Limit { what, limit }),
            }
        }
    }

    fn whiteout(&mut self, entry: &Entry) -> Result<(), Trouble> {
        // What is wrong with a path is told when the entries are put in.
        let Ok(path) = path(entry) else { return Ok(()) };
        let Some(hidden) = path.name().strip_prefix(WHITEOUT) else { return Ok(()) };
        let parent = path.parent().unwrap_or_else(FilePath::root);
        let Some(folder) = self.folder(&parent, None)? else { return Ok(()) };
        match path.name() {
            OPAQUE => self.index.clear(folder),
            name if name.starts_with(AUFS) => {}
            _ => self.index.remove(folder, hidden),
        }
        Ok(())
    }

    fn entry(&mut self, entry: &Entry, layer: u16) -> Result<(), Trouble> {
        let path = path(entry)?;
        let name = path.name();
        if self.whiteouts && name.starts_with(WHITEOUT) {
            return match name {
                b".wh." | b".wh.." | b".wh..." => Err(Trouble::LeftOut("a whiteout of nothing")),
                _ => Ok(()),
            };
        }
        let Some(parent) = path.parent() else {
            return match (entry.kind, self.index.file_mut(ROOT)) {
                (EntryKind::Folder, Some(root)) => {
                    let data = root.data;
                    *root = File { data, ..file(entry, layer, Stored::Folder) };
                    Ok(())
                }
                _ => Err(Trouble::LeftOut("the root is a folder")),
            };
        };
        let number = match entry.kind {
            EntryKind::Unknown(_) => return Err(Trouble::LeftOut("an entry of unknown type")),
            EntryKind::HardLink => {
                Some(self.linked(entry)?.ok_or(Trouble::LeftOut("a link to a file that is not there"))?)
            }
            _ => None,
        };
        let Some(folder) = self.folder(&parent, Some(layer))? else { return Ok(()) };
        let there = self.index.child(folder, name);
        let number = match (number, entry.kind) {
            (Some(number), _) => number,
            (None, EntryKind::Folder) => {
                let there = there.and_then(|number| self.index.file_mut(number));
                // A folder over a folder changes what is known about it, and nothing in it.
                if let Some(there) = there.filter(|there| there.stored == Stored::Folder) {
                    let data = there.data;
                    *there = File { data, ..file(entry, layer, Stored::Folder) };
                    return Ok(());
                }
                self.index.add(File { data: NONE.into(), ..file(entry, layer, Stored::Folder) })?
            }
            (None, EntryKind::Symlink) => {
                let (size, data) = (entry.target.len() as u64, self.index.keep(&entry.target)?.into());
                self.index.add(File { size, data, ..file(entry, layer, Stored::Symlink) })?
            }
            (None, EntryKind::File) => match &entry.sparse {
                None => self.index.add(file(entry, layer, Stored::File))?,
                Some(parts) => {
                    let data = self.index.sparse.len() as u64;
                    self.index.sparse.push(extents(entry.data, parts));
                    self.index.add(File { data, ..file(entry, layer, Stored::Sparse) })?
                }
            },
            (None, _) => self.index.add(file(entry, layer, Stored::Other))?,
        };
        if there != Some(number) {
            self.index.set(folder, name, number)?;
        }
        Ok(())
    }

    /// The file that a hard link is another name of.
    fn linked(&mut self, entry: &Entry) -> Result<Option<u32>, Trouble> {
        let target = FilePath::new(&entry.target);
        let Some(parent) = target.parent() else { return Ok(None) };
        let Some(folder) = self.folder(&parent, None)? else { return Ok(None) };
        let number = self.index.child(folder, target.name());
        // Each folder has one name, so that the tree has no loops.
        Ok(number.filter(|&number| {
            self.index.file(number.into()).is_some_and(|file| file.stored != Stored::Folder)
        }))
    }

    /// The folder of a path: symbolic links on the way are followed inside the tree, as the engines do when they unpack
    /// an entry. What is missing is made for `layer`; without one, it is `None`.
    fn folder(&mut self, path: &FilePath, layer: Option<u16>) -> Result<Option<u32>, Trouble> {
        let mut way = vec![ROOT];
        let mut names: Vec<Vec<u8>> = Vec::new();
        let mut given = path.names();
        let mut hops = 0;
        while let Some(name) =
            names.pop().map(std::borrow::Cow::Owned).or_else(|| given.next().map(Into::into))
        {
            let here = way.last().copied().unwrap_or(ROOT);
            if *name == *b".." {
                way.truncate(way.len().saturating_sub(1).max(1));
                continue;
            }
            let child = self.index.child(here, &name);
            let child = child.and_then(|number| Some((number, *self.index.file(number.into())?)));
            match (child, layer) {
                (Some((number, File { stored: Stored::Folder, .. })), _) => way.push(number),
                (Some((_, link @ File { stored: Stored::Symlink, .. })), _) => {
                    hops += 1;
                    let target = self.index.target(&link);
                    if hops > limits::SYMLINK_HOPS || target.len() > limits::PATH_BYTES {
                        return Err(Trouble::LeftOut("the links on the way to it do not end"));
                    }
                    if target.first() == Some(&b'/') {
                        way.truncate(1);
                    }
                    let steps = target.split(|&byte| byte == b'/');
                    let steps = steps.filter(|name| !matches!(*name, b"" | b"."));
                    names.extend(steps.map(<[u8]>::to_vec).rev());
                }
                (_, None) => return Ok(None),
                (_, Some(layer)) => {
                    if way.len() > limits::DEPTH {
                        return Err(Trouble::LeftOut("it lies too deep"));
                    }
                    let number = self.index.add(File::folder(layer))?;
                    self.index.set(here, &name, number)?;
                    way.push(number);
                }
            }
        }
        Ok(way.pop())
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

/// Where an entry is put.
fn path(entry: &Entry) -> Result<FilePath, Trouble> {
    if entry.path.len() > limits::PATH_BYTES || entry.target.len() > limits::PATH_BYTES {
        return Err(Trouble::LeftOut("its path is too long"));
    }
    if entry.path.contains(&0) || entry.target.contains(&0) {
        return Err(Trouble::LeftOut("its path has a zero byte"));
    }
    let path = FilePath::new(&entry.path);
    match path.names().count() > limits::DEPTH {
        true => Err(Trouble::LeftOut("it lies too deep")),
        false => Ok(path),
    }
}

fn file(entry: &Entry, layer: u16, stored: Stored) -> File {
    File {
        data: entry.data,
        size: if entry.kind == EntryKind::File { entry.size } else { 0 },
        modified: entry.modified,
        uid: entry.uid,
        gid: entry.gid,
        mode: u16::try_from(entry.mode & 0o7777).unwrap_or(0),
        layer,
        stored,
    }
}

/// The parts of a file with holes, which are kept one after the other.
fn extents(mut data: u64, parts: &[Part]) -> Box<[Extent]> {
    let extent = |part: &Part| {
        let extent = Extent { at: part.at, length: part.length, data };
        data = data.saturating_add(part.length);
        extent
    };
    parts.iter().map(extent).collect()
}
