//! Logical volumes of LVM2: `lib/format_text` of LVM2 describes them.
//!
//! A physical volume has a label in one of its first sectors, which names areas for data and for metadata. The metadata
//! is a text, the same on all physical volumes of a group unless one was absent from a change: then the newest counts.

mod assemble;
mod label;
mod map;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use assemble::{LogicalContent, LogicalVolume, assemble};
pub(crate) use label::{PhysicalVolume, read};
