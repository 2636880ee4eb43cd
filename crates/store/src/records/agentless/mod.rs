//! Scans of disks and images without an agent.

mod assets;
mod queue;
mod reports;
mod risks;
mod tasks;
mod vulnerabilities;

pub use assets::*;
pub use queue::*;
pub use reports::*;
pub use risks::*;
pub use tasks::*;
pub use vulnerabilities::*;
