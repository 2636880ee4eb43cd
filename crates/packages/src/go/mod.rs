//! Go: what a module asks for. What is in a program, [`crate::executable`] finds.

pub(crate) mod build_list;
pub mod modules;
mod stamped;

use crate::format::Format;

/// `go.mod` and `go.sum`.
pub const FORMATS: &[Format] = &[modules::GO_MOD, modules::GO_SUM];

/// A version as advisories have it: without the `v`.
fn version(written: &str) -> String {
    written.strip_prefix('v').unwrap_or(written).to_owned()
}
