//! Scans of disks and images without an agent: the rules of tasks, subtasks and what is scanned.

pub mod assets;
pub mod queue;
pub mod tasks;
pub mod vulnerabilities;

pub use assets::{TargetType, instance_id};
pub use tasks::{ReportStatus, Tally, TaskStatus};
pub use vulnerabilities::{Necessity, VulnerabilityKind};
