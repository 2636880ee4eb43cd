//! What a reader of one format is, and the list of all.

use std::io;

use crate::package::Package;
use crate::{dotnet, executable, go, java, npm, php, python, ruby, rust, system};

/// All formats, a line for each ecosystem. [`formats`] walks them.
pub const FORMATS: &[&[Format]] = &[
    system::FORMATS,     // dpkg, rpm, apk
    executable::FORMATS, // what Go and Rust build into programs
    rust::FORMATS,
    go::FORMATS,
    npm::FORMATS,
    python::FORMATS,
    java::FORMATS,
    ruby::FORMATS,
    php::FORMATS,
    dotnet::FORMATS,
];

/// All formats, one after the other.
pub fn formats() -> impl Iterator<Item = &'static Format> {
    FORMATS.iter().copied().flatten()
}

/// A format: a kind of file that names packages.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Its name: `dpkg-status`, `package-lock.json`, `go-binary`.
    pub name: &'static str,
    /// Whose packages it names.
    pub class: Class,
    /// Whether a file is one of its own, judged by what is known without reading it.
    pub claims: fn(&Claim<'_>) -> bool,
    /// Reads a file, which may turn out to be something else: then it finds nothing. What was found before an error is
    /// true.
    pub read: Read,
}

/// Reads a file, and hands out what it finds.
pub type Read = fn(&mut Input<'_>, &mut dyn FnMut(Found)) -> Result<(), ParseError>;

/// Whose packages a format names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The system's package manager: the project `vul`.
    System,
    /// A language's: the project `scaVul`.
    Language,
}

/// What is known of a file without reading it.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Its absolute path, as bytes with `/` between names.
    pub path: &'a [u8],
    /// Its length in bytes.
    pub size: u64,
    /// Whether somebody may execute it.
    pub executable: bool,
}

impl<'a> Claim<'a> {
    /// The last name of the path.
    #[must_use]
    pub fn file_name(&self) -> &'a [u8] {
        self.path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }

    /// The path without its last name and the slash before it; empty for a file in the root.
    #[must_use]
    pub fn folder(&self) -> &'a [u8] {
        let end = self.path.len().saturating_sub(self.file_name().len().saturating_add(1));
        self.path.get(..end).unwrap_or_default()
    }
}

/// A file that is read. Nothing of it is in memory until it is asked for.
pub struct Input<'a> {
    /// Its absolute path.
    pub path: &'a [u8],
    /// Where the bytes come from.
    pub source: &'a mut dyn Source,
}

/// The bytes of a file and of its neighbours.
pub trait Source {
    /// The length in bytes.
    fn len(&self) -> u64;

    /// Whether there is nothing.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads as much as fits and is there, from `offset` on; 0 at the end.
    ///
    /// # Errors
    /// What the system or the image says.
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// A file in the same folder, whole; `None` when there is none. For formats of several files.
    ///
    /// # Errors
    /// What the system or the image says; [`io::ErrorKind::FileTooLarge`] when it is longer than `at_most` bytes.
    fn sibling(&mut self, name: &[u8], at_most: u64) -> io::Result<Option<Vec<u8>>>;
}

/// Bytes in memory, without neighbours.
impl Source for &[u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or_default();
        io::Read::read(&mut rest, buffer)
    }

    fn sibling(&mut self, _name: &[u8], _at_most: u64) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }
}

impl Input<'_> {
    /// The whole file.
    ///
    /// # Errors
    /// What the source says; [`ParseError::TooLarge`] when it is longer than `at_most` bytes.
    pub fn bytes(&mut self, at_most: u64) -> Result<Vec<u8>, ParseError> {
        let size = self.source.len();
        if size > at_most {
            return Err(ParseError::TooLarge { size, at_most });
        }
        let mut bytes = vec![0; usize::try_from(size).map_err(|_| ParseError::TooLarge { size, at_most })?];
        let mut filled = 0;
        while filled < bytes.len() {
            match self.source.read_at(filled as u64, &mut bytes[filled..])? {
                0 => break,
                read => filled += read,
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }
}

/// Something that a reader found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A package.
    Package(Package),
    /// A bound was reached: something was not read. What, and which bound, in a sentence.
    Limit(String),
}

/// Why a file is not what its name promises.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// Longer than this format ever is.
    #[error("{size} bytes long, and at most {at_most} are read")]
    TooLarge {
        /// Its length in bytes.
        size: u64,
        /// How much is read.
        at_most: u64,
    },
    /// It contradicts its format: what, and where (line, offset).
    #[error("{0}")]
    Malformed(String),
    /// A version of the format that is not read.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// Its bytes cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}
