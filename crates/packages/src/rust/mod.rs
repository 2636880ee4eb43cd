//! Rust: what a workspace is locked to. What is in a program, [`crate::executable`] finds.

pub mod cargo_lock;

use crate::format::Format;

/// `Cargo.lock`.
pub const FORMATS: &[Format] = &[cargo_lock::CARGO_LOCK];
