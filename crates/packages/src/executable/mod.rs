//! Programs and libraries that tell what was built into them: those of Go, and those of Rust that were built with
//! `cargo auditable`.
//!
//! A system has thousands of executables, and few of these: one small read tells what a file is, one or two more find its
//! sections, and nothing else of a file is read that has none of interest.

mod auditable;
mod build_info;
mod elf;
mod layout;
mod mach_o;
mod pe;

use crate::bytes::{Order, fill};
use crate::format::{Claim, Class, Format, Found, Input, ParseError};

use layout::Layout;

/// What Go and Rust build into programs.
pub const FORMATS: &[Format] = &[Format { name: "executable", class: Class::Language, claims, read }];

/// The sections of interest: Go's in ELF and in Mach-O, that of `cargo auditable` everywhere. In PE, Go's has no name.
const SECTIONS: [&[u8]; 3] = [b".go.buildinfo", b"__go_buildinfo", b".dep-v0"];

/// How much of the beginning of a file is read: the heads of all formats, and in most files the program headers.
const HEAD: usize = 4096;

fn claims(claim: &Claim<'_>) -> bool {
    const SMALLEST: u64 = 64;
    let name = claim.file_name();
    let has_suffix = |suffixes: &[&[u8]]| suffixes.iter().any(|suffix| name.ends_with(suffix));
    claim.size >= SMALLEST
        && (claim.executable
            || has_suffix(&[b".so", b".exe", b".dll", b".dylib", b".node"])
            || name.windows(4).any(|part| part == b".so."))
}

fn read(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let Some(layout) = layout(input)? else { return Ok(()) };
    let rust = auditable::read(input, &layout, found);
    let go = build_info::read(input, &layout, found);
    rust.and(go)
}

/// Where the parts of an executable are; `None` for a file that is none.
fn layout(input: &mut Input<'_>) -> Result<Option<Layout>, ParseError> {
    let mut head = vec![0; HEAD];
    let len = fill(input.source, 0, &mut head)?;
    head.truncate(len);
    match head.get(..4) {
        Some(b"\x7fELF") => elf::layout(input, &head).map(Some),
        Some([b'M', b'Z', ..]) => pe::layout(input, &head),
        Some(b"\xca\xfe\xba\xbe") => mach_o::layout_in_fat(input, &head),
        Some(magic) if mach_o::is_magic(magic) => mach_o::layout(input, 0).map(Some),
        _ => Ok(None),
    }
}

/// An executable that contradicts its format: where, and what is wrong.
fn malformed(what: &str) -> ParseError {
    ParseError::Malformed(what.to_owned())
}

/// Numbers of a table in an executable, whose words have 4 or 8 bytes.
#[derive(Clone, Copy)]
struct Words {
    order: Order,
    wide: bool,
}

impl Words {
    /// The number at `narrow` or `wide`, as the words are.
    fn get(self, bytes: &[u8], narrow: usize, wide: usize) -> Option<u64> {
        if self.wide { self.order.u64(bytes, wide) } else { self.order.u32(bytes, narrow).map(u64::from) }
    }
}

#[cfg(test)]
mod tests;
