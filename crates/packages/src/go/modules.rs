//! `go.mod` and `go.sum` of a module's sources.
//!
//! Since Go 1.17, `go.mod` names every module that is built, with the version that was selected. `go.sum` has versions that
//! were considered and not selected as well, and old ones until somebody tidies up; so it is read only where `go.mod` is
//! not complete: when it is missing, or of an older Go. See <https://go.dev/ref/mod>.

use std::collections::{BTreeMap, BTreeSet};

use crate::bytes::text;
use crate::format::{Claim, Class, Format, Found, Input, ParseError};
use crate::lines::Lines;
use crate::package::{Kind, Origin, Package};

use super::version;

/// `go.mod`.
pub const GO_MOD: Format = Format {
    name: "go.mod",
    class: Class::Language,
    claims: |claim| claims(claim, b"go.mod"),
    read: read_mod,
};

/// `go.sum`.
pub const GO_SUM: Format = Format {
    name: "go.sum",
    class: Class::Language,
    claims: |claim| claims(claim, b"go.sum"),
    read: read_sum,
};

const LONGEST_MOD: u64 = 16 * 1024 * 1024;

/// Modules that were downloaded, or installed by Debian, bring their own `go.mod`, which decides nothing where they are
/// used; and what is in `testdata` Go itself passes over.
fn claims(claim: &Claim<'_>, name: &[u8]) -> bool {
    const PASSED_OVER: [&[u8]; 4] = [b"/pkg/mod/", b"/vendor/", b"/usr/share/gocode/", b"/testdata/"];
    let within = |folder: &&[u8]| claim.path.windows(folder.len()).any(|part| part == *folder);
    claim.file_name() == name && !PASSED_OVER.iter().any(within)
}

fn read_mod(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let module = GoMod::parse(&input.bytes(LONGEST_MOD)?)?;
    let origin = if module.is_complete { Origin::Locked } else { Origin::Declared };
    for (name, version) in module.selected() {
        found(package(name, version, origin));
    }
    Ok(())
}

fn read_sum(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let beside = input.source.sibling(b"go.mod", LONGEST_MOD)?;
    // What is wrong in it is told where it is read itself.
    let module = beside.and_then(|bytes| GoMod::parse(&bytes).ok()).unwrap_or_default();
    if module.is_complete {
        return Ok(());
    }
    let mut lines = Lines::new(input.source);
    let mut wrong = None;
    while let Some(line) = lines.next()? {
        let mut words = line.bytes.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).map(text);
        let (name, version, sum) = match (words.next(), words.next(), words.next()) {
            (Some(name), Some(version), Some(sum)) => (name, version, sum),
            (None, ..) => continue,
            _ => {
                wrong.get_or_insert(ParseError::Malformed(format!(
                    "line {}: not a module, a version and a checksum",
                    line.number
                )));
                continue;
            }
        };
        // A checksum of go.mod alone: the module was looked at, not used.
        if sum.starts_with("h1:") && !version.ends_with("/go.mod") && !module.requires.contains_key(&name) {
            found(package(name, &version, Origin::Locked));
        }
    }
    lines.end().and(wrong.map_or(Ok(()), Err))
}

fn package(name: String, written: &str, origin: Origin) -> Found {
    Found::Package(Package {
        kind: Kind::Golang,
        name,
        version: version(written),
        origin,
        ..Package::default()
    })
}

/// What of `go.mod` decides which modules are built.
#[derive(Default)]
struct GoMod {
    /// Whether it names the modules that other modules need.
    is_complete: bool,
    /// Names and versions.
    requires: BTreeMap<String, String>,
    /// `old [version] => new [version]`.
    replaces: BTreeMap<Module, Module>,
}

/// A name, with a version or without.
type Module = (String, Option<String>);

impl GoMod {
    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let mut this = Self::default();
        let mut block = None;
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let words = words(line);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let (directive, arguments) = match (&block, words.as_slice()) {
                (_, []) => continue,
                (Some(_), [")"]) => {
                    block = None;
                    continue;
                }
                (None, [directive, "("]) => {
                    block = Some((*directive).to_owned());
                    continue;
                }
                (Some(directive), arguments) => (directive.as_str(), arguments),
                (None, [directive, arguments @ ..]) => (*directive, arguments),
            };
            this.take(directive, arguments).ok_or_else(|| {
                ParseError::Malformed(format!("line {}: this is not how {directive} is written", index + 1))
            })?;
        }
        Ok(this)
    }

    fn take(&mut self, directive: &str, arguments: &[&str]) -> Option<()> {
        if matches!(directive, "require" | "replace") && arguments.contains(&"") {
            return None;
        }
        match (directive, arguments) {
            ("go", [version]) => self.is_complete = lists_all_modules(version),
            ("require", [name, version]) => {
                _ = self.requires.insert((*name).to_owned(), (*version).to_owned())
            }
            ("replace", arguments) => {
                let arrow = arguments.iter().position(|word| *word == "=>")?;
                let side = |words: &[&str]| match words {
                    [name] => Some(((*name).to_owned(), None)),
                    [name, version] => Some(((*name).to_owned(), Some((*version).to_owned()))),
                    _ => None,
                };
                let (old, new) = (side(arguments.get(..arrow)?)?, side(arguments.get(arrow + 1..)?)?);
                self.replaces.insert(old, new);
            }
            ("go" | "require", _) => return None,
            _ => {}
        }
        Some(())
    }

    /// The modules as they are built: names, and versions, which are empty where a folder replaces a module.
    fn selected(&self) -> BTreeSet<(String, &str)> {
        let replacement = |name: &String, version: &String| {
            let exactly = self.replaces.get(&(name.clone(), Some(version.clone())));
            exactly.or_else(|| self.replaces.get(&(name.clone(), None)))
        };
        let built = self.requires.iter().map(|(name, version)| match replacement(name, version) {
            None => (name.clone(), version.as_str()),
            Some((new, Some(version))) => (new.clone(), version.as_str()),
            Some((_, None)) => (name.clone(), ""),
        });
        built.collect()
    }
}

/// The words of a line, without its comment; a word in quotation marks may have anything in it.
fn words(line: &[u8]) -> Vec<String> {
    let line = String::from_utf8_lossy(line);
    let code = line.split("//").next().unwrap_or_default();
    code.split_ascii_whitespace().map(|word| word.trim_matches(['"', '`']).to_owned()).collect()
}

/// Whether `go.mod` of this version of Go names all modules: since 1.17.
fn lists_all_modules(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| {
        let end = number.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(number.len());
        number.get(..end).and_then(|digits| digits.parse::<u32>().ok()).unwrap_or_default()
    });
    (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default()) >= (1, 17)
}

#[cfg(test)]
mod tests;
