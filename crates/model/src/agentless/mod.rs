//! Scans of disks and images without an agent: the rules of tasks, subtasks and what is scanned.

pub mod assets;
pub mod cadence;
pub mod findings;
pub mod malicious;
pub mod pattern;
pub mod queue;
pub mod snapshots;
pub mod tasks;
pub mod vulnerabilities;
pub mod webhooks;

pub use assets::{TargetType, instance_id};
pub use findings::{CheckStatus, RiskLevel, SensitiveStatus};
pub use malicious::{Handling, Language, MaliciousLevel, MaliciousOperation, MaliciousType};
pub use tasks::{ReportStatus, Tally, TaskStatus};
pub use vulnerabilities::{Necessity, VulnerabilityKind};
