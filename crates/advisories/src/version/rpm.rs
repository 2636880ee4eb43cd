//! RPM's order of epoch, version and release. The oracle is `rpm.vercmp` of rpm's Lua.

use std::cmp::Ordering;

use rpm_version::Evr;

/// `epoch:version-release`. No epoch is 0. Without a release it is older than with any, so that to an advisory's `fixed`
/// of `1.2.3` every release of 1.2.3 is fixed; that is what rpm itself does when it compares two texts.
#[derive(Clone, Debug)]
pub(super) struct Version {
    epoch_and_version: Evr<'static>,
    /// In the place of a version: what is absent is older than what is empty, and `Evr` does not tell them apart.
    release: Option<Evr<'static>>,
}

impl Version {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.chars().any(|character| character.is_control() || character.is_whitespace()) {
            return None;
        }
        let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
        // The last hyphen: rpm lets no other one in, but an advisory may have it.
        let (version, release) = match rest.rsplit_once('-') {
            Some((version, release)) => (version, Some(release)),
            None => (rest, None),
        };
        if version.is_empty() || release == Some("") || epoch.bytes().any(|byte| !byte.is_ascii_digit()) {
            return None;
        }
        Some(Self {
            epoch_and_version: Evr::new(epoch.to_owned(), version.to_owned(), String::new()),
            release: release.map(|release| Evr::new(String::new(), release.to_owned(), String::new())),
        })
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let version = self.epoch_and_version.cmp(&other.epoch_and_version);
        version.then_with(|| self.release.cmp(&other.release))
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_packages::Kind::Rpm;

    use super::super::{assert_ascending, assert_equal, assert_refused};

    #[test]
    fn orders_as_rpm() {
        assert_ascending(
            Rpm,
            &[
                "1.0~rc1",
                "1.0",
                "1.0-~1",
                "1.0-1",
                "1.0-1^git1",
                "1.0-1.1",
                "1.0^git1",
                "1.0.1",
                "1:0.1",
                "2:0",
            ],
        );
        assert_ascending(Rpm, &["4.18.0-553.el8_10", "4.18.0-553.8.1.el8_10", "4.18.0-553.16.1.el8_10"]);
        assert_ascending(Rpm, &["0:3.0.7-18.el9_2", "0:3.0.7-24.el9", "0:3.0.7-25.el9_3", "1:3.0.1-43.el9"]);
        assert_equal(Rpm, &["1.0-1", "0:1.0-1", "1_0-1", "1.00-01"]);
    }

    #[test]
    fn takes_a_missing_release_as_the_oldest() {
        assert_ascending(Rpm, &["1.2.2-9", "1.2.3", "1.2.3-0", "1.2.3-1.el9", "1.2.4"]);
    }

    #[test]
    fn refuses_what_has_no_version() {
        assert_refused(Rpm, &["", "1:", "-1", "1.0-", "a:1-1", "1 0", "1\n"]);
    }
}
