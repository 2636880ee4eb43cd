//! Scans of disks and images without an agent: the rules of tasks, subtasks and what is scanned.

pub mod tasks;

pub use tasks::{ReportStatus, Tally, TaskStatus};
