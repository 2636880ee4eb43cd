//! Alpine's apk, which Wolfi and Chainguard use as well: `lib/apk/db/installed`.

use crate::format::{Class, Format, Found, Input, ParseError};
use crate::lines::{self, Stanza, Wanted};
use crate::package::{Kind, Package, SourcePackage};

/// The database of installed packages; in `usr` where `lib` is a link to it.
pub const INSTALLED: Format = Format {
    name: "apk-installed",
    class: Class::System,
    claims: |claim| claim.path.ends_with(b"/lib/apk/db/installed"),
    read,
};

/// Fields of a package; see apk-package(5). Others belong to its files, and their letters differ by case only.
const FIELDS: Wanted<6> = Wanted { names: ["P", "V", "A", "o", "L", "m"], any_case: false };
const NAME: usize = 0;
const VERSION: usize = 1;
const ARCHITECTURE: usize = 2;
const ORIGIN: usize = 3;
const LICENCE: usize = 4;
const MAINTAINER: usize = 5;

fn read(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let mut wrong = None;
    let result = lines::stanzas(input, &FIELDS, &mut |stanza| match package_of(stanza) {
        Ok(package) => found(Found::Package(package)),
        Err(error) => _ = wrong.get_or_insert(error),
    });
    // A stanza that was cut off lacks something as a consequence.
    result.and(wrong.map_or(Ok(()), Err))
}

fn package_of(stanza: &Stanza<6>) -> Result<Package, ParseError> {
    let told = |field| stanza.get(field).filter(|value: &String| !value.is_empty());
    let lacks = |what| ParseError::Malformed(format!("stanza from line {}: no {what}", stanza.line));
    let name = told(NAME).ok_or_else(|| lacks("P: (name)"))?;
    let version = told(VERSION).ok_or_else(|| lacks("V: (version)"))?;
    // All packages of one source have its version.
    let source =
        SourcePackage { name: told(ORIGIN).unwrap_or_else(|| name.clone()), version: version.clone() };
    Ok(Package {
        kind: Kind::Apk,
        name,
        version,
        architecture: told(ARCHITECTURE).unwrap_or_default(),
        source: Some(source),
        licences: told(LICENCE).into_iter().collect(),
        vendor: told(MAINTAINER).unwrap_or_default(),
        ..Package::default()
    })
}

#[cfg(test)]
mod tests;
