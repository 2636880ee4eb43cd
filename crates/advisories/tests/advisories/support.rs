//! A store in a folder of its own.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use guardhouse_advisories::{
    Finding, Matcher, NotCompared, Origin, Store,
    import::{Content, ImportError, Request, Summary, import},
};
use guardhouse_packages::{Kind, Package, SourcePackage};
use jiff::Timestamp;
use tempfile::TempDir;

/// A folder with a store.
pub struct Place {
    pub folder: TempDir,
    pub store: PathBuf,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = folder.path().join("advisories.db");
        Self { folder, store }
    }

    /// With advisories from this text.
    pub fn with(text: &str) -> Self {
        let place = Self::new();
        place.import("test", text.as_bytes());
        place
    }

    pub fn import(&self, name: &str, bytes: &[u8]) -> Summary {
        self.try_import(name, Content::Bytes(name.to_owned(), bytes.to_vec())).expect("an import")
    }

    pub fn import_path(&self, path: &Path) -> Summary {
        self.try_import("test", Content::Path(path.to_owned())).expect("an import")
    }

    pub fn try_import(&self, name: &str, content: Content) -> Result<Summary, ImportError> {
        import(&mut open(&self.store), &request(name), content)
    }

    pub fn findings(&self, package: &Package, system: &str) -> Vec<Finding> {
        let mut matcher = Matcher::open(&self.store).expect("a store");
        matcher.match_package(package, system).expect("an answer").findings.clone()
    }

    /// `advisory fixed`, sorted.
    pub fn found(&self, package: &Package, system: &str) -> Vec<String> {
        let shown =
            |finding: Finding| format!("{} {}", finding.advisory, finding.fixed.as_deref().unwrap_or("-"));
        let mut shown: Vec<String> = self.findings(package, system).into_iter().map(shown).collect();
        shown.sort_unstable();
        shown
    }

    pub fn not_compared(&self, package: &Package, system: &str) -> Vec<NotCompared> {
        let mut matcher = Matcher::open(&self.store).expect("a store");
        matcher.match_package(package, system).expect("an answer").not_compared.clone()
    }
}

pub fn open(store: &Path) -> Store {
    Store::open(store, Duration::from_secs(60)).expect("a store")
}

pub fn request(name: &str) -> Request {
    Request { name: name.to_owned(), origin: Origin::default(), now: now() }
}

pub fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().expect("a moment")
}

pub fn package(kind: Kind, name: &str, version: &str) -> Package {
    Package { kind, name: name.to_owned(), version: version.to_owned(), ..Package::default() }
}

/// A package that was built from `source`, in the same version.
pub fn built(kind: Kind, name: &str, version: &str, source: &str) -> Package {
    let source = SourcePackage { name: source.to_owned(), version: version.to_owned() };
    Package { source: Some(source), ..package(kind, name, version) }
}
