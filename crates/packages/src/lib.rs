//! What is installed: readers of package databases, lock files and binaries. Bytes in, packages out; where the bytes
//! come from is somebody else's business.
//!
//! Each [`Format`] says which files are its own ([`Format::claims`]) and reads one of them ([`Format::read`]).
//! [`FORMATS`] lists them all. Everything that is read may have been written by an attacker: sizes, depths and counts
//! are bounded, and what is cut off is said ([`Found::Limit`]).

pub mod dotnet;
pub mod executable;
pub mod format;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod go;
pub mod java;
pub mod npm;
pub mod package;
pub mod php;
pub mod purl;
pub mod python;
pub mod ruby;
pub mod rust;
pub mod system;

mod bytes;
mod collect;
mod json;
mod lines;
#[cfg(test)]
mod testing;
mod text;
mod xml;

pub use format::{Claim, Class, FORMATS, Format, Found, Input, ParseError, Source, formats};
pub use package::{Kind, Origin, Package, SourcePackage};
pub use purl::purl;
