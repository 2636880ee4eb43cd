//! What a scan found, and the forms in which it is handed out: one module per form, each with a `write` that writes in
//! small pieces. None of them decides anything: [`decide`] does, and says it in plain functions.
//!
//! Names, versions and messages come out of images that an attacker may have made. Forms for people escape what would
//! control a terminal, a page or the direction of the text ([`text`]); forms for programs have every text as it is.

pub mod cyclonedx;
pub mod decide;
pub mod html;
pub mod json;
mod licence;
pub mod model;
pub mod sarif;
pub mod spdx;
pub mod table;
pub mod task;
pub mod text;
pub mod view;

pub use decide::{Outcome, outcome};
pub use model::{
    AdvisorySource, FoundPackage, Problem, ProblemKind, ProjectReport, Report, ReportedFinding, SystemReport,
    TargetReport, Totals, VolumeReport,
};
