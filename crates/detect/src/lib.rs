//! One scan, from its target to its report: the scanning process tells what is there, the advisories say what of it is
//! vulnerable. The command `guardhouse scan` and the workers of a server do the same through this crate.
//!
//! ```text
//! scan         starts the process, and hands out how far it is
//!  ├ assemble  what the process tells, put together as a report; plain functions
//!  └ judge     what is known about packages: advisories, VEX statements, rules of the user
//! ```

mod assemble;
mod error;
mod judge;
mod projects;
mod request;
mod scan;

pub use error::Error;
pub use projects::projects;
pub use request::{Knowledge, Request};
pub use scan::{Detected, Ending, Progress, scan};
