//! Scans of disks and images without an agent.

mod baseline_checks;
mod counters;
mod findings;
mod malicious_files;
mod sensitive_files;
