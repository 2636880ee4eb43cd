//! The walk over file trees, and those who look at the files: each file is read once and offered to all of them. Runs in
//! a process of its own, which can read the target and nothing else.
//!
//! ```text
//! supervisor   starts the process, reads its events, starts it again without the file that killed it
//!  └ process   locks itself in (sandbox), opens the target, tells what it finds as JSON lines
//!     └ walk   folders shared by threads; every file offered to the analysers
//! ```

pub mod analyser;
pub mod event;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod packages;
pub mod positions;
pub mod process;
pub mod sandbox;
pub mod supervisor;
pub mod walk;

pub use analyser::{Analyser, Candidate, Found, Interest};
pub use event::{Event, PROJECT_NAMES, Project, Trouble};
pub use positions::Spot;
pub use walk::ScannedFile;
