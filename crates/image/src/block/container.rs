//! Which container a file is, and the disk in it.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{BlockRead, Cache, FileDisk, le32, qcow2, read_up_to, vdi, vhd, vhdx, vmdk};
use crate::{
    target::TargetKind,
    volume::{Reason, Refusal},
};

/// How many files may lie below each other; QEMU's tools make no more than a few.
const DEPTH: usize = 16;

/// A disk out of its container.
#[derive(Debug)]
pub struct Container {
    /// Which container.
    pub kind: TargetKind,
    /// The bytes that the guest sees.
    pub disk: Arc<dyn BlockRead>,
    /// Things to tell: files that were read besides, logs that were replayed in memory.
    pub notes: Vec<String>,
}

/// Why there is no disk.
#[derive(Debug)]
pub enum ContainerError {
    /// The system says why.
    Io(io::Error),
    /// The container is not one that is read.
    Refused(Refusal),
}

impl ContainerError {
    pub(crate) fn refused(reason: Reason, what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Refused(Refusal { reason, what: what.into(), detail: detail.into() })
    }

    pub(crate) fn damaged(what: &str, detail: impl Into<String>) -> Self {
        Self::refused(Reason::Damaged, what, detail)
    }

    pub(crate) fn unsupported(what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::refused(Reason::Unsupported, what, detail)
    }
}

impl From<io::Error> for ContainerError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                Self::damaged("disk image", "the file ends before what its head refers to; copy it again")
            }
            io::ErrorKind::InvalidData => Self::damaged("disk image", error.to_string()),
            _ => Self::Io(error),
        }
    }
}

/// Files that a container may refer to.
#[derive(Debug, Default)]
pub struct Allowed {
    paths: Vec<PathBuf>,
    /// Those that a container referred to.
    used: RefCell<BTreeSet<PathBuf>>,
}

impl Allowed {
    /// Only these.
    #[must_use]
    pub fn new(paths: &[PathBuf]) -> Self {
        Self { paths: paths.to_vec(), used: RefCell::default() }
    }

    /// Those that no container referred to.
    pub(crate) fn unused(&self) -> Vec<PathBuf> {
        let used = self.used.borrow();
        self.paths.iter().filter(|path| !used.contains(*path)).cloned().collect()
    }

    /// The allowed file that `name` means, as the container at `referrer` writes it: by where it lies, or else by its
    /// name alone, for images that were moved together.
    ///
    /// # Errors
    /// `NotAllowed`, with what to pass.
    pub(crate) fn find(&self, referrer: &Path, name: &[u8], what: &str) -> Result<PathBuf, ContainerError> {
        let name = String::from_utf8_lossy(name);
        let name = name.strip_prefix("file:").unwrap_or(&name);
        let there = referrer.parent().unwrap_or(Path::new("")).join(name);
        let place = there.canonicalize().ok();
        let exact = self.paths.iter().find(|path| place.is_some() && path.canonicalize().ok() == place);
        let by_name = || {
            let mut alike = self.paths.iter().filter(|path| path.file_name() == there.file_name());
            alike.next().filter(|_| alike.next().is_none())
        };
        exact.or_else(by_name).cloned().ok_or_else(|| {
            ContainerError::refused(
                Reason::NotAllowed,
                what,
                format!(
                    "it needs the {what} {:?}; allow it to be read with --also {:?}",
                    name,
                    there.display().to_string()
                ),
            )
        })
    }
}

/// What is needed to open a container and the files that it refers to.
#[derive(Clone, Debug)]
pub(crate) struct Context<'a> {
    pub(crate) path: &'a Path,
    pub(crate) allowed: &'a Allowed,
    pub(crate) cache: &'a Arc<Cache>,
    pub(crate) depth: usize,
}

impl Context<'_> {
    /// Opens a file that the container refers to, as the container that it is itself.
    pub(crate) fn open(&self, name: &[u8], what: &str) -> Result<(PathBuf, Container), ContainerError> {
        let (path, file) = self.open_raw(name, what)?;
        let below = Context { path: &path, depth: self.depth + 1, ..self.clone() };
        let container = below.container(file)?;
        Ok((path, container))
    }

    /// Opens a file that the container refers to, and takes its bytes as they are.
    pub(crate) fn open_raw(
        &self,
        name: &[u8],
        what: &str,
    ) -> Result<(PathBuf, Arc<dyn BlockRead>), ContainerError> {
        if self.depth >= DEPTH {
            let detail =
                format!("more than {DEPTH} files refer to each other; they may go round in a circle");
            return Err(ContainerError::damaged(what, detail));
        }
        let path = self.allowed.find(self.path, name, what)?;
        self.allowed.used.borrow_mut().insert(path.clone());
        let file = FileDisk::open(&path).map_err(|error| {
            ContainerError::Io(io::Error::new(
                error.kind(),
                format!("the {what} {}: {error}", path.display()),
            ))
        })?;
        Ok((path, Arc::new(file)))
    }

    fn container(&self, file: Arc<dyn BlockRead>) -> Result<Container, ContainerError> {
        match recognise(file.as_ref())? {
            Known::Is(TargetKind::Qcow2) => qcow2::open(file, self),
            Known::Is(TargetKind::Vmdk) => vmdk::open(file, self),
            Known::Is(TargetKind::Vhd) => vhd::open(file, self),
            Known::Is(TargetKind::Vhdx) => vhdx::open(file, self),
            Known::Is(TargetKind::Vdi) => vdi::open(file, self),
            Known::Is(_) => Ok(Container { kind: TargetKind::Raw, disk: file, notes: Vec::new() }),
            Known::Not(what, detail) => Err(ContainerError::unsupported(what, detail)),
        }
    }
}

