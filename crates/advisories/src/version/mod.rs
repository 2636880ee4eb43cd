//! Which of two versions is newer, exactly as the ecosystem's own tool has it: one file per rule.
//!
//! The order is total among the versions of one kind, and equality is that of the tool: `1.0` and `1` of Maven, or
//! `1.0.0+a` and `1.0.0+b` of semantic versioning, are equal. Versions come out of hostile images: whatever is no version
//! is refused, nothing panics, and the length is bounded.

mod apk;
mod cargo;
mod composer;
mod deb;
mod gem;
mod golang;
mod maven;
mod npm;
mod nuget;
mod number;
mod rpm;

use std::cmp::Ordering;

use guardhouse_packages::Kind;

/// The longest version, in bytes. Real ones stay below 128; npm and Maven themselves stop at 256.
pub const LONGEST: usize = 512;

/// Compares two versions as the tool of `kind` does. To compare one version with many, parse it once: [`Version`].
///
/// # Errors
/// [`NotAVersion`] where the tool refuses one of them.
pub fn compare(kind: Kind, left: &str, right: &str) -> Result<Ordering, NotAVersion> {
    let (left, right) = (Version::parse(kind, left)?, Version::parse(kind, right)?);
    // Both are of the same kind.
    Ok(left.partial_cmp(&right).unwrap_or(Ordering::Equal))
}

/// A version that was read, ready to be compared. Those of different kinds have no order.
#[derive(Clone, Debug)]
pub struct Version(Parsed);

#[derive(Clone, Debug)]
enum Parsed {
    Deb(deb::Version),
    Rpm(rpm::Version),
    Apk(apk::Version),
    Cargo(semver::Version),
    Npm(semver::Version),
    Pypi(pep440_rs::Version),
    Golang(semver::Version),
    Maven(maven::Version),
    Gem(gem::Version),
    Composer(composer::Version),
    Nuget(nuget::Version),
}

impl Version {
    /// Reads a version of `kind`.
    ///
    /// # Errors
    /// [`NotAVersion`] where the tool refuses it, and where it is longer than [`LONGEST`].
    pub fn parse(kind: Kind, text: &str) -> Result<Self, NotAVersion> {
        let parsed = if text.len() > LONGEST {
            None
        } else {
            match kind {
                Kind::Deb => deb::Version::parse(text).map(Parsed::Deb),
                Kind::Rpm => rpm::Version::parse(text).map(Parsed::Rpm),
                Kind::Apk => apk::Version::parse(text).map(Parsed::Apk),
                Kind::Cargo => cargo::parse(text).map(Parsed::Cargo),
                Kind::Npm => npm::parse(text).map(Parsed::Npm),
                // Versions from before PEP 440 are none: pip has refused them since 24.1.
                Kind::Pypi => text.parse().ok().map(Parsed::Pypi),
                Kind::Golang => golang::parse(text).map(Parsed::Golang),
                Kind::Maven => maven::Version::parse(text).map(Parsed::Maven),
                Kind::Gem => gem::Version::parse(text).map(Parsed::Gem),
                Kind::Composer => composer::Version::parse(text).map(Parsed::Composer),
                Kind::Nuget => nuget::Version::parse(text).map(Parsed::Nuget),
            }
        };
        parsed.map(Self).ok_or_else(|| NotAVersion { kind, text: text.to_owned() })
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (&self.0, &other.0) {
            (Parsed::Deb(left), Parsed::Deb(right)) => Some(left.compare(right)),
            (Parsed::Rpm(left), Parsed::Rpm(right)) => Some(left.compare(right)),
            (Parsed::Apk(left), Parsed::Apk(right)) => Some(left.compare(right)),
            // Precedence: without the build metadata.
            (Parsed::Cargo(left), Parsed::Cargo(right))
            | (Parsed::Npm(left), Parsed::Npm(right))
            | (Parsed::Golang(left), Parsed::Golang(right)) => Some(left.cmp_precedence(right)),
            (Parsed::Pypi(left), Parsed::Pypi(right)) => Some(left.cmp(right)),
            (Parsed::Maven(left), Parsed::Maven(right)) => Some(left.compare(right)),
            (Parsed::Gem(left), Parsed::Gem(right)) => Some(left.compare(right)),
            (Parsed::Composer(left), Parsed::Composer(right)) => Some(left.compare(right)),
            (Parsed::Nuget(left), Parsed::Nuget(right)) => Some(left.compare(right)),
            _ => None,
        }
    }
}

/// A text that is no version to its ecosystem's tool.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no version of {kind}")]
pub struct NotAVersion {
    /// Whose.
    pub kind: Kind,
    /// The text.
    pub text: String,
}

/// Says in a test that every version of a list is newer than the one before.
#[cfg(test)]
fn assert_ascending(kind: Kind, versions: &[&str]) {
    for (index, older) in versions.iter().enumerate() {
        for newer in versions.iter().skip(index + 1) {
            assert_eq!(compare(kind, older, newer), Ok(Ordering::Less), "{older} < {newer}");
            assert_eq!(compare(kind, newer, older), Ok(Ordering::Greater), "{newer} > {older}");
        }
    }
}

/// Says in a test that all versions of a list are equal.
#[cfg(test)]
fn assert_equal(kind: Kind, versions: &[&str]) {
    for left in versions {
        for right in versions {
            assert_eq!(compare(kind, left, right), Ok(Ordering::Equal), "{left} = {right}");
        }
    }
}

/// Says in a test that none of a list is a version.
#[cfg(test)]
fn assert_refused(kind: Kind, texts: &[&str]) {
    for text in texts {
        let error = NotAVersion { kind, text: (*text).to_owned() };
        assert_eq!(Version::parse(kind, text).map(|_| ()), Err(error));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_no_order_among_each_other() {
        let deb = Version::parse(Kind::Deb, "1.0").expect("a version");
        let rpm = Version::parse(Kind::Rpm, "1.0").expect("a version");
        assert_eq!(deb.partial_cmp(&rpm), None);
        assert_ne!(deb, rpm);
    }

    #[test]
    fn a_version_has_a_longest_length() {
        assert!(Version::parse(Kind::Maven, &"1-".repeat(LONGEST / 2)).is_ok());
        assert!(Version::parse(Kind::Maven, &"1".repeat(LONGEST + 1)).is_err());
    }

    #[test]
    fn python_orders_by_pep_440() {
        assert_ascending(
            Kind::Pypi,
            &[
                "1.0.dev1",
                "1.0a1.dev1",
                "1.0a1",
                "1.0b2",
                "1.0rc1",
                "1.0",
                "1.0+local.1",
                "1.0.post1",
                "1.1",
                "1!0.1",
            ],
        );
        assert_equal(Kind::Pypi, &["1.0", "1", "v1.0.0", "1.0.0.0"]);
        assert_refused(Kind::Pypi, &["", "2004d", "1.0-foo", "0.1dev-r1716", "dev"]);
    }
}
