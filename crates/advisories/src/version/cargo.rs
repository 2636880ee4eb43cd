//! Cargo's order: Semantic Versioning 2.0, in which the build metadata does not count.

/// Reads a version as Cargo does: all three numbers, no `v`.
pub(super) fn parse(text: &str) -> Option<semver::Version> {
    semver::Version::parse(text).ok()
}

#[cfg(test)]
mod tests {
    use guardhouse_packages::Kind::Cargo;

    use super::super::{assert_ascending, assert_equal, assert_refused};

    #[test]
    fn orders_by_precedence() {
        assert_ascending(
            Cargo,
            &[
                "0.0.0-0",
                "0.0.0",
                "1.0.0-1",
                "1.0.0-10",
                "1.0.0-alpha",
                "1.0.0-alpha.1",
                "1.0.0-alpha.beta",
                "1.0.0-beta.2",
                "1.0.0-beta.11",
                "1.0.0-rc.1",
                "1.0.0",
                "1.0.1",
                "1.2.0",
                "1.10.0",
                "2.0.0",
            ],
        );
        assert_equal(Cargo, &["1.0.0", "1.0.0+20240101", "1.0.0+zstd.1.5.6"]);
    }

    #[test]
    fn refuses_what_cargo_refuses() {
        assert_refused(
            Cargo,
            &["", "1", "1.0", "v1.0.0", "1.0.0.0", "01.0.0", "1.0.0-01", "1.0.0-", "1.0.0+", " 1.0.0"],
        );
    }
}
