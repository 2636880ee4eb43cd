//! VEX: statements that a product is not affected by a vulnerability, and why. OpenVEX, CSAF and CycloneDX.
//!
//! A statement suppresses a finding when it names the vulnerability, or an alias of it, and the package by its package
//! URL. Statuses that say otherwise (`affected`, `under_investigation`) suppress nothing, and what is stated last
//! counts. Where a statement is narrower than what can be checked, it does not apply.

mod csaf;
mod cyclonedx;
mod openvex;
mod purl;

use std::{collections::BTreeSet, fs::File, io::Read as _, path::Path};

use guardhouse_packages::Package;
use jiff::Timestamp;
use serde_json::Value;

use crate::{Finding, Suppression, matching::cves};

pub use purl::PackageUrl;

/// The largest document that is read, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

/// The statements of the documents that were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vex {
    statements: Vec<Statement>,
    notes: Vec<String>,
}

/// What one document says of one vulnerability in some packages.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    by: String,
    /// When it was made; what tells no time is older than what does.
    time: Option<Timestamp>,
    ids: Vec<String>,
    products: Vec<Product>,
    status: Status,
    reason: String,
}

/// A package, and the system that the statement is limited to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Product {
    package: PackageUrl,
    /// Ecosystem of the only system that is meant; empty: any.
    system: String,
}

/// The statuses of VEX, by what follows from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    NotAffected,
    Fixed,
    /// `affected`, `under_investigation` and their kind.
    Counts,
}

/// Why a document is not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VexError {
    /// It cannot be read.
    #[error("cannot read the VEX document {name}")]
    Read {
        /// Which file.
        name: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is too large.
    #[error("the VEX document {name} has more than {LARGEST} bytes")]
    TooLarge {
        /// Which file.
        name: String,
    },
    /// It is no JSON.
    #[error("{name} is no VEX document: it is not valid JSON")]
    NotJson {
        /// Which file.
        name: String,
        /// Why.
        source: serde_json::Error,
    },
    /// It is JSON of another kind, or lacks what it must have.
    #[error("{name} is no VEX document that can be read: {reason}")]
    Malformed {
        /// Which file.
        name: String,
        /// What is wrong, and what would be right.
        reason: String,
    },
}

impl Vex {
    /// Reads a document and adds its statements.
    ///
    /// # Errors
    /// The file cannot be read or is no VEX document.
    pub fn read_file(&mut self, path: &Path) -> Result<(), VexError> {
        let name = path.display().to_string();
        let mut bytes = Vec::new();
        let file =
            File::open(path).and_then(|file| file.take(LARGEST.saturating_add(1)).read_to_end(&mut bytes));
        match file {
            Err(source) => Err(VexError::Read { name, source }),
            Ok(_) if bytes.len() as u64 > LARGEST => Err(VexError::TooLarge { name }),
            Ok(_) => self.read(&name, &bytes),
        }
    }

    /// Adds the statements of a document; `name` is what findings tell of it.
    ///
    /// # Errors
    /// It is no VEX document.
    pub fn read(&mut self, name: &str, bytes: &[u8]) -> Result<(), VexError> {
        let document: Value = serde_json::from_slice(bytes)
            .map_err(|source| VexError::NotJson { name: name.to_owned(), source })?;
        let has = |member| document.get(member).is_some();
        let read = if document.pointer("/document/csaf_version").is_some() {
            csaf::read(name, &document)
        } else if has("bomFormat") {
            cyclonedx::read(name, &document)
        } else if has("statements") {
            openvex::read(name, &document)
        } else {
            Err("OpenVEX has \"statements\", CSAF \"document\", CycloneDX \"bomFormat\"".to_owned())
        };
        let read = read.map_err(|reason| VexError::Malformed { name: name.to_owned(), reason })?;
        self.statements.extend(read.statements);
        self.notes.extend(read.notes.into_iter().map(|note| format!("{name}: {note}")));
        Ok(())
    }

    /// What of the documents cannot be applied, and why: to be told to the user.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Why a finding about a package does not count; `None` when it does. `system` is the ecosystem of the system that
    /// the package is on.
    #[must_use]
    pub fn suppression(&self, finding: &Finding, package: &Package, system: &str) -> Option<Suppression> {
        let about: Vec<&Statement> = self
            .statements
            .iter()
            .filter(|statement| statement.products.iter().any(|product| product.is(package, finding, system)))
            .collect();
        if about.is_empty() {
            return None;
        }
        let decided = |ids: &BTreeSet<&str>| {
            let named =
                about.iter().filter(|statement| statement.ids.iter().any(|id| ids.contains(id.as_str())));
            // Of those of the same time, the one that was given later.
            let last = named.enumerate().max_by_key(|(number, statement)| (statement.time, *number));
            last.map(|(_, statement)| *statement)
        };
        let cves = cves(finding);
        let statement = if cves.len() > 1 {
            // An update for several vulnerabilities does not count when none of them does.
            let own = BTreeSet::from([finding.advisory.as_str()]);
            let each =
                || cves.iter().map(|id| decided(&BTreeSet::from([*id])).filter(|one| one.suppresses()));
            match decided(&own) {
                Some(statement) => Some(statement),
                None => each().collect::<Option<Vec<_>>>()?.into_iter().next(),
            }
        } else {
            let ids = finding.aliases.iter().chain([&finding.advisory]).map(String::as_str).collect();
            decided(&ids)
        };
        statement.filter(|statement| statement.suppresses()).map(|statement| Suppression {
            by: statement.by.clone(),
            status: if statement.status == Status::Fixed { "fixed" } else { "not_affected" }.to_owned(),
            reason: statement.reason.clone(),
        })
    }
}

impl Statement {
    fn suppresses(&self) -> bool {
        self.status != Status::Counts
    }
}

impl Product {
    fn is(&self, package: &Package, finding: &Finding, system: &str) -> bool {
        (self.system.is_empty() || self.system == system)
            && self.package.is(package, &finding.affected_name, system)
    }
}

/// For the fuzzer: reads a document, and asks something of it.
#[cfg(any(test, fuzzing))]
pub fn fuzzing(bytes: &[u8]) {
    let mut vex = Vex::default();
    if vex.read("fuzz", bytes).is_ok() {
        for statement in &vex.statements {
            for product in &statement.products {
                let _ = product.package.is(&Package::default(), "", "Debian:12");
            }
        }
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The texts that are not empty, with `: ` between them.
fn joined(texts: &[&str]) -> String {
    let texts: Vec<&str> = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
    texts.join(": ")
}

fn time(value: &Value, name: &str) -> Option<Timestamp> {
    text(value, name).parse().ok()
}

#[cfg(test)]
mod tests;
