//! Scans of disks and images without an agent.

mod assets;
mod lists;
mod queue;
mod reports;
mod risks;
mod schedules;
mod selections;
mod tasks;
mod vulnerabilities;
mod webhooks;

pub use assets::*;
pub use lists::*;
pub use queue::*;
pub use reports::*;
pub use risks::*;
pub use schedules::*;
pub use selections::*;
pub use tasks::*;
pub use vulnerabilities::*;
pub use webhooks::*;
