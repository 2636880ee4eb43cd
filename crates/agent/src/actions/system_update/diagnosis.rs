//! Why a package manager failed, by what it wrote.

use guardhouse_contract::action::system_update_result::{Change, Package};

use crate::{outcome::Failure, system::Ended};

/// Marks in what package managers write, with the code they stand for; the first one that is found counts.
const MARKS: [(&str, &[&str]); 4] = [
    (
        "DISK_FULL",
        &[
            "No space left on device",
            "You don't have enough free space in",
            "more space needed on the",
            "not enough free disk space",
            "Not enough disk space",
            "needs more space on the",
        ],
    ),
    (
        "REPOSITORY_NOT_TRUSTED",
        &[
            "is not signed",
            "NO_PUBKEY",
            "GPG error",
            "GPG check FAILED",
            "GPG check failed",
            "Signature verification failed",
            "PGP signature",
            "signature from",
            "UNTRUSTED signature",
        ],
    ),
    (
        "REPOSITORY_UNREACHABLE",
        &[
            "Failed to fetch",
            "Some index files failed to download",
            "Failed to download metadata",
            "Cannot download",
            "Error downloading packages",
            "Valid metadata not found at specified URL",
            "because of the above error",
            "Download (curl) error",
            "failed to synchronize all databases",
            "failed retrieving file",
            "temporary error (try again later)",
            "unavailable, ",
            "does not have a Release file",
            "No more mirrors to try",
        ],
    ),
    (
        "DEPENDENCIES_BROKEN",
        &[
            "Unmet dependencies",
            "unmet dependencies",
            "held broken packages",
            "could not satisfy dependencies",
        ],
    ),
];

/// The code of a failure, and the line that tells it.
fn recognise(said: &str) -> Option<(&'static str, &str)> {
    MARKS.iter().find_map(|(code, marks)| {
        let line = said.lines().find(|line| marks.iter().any(|mark| line.contains(mark)))?;
        Some((*code, line.trim()))
    })
}

/// Why a step before the installation failed.
pub(super) fn of_step(what: &str, ended: &Ended) -> Failure {
    match recognise(&ended.said) {
        Some((code, line)) => Failure::new(code, format!("{what}: {line}")),
        None => {
            let reason = format!(
                "{what}: the package manager ended with exit code {}: {}",
                ended.code,
                last_line(ended)
            );
            Failure::new("PACKAGE_MANAGER_FAILED", reason)
        }
    }
}

/// Why an installation is a failure, if it is one.
pub(super) fn of_installation(packages: &[Package], ended: &Ended, succeeded: bool) -> Option<Failure> {
    let failed: Vec<&Package> =
        packages.iter().filter(|package| package.change() == Change::Failed).collect();
    if failed.is_empty() && succeeded {
        return None;
    }
    let recognised = if succeeded { None } else { recognise(&ended.said) };
    let code = recognised
        .map_or(if failed.is_empty() { "PACKAGE_MANAGER_FAILED" } else { "UPDATES_FAILED" }, |(code, _)| {
            code
        });
    let line = recognised.map_or_else(|| last_line(ended), |(_, line)| line);
    Some(Failure::new(
        code,
        match failed.first() {
            Some(first) => {
                format!(
                    "{} updates are not installed, the first is {}: {}",
                    failed.len(),
                    first.name,
                    first.reason
                )
            }
            None => format!(
                "every update is installed, but the package manager ended with exit code {}: {line}",
                ended.code
            ),
        },
    ))
}

fn last_line(ended: &Ended) -> &str {
    ended.said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it wrote nothing").trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What apt 2.6, dnf 4.14, zypper 1.14 and pacman 6.0 wrote when they were run for this table, save for the last four
    /// lines, which come from their sources.
    #[test]
    fn failures_are_recognised() {
        let table = [
            (
                "Err:7 x\nE: Failed to fetch http://127.0.0.1:9/x/./Packages  Cannot initiate",
                "REPOSITORY_UNREACHABLE",
            ),
            (
                "Error: Failed to download metadata for repo 'bad': Cannot download repomd.xml",
                "REPOSITORY_UNREACHABLE",
            ),
            (
                "[bad|http://127.0.0.1:9/x] Valid metadata not found at specified URL\nHistory:",
                "REPOSITORY_UNREACHABLE",
            ),
            ("error: failed to synchronize all databases (download library error)", "REPOSITORY_UNREACHABLE"),
            ("E: Sub-process /usr/bin/dpkg returned an error code (1)", "PACKAGE_MANAGER_FAILED"),
            ("", "PACKAGE_MANAGER_FAILED"),
            ("E: You don't have enough free space in /var/cache/apt/archives/.", "DISK_FULL"),
            ("  At least 12MB more space needed on the / filesystem.", "DISK_FULL"),
            ("E: The repository 'http://x y InRelease' is not signed.", "REPOSITORY_NOT_TRUSTED"),
            ("WARNING: fetching x: temporary error (try again later)", "REPOSITORY_UNREACHABLE"),
        ];
        for (said, code) in table {
            let failure = of_step("refreshing", &Ended { code: 1, said: said.to_owned() });
            assert_eq!(failure.code, code, "{said}");
        }
    }

    #[test]
    fn an_installation_succeeds_when_its_packages_did() {
        let package =
            |change: Change| Package { name: "x".to_owned(), change: change.into(), ..Default::default() };
        let (fine, bad) = ([package(Change::Updated)], [package(Change::Updated), package(Change::Failed)]);
        let full = "write error: No space left on device";
        let table: [(&[Package], bool, &str, Option<&str>); 5] = [
            (&fine, true, "", None),
            (&bad, true, "", Some("UPDATES_FAILED")),
            (&bad, false, "", Some("UPDATES_FAILED")),
            (&bad, false, full, Some("DISK_FULL")),
            (&fine, false, "", Some("PACKAGE_MANAGER_FAILED")),
        ];
        for (packages, succeeded, said, code) in table {
            let ended = Ended { code: 1, said: said.to_owned() };
            let failure = of_installation(packages, &ended, succeeded);
            assert_eq!(failure.map(|failure| failure.code), code, "{said}");
        }
    }
}
