//! Those who look at the files of a walk.

use guardhouse_image::{FilePath, Metadata};

use crate::event::Project;

/// Somebody who looks at files. Shared by all threads of the walk.
pub trait Analyser: Send + Sync {
    /// Its name, as [`crate::Event::At`] tells it.
    fn name(&self) -> &'static str;

    /// The project that its work belongs to.
    fn project(&self) -> Project;

    /// Whether it looks at a file, judged by what is known without reading it.
    fn interest(&self, candidate: &Candidate<'_>) -> Interest;
}

/// A file that the walk has come to.
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
