//! Scans of disks and images without an agent.

mod assets;
mod findings;
mod lists;
mod malicious_files;
mod queue;
mod reports;
mod risks;
mod schedules;
mod selections;
mod snapshots;
mod tasks;
mod vulnerabilities;
mod webhooks;

pub use assets::*;
pub use findings::*;
pub use lists::*;
pub use malicious_files::*;
pub use queue::*;
pub use reports::*;
pub use risks::*;
pub use schedules::*;
pub use selections::*;
pub use snapshots::*;
pub use tasks::*;
pub use vulnerabilities::*;
pub use webhooks::*;
