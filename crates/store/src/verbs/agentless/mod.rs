//! Scans of disks and images without an agent.

mod conditions;
mod counters;
mod risks;
mod vulnerabilities;
