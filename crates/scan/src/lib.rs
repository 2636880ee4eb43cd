//! The walk over file trees, and those who look at the files: each file is read once and offered to all of them. Runs in
//! a process of its own, which can read the target and nothing else.

pub mod analyser;
pub mod event;

pub use analyser::{Analyser, Candidate, Interest};
pub use event::{Event, Project};
