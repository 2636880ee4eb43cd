//! What a scan found, and the forms in which it is handed out.

pub mod model;

pub use model::{
    FoundPackage, Problem, ProblemKind, Report, ReportedFinding, SystemReport, TargetReport, VolumeReport,
};
