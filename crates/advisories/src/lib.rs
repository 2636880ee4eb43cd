//! Vulnerability advisories: their import, the local store, the order of versions, and what they say of a package.

pub mod finding;
pub mod version;

pub use finding::{Finding, Severity, SeverityLevel, Suppression};
