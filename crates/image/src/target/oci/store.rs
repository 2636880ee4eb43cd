//! Where the blobs of images are: a folder, or a tar archive.

use std::{path::Path, sync::Arc};

use super::{OpenError, refusal};
use crate::{
    block::{BlockRead, FileDisk},
    file_system::{
        FileKind, FileSystem, ReadError,
        folder::Folder,
        layers::{
            Builder, LayerError, Layers,
            unpack::{Expected, Scratch, UnpackError},
        },
    },
    path::FilePath,
    tree::Tree,
    volume::{Reason, Refusal},
};

pub(super) struct Store {
    tree: Tree,
    kind: Kind,
}

enum Kind {
    Folder(Arc<Folder>),
    Archive(Arc<Layers>),
}

impl Store {
    /// Opens a folder, or an archive, which may be compressed.
    pub fn open(path: &Path, scratch: &mut Scratch) -> Result<Self, OpenError> {
        let failed = |error| OpenError::Io { path: path.to_owned(), error };
        let refused = |refusal| OpenError::Refused { path: path.to_owned(), refusal };
        if path.is_dir() {
            let folder = Arc::new(Folder::open(path).map_err(failed)?);
            return Ok(Self::new(Arc::clone(&folder) as Arc<dyn FileSystem>, Kind::Folder(folder)));
        }
        let file = Arc::new(FileDisk::open(path).map_err(failed)?);
        Self::archive(file, scratch).map_err(refused)
    }

    /// Opens an archive, which may be compressed.
    pub fn archive(file: Arc<dyn BlockRead>, scratch: &mut Scratch) -> Result<Self, Refusal> {
        let unpacked =
            scratch.unpack(file, &Expected::default()).map_err(|error| unpacking("archive", &error))?;
        let mut archive = Builder::archive();
        archive.add(unpacked).map_err(|error| reading("archive", &error))?;
        let archive = Arc::new(archive.finish());
        Ok(Self::new(Arc::clone(&archive) as Arc<dyn FileSystem>, Kind::Archive(archive)))
    }

    fn new(file_system: Arc<dyn FileSystem>, kind: Kind) -> Self {
        Self { tree: Tree::of(file_system, FilePath::root(), String::new()), kind }
    }

    /// What was left out of the archive.
    pub fn left_out(&self) -> Vec<String> {
        match &self.kind {
            Kind::Folder(_) => Vec::new(),
            Kind::Archive(archive) => archive.left_out().to_vec(),
        }
    }

    /// The file at a path, with links followed inside the store; `None` when there is none.
    pub fn blob(&self, path: &str) -> Result<Option<Arc<dyn BlockRead>>, ReadError> {
        let mut reader = self.tree.reader()?;
        let Some(place) = reader.find(&FilePath::new(path.as_bytes()))? else { return Ok(None) };
        if reader.metadata(&place)?.kind != FileKind::File {
            return Ok(None);
        }
        match &self.kind {
            Kind::Folder(folder) => Ok(Some(Arc::new(FileDisk::of(folder.file(&place.place)?)?))),
            Kind::Archive(archive) => match archive.content(place.place.node) {
                Some(content) => Ok(Some(content)),
                None => Err(ReadError::Unsupported("a blob with holes".to_owned())),
            },
        }
    }

    /// All bytes of a small file; `None` when there is none.
    pub fn read(&self, path: &str, most: u64) -> Result<Option<Vec<u8>>, ReadError> {
        let Some(blob) = self.blob(path)? else { return Ok(None) };
        if blob.len() > most {
            return Err(ReadError::Limit { what: "bytes in a description of an image", limit: most });
        }
        let mut bytes = vec![0; usize::try_from(blob.len()).unwrap_or(0)];
        blob.read_at(0, &mut bytes)?;
        Ok(Some(bytes))
    }
}

/// Why a blob was not unpacked.
pub(super) fn unpacking(what: &str, error: &UnpackError) -> Refusal {
    let reason = match error {
        UnpackError::Unsupported(_) => Reason::Unsupported,
        UnpackError::Digest | UnpackError::Damaged(_) => Reason::Damaged,
        UnpackError::Ratio(_) | UnpackError::Total(_) | UnpackError::Scratch(_) => Reason::Limit,
    };
    refusal(reason, what, error.to_string())
}

/// Why a layer was not put on the others.
pub(super) fn reading(what: &str, error: &LayerError) -> Refusal {
    let reason = match error {
        LayerError::Damaged(_) => Reason::Damaged,
        LayerError::Limit { .. } => Reason::Limit,
    };
    refusal(reason, what, error.to_string())
}
