//! dpkg: `var/lib/dpkg/status` of Debian and its descendants, and `status.d` of images without a package manager, where
//! each package has a file of its own. Both also below another root: a container, a chroot.

use crate::format::{Claim, Class, Format, Found, Input, ParseError};
use crate::lines::{self, Stanza, Wanted};
use crate::package::{Kind, Package, SourcePackage};

/// `var/lib/dpkg/status`: all packages that dpkg knows of.
pub const STATUS: Format = Format {
    name: "dpkg-status",
    class: Class::System,
    claims: |claim| claim.path.ends_with(b"/var/lib/dpkg/status"),
    read: read_status,
};

/// `var/lib/dpkg/status.d/*`: a stanza a file, as images without dpkg have it. The files are named after the package, or
/// by that name in base64; lists of checksums lie between them.
pub const STATUS_FOLDER: Format =
    Format { name: "dpkg-status.d", class: Class::System, claims: claims_in_folder, read: read_folder };

const FIELDS: Wanted<6> = Wanted {
    names: ["Package", "Status", "Version", "Architecture", "Source", "Maintainer"],
    any_case: true, // Debian policy 5.1
};
const PACKAGE: usize = 0;
const STATUS_FIELD: usize = 1;
const VERSION: usize = 2;
const ARCHITECTURE: usize = 3;
const SOURCE: usize = 4;
const MAINTAINER: usize = 5;

fn claims_in_folder(claim: &Claim<'_>) -> bool {
    claim.folder().ends_with(b"/var/lib/dpkg/status.d") && !claim.path.ends_with(b".md5sums")
}

fn read_status(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let mut wrong = None;
    let result = lines::stanzas(input, &FIELDS, &mut |stanza| match status_of(stanza) {
        Ok(State::Installed) => match package_of(stanza) {
            Ok(package) => found(Found::Package(package)),
            Err(error) => _ = wrong.get_or_insert(error),
        },
        Ok(State::Gone) => {}
        Err(error) => _ = wrong.get_or_insert(error),
    });
    // A stanza that was cut off lacks something as a consequence.
    result.and(wrong.map_or(Ok(()), Err))
}

fn read_folder(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let mut wrong = None;
    let result = lines::stanzas(input, &FIELDS, &mut |stanza| {
        if stanza.get(PACKAGE).is_none() {
            return; // checksums under a name in base64, or something else
        }
        match package_of(stanza) {
            Ok(package) => found(Found::Package(package)),
            Err(error) => _ = wrong.get_or_insert(error),
        }
    });
    match (result, wrong) {
        // What builds such images does not always end the last line, and each file holds one package.
        (Err(ParseError::Malformed(_)) | Ok(()), wrong) => wrong.map_or(Ok(()), Err),
        (Err(error), _) => Err(error),
    }
}

/// Whether files of a package are there.
enum State {
    Installed,
    Gone,
}

/// The third word of `Status`. Everything from `half-installed` on has files on the disk; see dpkg(1), package states.
fn status_of(stanza: &Stanza<6>) -> Result<State, ParseError> {
    let status = stanza.get(STATUS_FIELD).ok_or_else(|| lacks(stanza, "Status"))?;
    match status.split_ascii_whitespace().nth(2) {
        Some("not-installed" | "config-files") => Ok(State::Gone),
        Some(_) => Ok(State::Installed),
        None => Err(ParseError::Malformed(format!(
            "stanza from line {}: a status is three words, for example \"install ok installed\"",
            stanza.line
        ))),
    }
}

fn package_of(stanza: &Stanza<6>) -> Result<Package, ParseError> {
    let told = |field| stanza.get(field).filter(|value: &String| !value.is_empty());
    let name = told(PACKAGE).ok_or_else(|| lacks(stanza, "Package"))?;
    let version = told(VERSION).ok_or_else(|| lacks(stanza, "Version"))?;
    let source = signed_of(source_of(told(SOURCE).as_deref(), &name, &version), &version);
    let architecture = told(ARCHITECTURE).unwrap_or_default();
    let vendor = told(MAINTAINER).unwrap_or_default();
    Ok(Package {
        kind: Kind::Deb,
        name,
        version,
        architecture,
        source: Some(source),
        vendor,
        ..Package::default()
    })
}

/// `Source` is a name, with a version in parentheses when that is another one than the package's.
fn source_of(field: Option<&str>, name: &str, version: &str) -> SourcePackage {
    let field = field.filter(|field| !field.starts_with('('));
    let (source, source_version) = match field {
        None => (name, version),
        Some(field) => match field.split_once('(') {
            None => (field, version),
            Some((source, rest)) => (source.trim(), rest.trim_end_matches(')').trim()),
        },
    };
    SourcePackage { name: source.to_owned(), version: source_version.to_owned() }
}

/// Kernels that are signed for Secure Boot are packed a second time, from a source package that has only the signatures:
/// `linux-signed-amd64` (Debian), `linux-signed-hwe-6.8` (Ubuntu). Advisories speak of the source that was compiled, which
/// has the version of the binary package.
fn signed_of(source: SourcePackage, version: &str) -> SourcePackage {
    let Some(rest) = source.name.strip_prefix("linux-signed") else { return source };
    if !(rest.is_empty() || rest.starts_with('-')) {
        return source;
    }
    let flavour = ["-amd64", "-arm64", "-armhf", "-i386"].iter().find_map(|end| rest.strip_suffix(end));
    SourcePackage { name: format!("linux{}", flavour.unwrap_or(rest)), version: version.to_owned() }
}

fn lacks(stanza: &Stanza<6>, field: &str) -> ParseError {
    ParseError::Malformed(format!("stanza from line {}: no {field}", stanza.line))
}

#[cfg(test)]
mod tests;
