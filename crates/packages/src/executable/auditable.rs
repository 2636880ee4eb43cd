//! What `cargo auditable` builds into programs of Rust: the list of crates, as zlib of JSON, in the section `.dep-v0`.

use std::io::Read as _;

use serde::Deserialize;

use crate::bytes::text;
use crate::format::{Found, Input, ParseError};
use crate::package::{Kind, Origin, Package};

use super::layout::{Layout, read_part};

/// Longer lists are not read, in bytes: packed, and unpacked. A thousand crates are 100 KiB.
const LONGEST: u64 = 4 * 1024 * 1024;
const LONGEST_UNPACKED: u64 = 32 * 1024 * 1024;
const LIST: &str = "the list of crates";

#[derive(Deserialize)]
struct Crates {
    packages: Vec<Crate>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    source: String,
    #[serde(default)]
    kind: Option<String>,
}

/// Finds the crates from crates.io that are in the program. Advisories speak of no others; and those that were only used to
/// build it are not in it.
pub(super) fn read(
    input: &mut Input<'_>,
    layout: &Layout,
    found: &mut dyn FnMut(Found),
) -> Result<(), ParseError> {
    let Some(section) = layout.section(&[b".dep-v0"]) else { return Ok(()) };
    let packed = read_part(input, (section.offset, section.size), LONGEST, LIST)?;
    let mut json = Vec::new();
    let unpacker = flate2::read::ZlibDecoder::new(packed.as_slice());
    unpacker.take(LONGEST_UNPACKED + 1).read_to_end(&mut json).map_err(|error| wrong(&error))?;
    if json.len() as u64 > LONGEST_UNPACKED {
        found(Found::Limit(format!("{LIST} is longer than {LONGEST_UNPACKED} bytes, and was not read")));
        return Ok(());
    }
    let crates: Crates = serde_json::from_slice(&json).map_err(|error| wrong(&error))?;
    for this in crates.packages {
        if this.name.trim().is_empty()
            || this.source != "crates.io"
            || this.kind.is_some_and(|kind| kind == "build")
        {
            continue;
        }
        found(Found::Package(Package {
            kind: Kind::Cargo,
            name: text(this.name.as_bytes()),
            version: text(this.version.as_bytes()),
            origin: Origin::Embedded,
            ..Package::default()
        }));
    }
    Ok(())
}

fn wrong(error: &dyn std::fmt::Display) -> ParseError {
    ParseError::Malformed(format!("{LIST} cannot be read: {error}"))
}
