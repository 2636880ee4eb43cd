//! A package.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A package of a system or of a language, as its own tools name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Package {
    /// Whose package it is.
    pub kind: Kind,
    /// The name as advisories write it: `openssl`, `org.apache.logging.log4j:log4j-core`, `@babel/core`,
    /// `github.com/gin-gonic/gin`, `symfony/http-kernel`. Python's are normalised (PEP 503).
    pub name: String,
    /// The whole version: `1:9.2p1-2+deb12u2`, `4.18.0-553.el8_10`; without the `v` of Go's. Empty when it is not told.
    /// An rpm's epoch stands before it only when it is not 0: to rpm, no epoch is epoch 0.
    pub version: String,
    /// For which processor; empty when it is not told or any.
    pub architecture: String,
    /// What it was built from, where advisories speak of that: always there for deb, rpm and apk, and the package itself
    /// when it does not tell; never there for the others.
    pub source: Option<SourcePackage>,
    /// How it is known.
    pub origin: Origin,
    /// The licences as the package tells them, in SPDX terms where it does; empty when it tells none.
    pub licences: Vec<String>,
    /// Who makes it, as the package tells: the vendor of an rpm, the maintainer of a deb.
    pub vendor: String,
    /// The module that an rpm belongs to: `nodejs:18:8090020240110:rhel9`.
    pub module: String,
    /// Where inside of the file it was found, outermost first, for archives in archives: `["BOOT-INF/lib/a.jar"]`.
    pub inside: Vec<String>,
}

/// The package that a binary package was built from.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SourcePackage {
    /// Its name.
    pub name: String,
    /// Its version, which may differ from that of the binary package.
    pub version: String,
}

/// Whose package something is: the types of package URLs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// dpkg.
    #[default]
    Deb,
    /// rpm.
    Rpm,
    /// Alpine's apk.
    Apk,
    /// Rust.
    Cargo,
    /// JavaScript.
    Npm,
    /// Python.
    Pypi,
    /// Go.
    Golang,
    /// Java.
    Maven,
    /// Ruby.
    Gem,
    /// PHP.
    Composer,
    /// .NET.
    Nuget,
}

/// How a package is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    /// Its files are there: a package database, installed metadata, an archive of it.
    #[default]
    Installed,
    /// It was built into a program.
    Embedded,
    /// A lock file asks for it.
    Locked,
    /// A manifest asks for exactly this version, and says nothing of what that needs itself.
    Declared,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Deb,
        Self::Rpm,
        Self::Apk,
        Self::Cargo,
        Self::Npm,
        Self::Pypi,
        Self::Golang,
        Self::Maven,
        Self::Gem,
        Self::Composer,
        Self::Nuget,
    ];

    /// The type in a package URL: `deb`, `golang`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deb => "deb",
            Self::Rpm => "rpm",
            Self::Apk => "apk",
            Self::Cargo => "cargo",
            Self::Npm => "npm",
            Self::Pypi => "pypi",
            Self::Golang => "golang",
            Self::Maven => "maven",
            Self::Gem => "gem",
            Self::Composer => "composer",
            Self::Nuget => "nuget",
        }
    }

    /// Whether it belongs to the system's own package manager.
    #[must_use]
    pub fn is_system(self) -> bool {
        matches!(self, Self::Deb | Self::Rpm | Self::Apk)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_kind_is_forgotten() {
        // What reads a kind names all that there are when it knows none of that name.
        let error = serde_json::from_str::<Kind>("\"\"").expect_err("no kind").to_string();
        let known: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
        assert_eq!(known, Kind::ALL.map(Kind::as_str));
    }
}
