//! What readers have in common when they tell what they found.

use std::collections::BTreeSet;

use crate::{Found, Kind, Origin, Package};

/// More packages than any real file names: the largest lock files in public have about 10,000.
const PACKAGES_AT_MOST: usize = 100_000;
/// Registries allow names of 214 bytes (npm) and less; Maven's two halves have no bound of their own.
const NAME_AT_MOST: usize = 512;
/// Commit ids and URLs included.
const VERSION_AT_MOST: usize = 512;
/// A longer licence is its text and not its name.
const LICENCE_AT_MOST: usize = 120;
const LICENCES_AT_MOST: usize = 16;

/// Tells each package of one file once, and bounds how many there are and how long their names.
pub(crate) struct Collector<'f> {
    found: &'f mut dyn FnMut(Found),
    kind: Kind,
    origin: Origin,
    seen: BTreeSet<(String, String, Vec<String>)>,
    full: bool,
    overlong: bool,
}

impl<'f> Collector<'f> {
    pub(crate) fn new(kind: Kind, origin: Origin, found: &'f mut dyn FnMut(Found)) -> Self {
        Self { found, kind, origin, seen: BTreeSet::new(), full: false, overlong: false }
    }

    /// Whether nothing more is taken: a reader may stop.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// A package of which only name and version are known.
    pub(crate) fn add(&mut self, name: &str, version: &str) {
        self.add_with(name, version, Vec::new(), Vec::new());
    }

    /// A package with its licences and where inside of the file it is. An empty name is no package.
    pub(crate) fn add_with(&mut self, name: &str, version: &str, licences: Vec<String>, inside: Vec<String>) {
        let (name, version) = (name.trim(), version.trim());
        if name.is_empty() || self.full {
            return;
        }
        if name.len() > NAME_AT_MOST || version.len() > VERSION_AT_MOST {
            if !std::mem::replace(&mut self.overlong, true) {
                self.limit(format!(
                    "packages were left out: a name or a version is longer than {NAME_AT_MOST} bytes"
                ));
            }
            return;
        }
        let key = (name.to_owned(), version.to_owned(), inside.clone());
        if self.seen.contains(&key) {
            return;
        }
        if self.seen.len() >= PACKAGES_AT_MOST {
            self.full = true;
            self.limit(format!("only the first {PACKAGES_AT_MOST} packages of the file were taken"));
            return;
        }
        self.seen.insert(key);
        let licences = licences
            .into_iter()
            .filter(|licence| !licence.trim().is_empty() && licence.len() <= LICENCE_AT_MOST)
            .take(LICENCES_AT_MOST)
            .collect();
        (self.found)(Found::Package(Package {
            kind: self.kind,
            origin: self.origin,
            name: name.to_owned(),
            version: version.to_owned(),
            licences,
            inside,
            ..Package::default()
        }));
    }

    /// Tells that a bound was reached.
    pub(crate) fn limit(&mut self, what: String) {
        (self.found)(Found::Limit(what));
    }
}
