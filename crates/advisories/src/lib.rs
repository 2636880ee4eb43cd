//! Vulnerability advisories: their import, the local store, the order of versions, and what they say of a package.

pub mod advisory;
pub mod affected;
pub mod distribution;
pub mod ecosystem;
pub mod finding;
#[cfg(test)]
mod hostile;
pub mod ignore;
pub mod import;
pub mod matching;
mod severity;
pub mod store;
pub mod version;
pub mod vex;

pub use advisory::{Advisory, AffectedPackage};
pub use affected::Affected;
pub use finding::{Finding, Severity, SeverityLevel, Suppression};
pub use matching::{Matcher, Matches, NotCompared};
pub use store::{Origin, Source, Store, StoreError};