/// The disk in a file. `path` is where the file lies, for the names of other files that it refers to.
///
/// # Errors
/// See [`ContainerError`].
pub fn open(
    file: Arc<dyn BlockRead>,
    path: &Path,
    allowed: &Allowed,
    cache: &Arc<Cache>,
) -> Result<Container, ContainerError> {
    Context { path, allowed, cache, depth: 0 }.container(file)
}

/// Whether a file is a container that is read.
///
/// # Errors
/// What the file says.
pub(crate) fn is_container(file: &dyn BlockRead) -> io::Result<bool> {
    Ok(matches!(recognise(file)?, Known::Is(kind) if kind != TargetKind::Raw))
}

/// Which container a file is, [`TargetKind::Raw`] when it is none; `None` when it is one that is not read.
///
/// # Errors
/// What the file says.
pub(crate) fn kind(file: &dyn BlockRead) -> io::Result<Option<TargetKind>> {
    Ok(match recognise(file)? {
        Known::Is(kind) => Some(kind),
        Known::Not(..) => None,
    })
}

/// Other files that a container of this kind needs, as it names them.
///
/// # Errors
/// [`ContainerError`]: its head contradicts itself.
pub(crate) fn refers_to(file: &dyn BlockRead, kind: TargetKind) -> Result<Vec<Vec<u8>>, ContainerError> {
    match kind {
        TargetKind::Qcow2 => qcow2::refers_to(file),
        TargetKind::Vmdk => vmdk::refers_to(file),
        // Of the others, those that need a further file are refused.
        _ => Ok(Vec::new()),
    }
}

/// What the first and last bytes of a file say.
enum Known {
    Is(TargetKind),
    /// A container that is not read: its name, and what to do.
    Not(&'static str, &'static str),
}

/// Containers that are not read, by their first bytes.
const NOT_READ: [(&[u8], &str, &str); 18] = [
    (b"EVF\x09\x0d\x0a\xff\x00", "EWF (EnCase) image", CONVERT),
    (b"EVF2\x0d\x0a\x81\x00", "EWF (EnCase) image", CONVERT),
    (b"LVF\x09\x0d\x0a\xff\x00", "EWF (EnCase) logical image", CONVERT),
    (b"AFF10", "AFF image", CONVERT),
    (b"QED\0", "QED image", CONVERT),
    (b"WithoutFreeSpace", "Parallels image", CONVERT),
    (b"WithouFreSpacExt", "Parallels image", CONVERT),
    (b"Bochs Virtual HD Image", "Bochs image", CONVERT),
    (b"COWD", "VMware COWD extent", CONVERT),
    (b"\xbe\xba\xfe\xca\x00\x00\x00\x00", "VMware seSparse extent", CONVERT),
    (b"MSWIM\0\0\0", "WIM archive", "it holds files, not a disk; extract it, and scan the folder"),
    (b"\x1f\x8b\x08", "gzip", UNPACK),
    (b"\xfd7zXZ\0", "xz", UNPACK),
    (b"\x28\xb5\x2f\xfd", "zstd", UNPACK),
    (b"BZh", "bzip2", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "7z", UNPACK),
    (b"PK\x03\x04", "zip", UNPACK),
    (b"\x04\x22\x4d\x18", "lz4", UNPACK),
];
const CONVERT: &str = "convert it with its own tools to one of raw, qcow2, vmdk, vhd, vhdx, vdi";
const UNPACK: &str = "it is compressed and no image of containers; unpack it first, and scan what is in it";

fn recognise(file: &dyn BlockRead) -> io::Result<Known> {
    let head = read_up_to(file, 0, 512)?;
    // The tables of partitions of a disk that happens to begin like an archive.
    let is_boot_sector = head.ends_with(b"\x55\xaa");
    if head.starts_with(qcow2::MAGIC) {
        return Ok(Known::Is(TargetKind::Qcow2));
    }
    if head.starts_with(vmdk::MAGIC) || vmdk::is_descriptor(&head) {
        return Ok(Known::Is(TargetKind::Vmdk));
    }
    if head.starts_with(vhdx::MAGIC) {
        return Ok(Known::Is(TargetKind::Vhdx));
    }
    if le32(&head, vdi::MAGIC_AT) == vdi::MAGIC {
        return Ok(Known::Is(TargetKind::Vdi));
    }
    if head.starts_with(vhd::MAGIC) || vhd::has_footer(file)? {
        return Ok(Known::Is(TargetKind::Vhd));
    }
    if let Some((_, what, detail)) =
        NOT_READ.iter().find(|(magic, ..)| head.starts_with(magic) && !is_boot_sector)
    {
        return Ok(Known::Not(what, detail));
    }
    if head.get(257..262) == Some(b"ustar") && !is_boot_sector {
        return Ok(Known::Not(
            "tar",
            "it is no image of containers, and no appliance (OVA), whose first file ends in .ovf; take the disk out \
             of it, and scan that",
        ));
    }
    if read_up_to(file, file.len().saturating_sub(512), 4)? == b"koly" && file.len() >= 512 {
        return Ok(Known::Not("Apple disk image", CONVERT));
    }
    Ok(Known::Is(TargetKind::Raw))
}
