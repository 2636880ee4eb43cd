//! Canonical JSON of the contract's messages.
//!
//! Writing follows protobuf's JSON mapping and shows unset scalars, lists and enums, as the public API does.
//! Reading is lenient where existing clients need it and exact everywhere else: a name may be camelCase or
//! snake_case, a number may be text, an unknown or read-only field is ignored; but whatever is read has the
//! type and the range of its field, and every wrong value is reported with its path as the client spelled it.
//!
//! Input is hostile: depth, lists and maps are bounded, and the functions of this module answer for any
//! bytes.

mod any;
mod read;
mod scalar;
mod text;
mod well_known;
mod write;

pub use read::{from_value, read, read_into};
pub use text::{Found, set_from_text};
pub use write::{to_value, write, write_message, write_with_numbers};

/// How deep messages may nest, the document itself included.
pub const MAX_DEPTH: usize = 64;

/// How many elements a list and how many entries a map may have.
pub const MAX_LIST: usize = 10_000;

/// After this many violations of one document the rest of it is not read.
pub const MAX_VIOLATIONS: usize = 20;

/// Says that a list or a map is too long.
fn too_many(what: &str, count: usize) -> String {
    format!("has {count} {what}; at most {MAX_LIST} are allowed")
}
