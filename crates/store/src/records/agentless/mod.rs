//! Scans of disks and images without an agent.

mod assets;
mod queue;
mod reports;
mod tasks;

pub use assets::*;
pub use queue::*;
pub use reports::*;
pub use tasks::*;
