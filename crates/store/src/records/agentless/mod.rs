//! Scans of disks and images without an agent.

mod assets;
mod findings;
mod malicious_files;
mod queue;
mod reports;
mod selections;
mod tasks;
mod vulnerabilities;

pub use assets::*;
pub use findings::*;
pub use malicious_files::*;
pub use queue::*;
pub use reports::*;
pub use selections::*;
pub use tasks::*;
pub use vulnerabilities::*;
