//! Where the blobs of images are: a folder, or a tar archive.

use std::{fs::File, io::Read as _, ops::ControlFlow, path::Path, sync::Arc};

use super::{OpenError, refusal};
use crate::{
    block::{BlockRead, FileDisk},
    file_system::{
        FileKind, FileSystem, ReadError,
        folder::Folder,
        layers::{
            Builder, LayerError, Layers,
            unpack::{Digest, Expected, Scratch, UnpackError},
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
    /// A folder, and whether it is flat.
    Folder(Arc<Folder>, bool),
    /// An archive, and how long it is, in bytes.
    Archive(Arc<Layers>, u64),
}

impl Store {
    /// Opens a folder, or an archive, which may be compressed.
    pub fn open(path: &Path, scratch: &Scratch) -> Result<Self, OpenError> {
        let failed = |error| OpenError::Io { path: path.to_owned(), error };
        let refused = |refusal| OpenError::Refused { path: path.to_owned(), refusal };
        if path.is_dir() {
            let folder = Arc::new(Folder::open(path).map_err(failed)?);
            let kind = Kind::Folder(Arc::clone(&folder), is_flat(path));
            return Ok(Self::new(folder as Arc<dyn FileSystem>, kind));
        }
        let file = Arc::new(FileDisk::open(path).map_err(failed)?);
        Self::archive(file, scratch).map_err(refused)
    }

    /// Opens an archive, which may be compressed.
    pub fn archive(file: Arc<dyn BlockRead>, scratch: &Scratch) -> Result<Self, Refusal> {
        let unpacked =
            scratch.unpack(file, &Expected::default()).map_err(|error| unpacking("archive", &error))?;
        let mut archive = Builder::archive();
        let length = unpacked.len();
        archive.add(unpacked).map_err(|error| reading("archive", &error))?;
        let archive = Arc::new(archive.finish());
        Ok(Self::new(Arc::clone(&archive) as Arc<dyn FileSystem>, Kind::Archive(archive, length)))
    }

    fn new(file_system: Arc<dyn FileSystem>, kind: Kind) -> Self {
        Self { tree: Tree::of(file_system, FilePath::root(), String::new()), kind }
    }

    /// What was left out of the archive.
    pub fn left_out(&self) -> Vec<String> {
        match &self.kind {
            Kind::Folder(..) => Vec::new(),
            Kind::Archive(archive, _) => archive.left_out().to_vec(),
        }
    }

    /// The archive as files, and how long it is; `None` for a folder.
    pub fn files(&self) -> Option<(Arc<Layers>, u64)> {
        match &self.kind {
            Kind::Folder(..) => None,
            Kind::Archive(archive, length) => Some((Arc::clone(archive), *length)),
        }
    }

    /// Where what has this digest lies.
    pub fn path(&self, digest: &Digest) -> String {
        match self.is_flat() {
            true => format!("/{}", digest.hex()),
            false => digest.path(),
        }
    }

    /// Whether it is a folder as skopeo writes it for `dir:`, with everything beside each other.
    pub fn is_flat(&self) -> bool {
        matches!(self.kind, Kind::Folder(_, true))
    }

    /// Whether there is a file of this path.
    pub fn has(&self, path: &str) -> bool {
        self.blob(path).is_ok_and(|blob| blob.is_some())
    }

    /// The names in the root folder, of which only so many are looked at.
    pub fn names(&self, most: usize) -> Result<Vec<Vec<u8>>, ReadError> {
        let mut reader = self.tree.reader()?;
        let (root, mut names) = (reader.root(), Vec::new());
        reader.read_folder(&root, &mut |name, _| {
            names.push(name.name.to_vec());
            if names.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(names)
    }

    /// The file at a path, with links followed inside the store; `None` when there is none.
    pub fn blob(&self, path: &str) -> Result<Option<Arc<dyn BlockRead>>, ReadError> {
        let mut reader = self.tree.reader()?;
        let Some(place) = reader.find(&FilePath::new(path.as_bytes()))? else { return Ok(None) };
        if reader.metadata(&place)?.kind != FileKind::File {
            return Ok(None);
        }
        match &self.kind {
            Kind::Folder(folder, _) => Ok(Some(Arc::new(FileDisk::of(folder.file(&place.place)?)?))),
            Kind::Archive(archive, _) => match archive.content(place.place.node) {
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

/// Whether skopeo has written an image into a folder, as `dir:`: its version beside the manifest and the blobs.
pub(super) fn is_flat(folder: &Path) -> bool {
    let mut head = Vec::new();
    let version =
        File::open(folder.join("version")).map(|file| file.take(FLAT.len() as u64).read_to_end(&mut head));
    matches!(version, Ok(Ok(_))) && head == FLAT && folder.join("manifest.json").is_file()
}

/// How the file with the version begins.
const FLAT: &[u8] = b"Directory Transport Version: ";

/// Why a blob was not unpacked.
pub(super) fn unpacking(what: &str, error: &UnpackError) -> Refusal {
    let reason = match error {
        UnpackError::Unsupported(_) => Reason::Unsupported,
        UnpackError::Digest | UnpackError::Damaged(_) => Reason::Damaged,
        UnpackError::Ratio(_) | UnpackError::Total(_) | UnpackError::Scratch { .. } => Reason::Limit,
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
