//! Debian's order: <https://manpages.debian.org/deb-version.7>. The oracle is `dpkg --compare-versions`.

use std::cmp::Ordering;

/// A version that dpkg takes, if with a warning.
#[derive(Clone, Debug)]
pub(super) struct Version(String);

impl Version {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches(|character: char| character.is_ascii_whitespace());
        // dpkg only warns of odd characters; of what is not ASCII, the order would depend on its build.
        if text.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return None;
        }
        let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
        epoch.parse::<u32>().ok().filter(|epoch| i32::try_from(*epoch).is_ok())?;
        if epoch.starts_with('+') {
            return None;
        }
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, "0"));
        (!upstream.is_empty() && !revision.is_empty()).then(|| Self(text.to_owned()))
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        deb_version::compare_versions(&self.0, &other.0)
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_packages::Kind::Deb;

    use super::super::{assert_ascending, assert_equal, assert_refused};

    #[test]
    fn orders_as_dpkg() {
        assert_ascending(
            Deb,
            &["1.0~~", "1.0~~a", "1.0~", "1.0", "1.0-1", "1.0a", "1.0+b", "1.0.1", "1:0.1"],
        );
        assert_ascending(
            Deb,
            &["1.1.1n-0+deb11u4", "1.1.1n-0+deb11u5", "1.1.1w-0+deb11u1", "3.0.11-1~deb12u2"],
        );
        assert_ascending(Deb, &["9.2p1-2+deb12u2", "9.2p1-2+deb12u10", "9.6p1-4", "1:9.2p1-2+deb12u1"]);
        assert_equal(Deb, &["1.0", "0:1.0", "1.0-0", "1.00"]);
    }

    #[test]
    fn refuses_what_dpkg_refuses() {
        assert_refused(
            Deb,
            &["", " ", "a:1", ":1", "1:", "1.0-", "-1", "1 0", "2147483648:1", "+1:1", "1.0\u{e9}"],
        );
    }
}
