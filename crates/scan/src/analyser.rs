//! Those who look at the files of a walk.

use guardhouse_image::{FilePath, Metadata};
use guardhouse_packages::Package;

use crate::{
    event::{Project, Trouble},
    walk::ScannedFile,
};

/// Somebody who looks at files. Shared by all threads of the walk.
///
/// A panic in it is caught and told as a problem of the file.
pub trait Analyser: Send + Sync {
    /// Its name, as problems and the supervisor tell it.
    fn name(&self) -> &'static str;

    /// The project that its work belongs to.
    fn project(&self) -> Project;

    /// Whether it looks at a file, judged by what is known without reading it. Asked for every regular file.
    fn interest(&self, candidate: &Candidate<'_>) -> Interest;

    /// Looks at a file that it is interested in.
    fn look(&self, file: &mut ScannedFile<'_>, found: &mut dyn FnMut(Found));
}

/// A regular file that the walk has come to.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Where.
    pub path: &'a FilePath,
    /// What is known about it.
    pub metadata: &'a Metadata,
}

/// Whether an analyser looks at a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// No.
    None,
    /// Yes: it reads what it needs.
    Reads,
}

/// What an analyser says of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// The file names a package.
    Package {
        /// Which format was read.
        format: &'static str,
        /// The package.
        package: Box<Package>,
    },
    /// Something was not read, or not wholly.
    Trouble {
        /// Which kind.
        kind: Trouble,
        /// What is the matter, in a sentence.
        message: String,
    },
}
