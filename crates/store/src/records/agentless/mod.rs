//! Scans of disks and images without an agent.

mod assets;
mod queue;
mod reports;
mod selections;
mod tasks;
mod vulnerabilities;

pub use assets::*;
pub use queue::*;
pub use reports::*;
pub use selections::*;
pub use tasks::*;
pub use vulnerabilities::*;
