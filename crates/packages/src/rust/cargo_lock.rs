//! `Cargo.lock`, in all its versions: they tell packages alike.

use serde::Deserialize;

use crate::bytes::text;
use crate::format::{Claim, Class, Format, Found, Input, ParseError};
use crate::package::{Kind, Origin, Package};

/// `Cargo.lock`.
pub const CARGO_LOCK: Format = Format { name: "Cargo.lock", class: Class::Language, claims, read };

/// The longest ones of large projects have 500 KiB.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Crates that cargo downloaded, or Debian installed, bring their own, which decides nothing where they are used.
fn claims(claim: &Claim<'_>) -> bool {
    const PASSED_OVER: [&[u8]; 3] = [b"/registry/src/", b"/git/checkouts/", b"/usr/share/cargo/registry/"];
    let within = |folder: &&[u8]| claim.path.windows(folder.len()).any(|part| part == *folder);
    claim.file_name() == b"Cargo.lock" && !PASSED_OVER.iter().any(within)
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    source: Option<String>,
}

/// Finds the crates from crates.io, by its index or by its sparse protocol. Advisories speak of no others: what has no
/// source is part of the project itself, and a crate from elsewhere may have the name of another one on crates.io.
fn read(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    const CRATES_IO: [&str; 2] =
        ["registry+https://github.com/rust-lang/crates.io-index", "sparse+https://index.crates.io/"];
    let bytes = input.bytes(LONGEST)?;
    let lock: Lock = toml::from_slice(&bytes)
        .map_err(|error| ParseError::Malformed(error.to_string().trim_end().to_owned()))?;
    for this in lock.package {
        if this.name.trim().is_empty()
            || this.source.is_none_or(|source| !CRATES_IO.contains(&source.as_str()))
        {
            continue;
        }
        found(Found::Package(Package {
            kind: Kind::Cargo,
            name: text(this.name.as_bytes()),
            version: text(this.version.as_bytes()),
            origin: Origin::Locked,
            ..Package::default()
        }));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
