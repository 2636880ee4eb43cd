//! What became of each package: the state before and after, and what was wanted.

use guardhouse_contract::action::system_update_result::{Change, Package};

use super::manager::{Available, Installed, Selection, Versions};

/// Every package that changed or was to change, by name. `said` is what the package manager wrote.
pub(super) fn packages<'a>(
    before: &Installed,
    after: &Installed,
    selection: &'a Selection,
    said: &str,
) -> Vec<Package> {
    let mut packages = Vec::new();
    let none = Versions::default();
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let (was, is) = (before.get(name).unwrap_or(&none), after.get(name).unwrap_or(&none));
        let among = |updates: &'a [Available]| updates.iter().find(|update| update.name == *name);
        let (wanted, unwanted) = (among(&selection.wanted), among(&selection.unwanted));
        let package = |change: Change, version: &str, reason: String| Package {
            name: name.clone(),
            previous_version: was.versions.last().cloned().unwrap_or_default(),
            version: version.to_owned(),
            change: change.into(),
            security: wanted.or(unwanted).is_some_and(|update| update.security),
            reason,
        };
        let newcomer = is.versions.iter().rfind(|version| !was.versions.contains(version));
        packages.extend(match (newcomer, wanted, unwanted) {
            (Some(version), ..) if is.broken => {
                Some(package(Change::Failed, version, why_failed(name, said, UNFINISHED)))
            }
            (Some(version), ..) if was.versions.is_empty() => {
                Some(package(Change::Installed, version, String::new()))
            }
            (Some(version), ..) => Some(package(Change::Updated, version, String::new())),
            (None, ..) if is.versions.is_empty() && !was.versions.is_empty() => {
                Some(package(Change::Removed, "", String::new()))
            }
            (None, Some(update), _) => {
                Some(package(Change::Failed, &update.version, why_failed(name, said, NOT_INSTALLED)))
            }
            (None, None, Some(update)) => {
                Some(package(Change::Skipped, &update.version, why_skipped(update)))
            }
            (None, None, None) => None,
        });
    }
    packages
}

const UNFINISHED: &str = "it is unpacked, but its installation did not end well; see the output";
const NOT_INSTALLED: &str = "the package manager did not install it; see the output";

fn why_skipped(update: &Available) -> String {
    update.kept_back.clone().unwrap_or_else(|| "it is optional: it closes no hole that is known".to_owned())
}

/// What the package manager wrote about the failure of a package: the line that names it, with the one that follows where
/// that line only announces it.
fn why_failed(name: &str, said: &str, otherwise: &str) -> String {
    let bare = name.split(':').next().unwrap_or(name);
    let bare = bare.rsplit_once('.').map_or(bare, |(bare, _)| bare);
    let lines: Vec<&str> = said.lines().map(str::trim).collect();
    let names_it = |line: &str| {
        let is_part = |letter: char| letter.is_alphanumeric() || "+_".contains(letter);
        line.match_indices(bare).any(|(place, _)| {
            let (head, tail) = (&line[..place], &line[place + bare.len()..]);
            let longer = tail
                .strip_prefix('-')
                .is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()));
            !head.ends_with(|letter| is_part(letter) || letter == '-')
                && !tail.starts_with(is_part)
                && !longer
        })
    };
    let tells = |line: &str| {
        let line = line.to_lowercase();
        line.contains("error") || line.contains("failed")
    };
    let Some(place) = lines.iter().position(|line| tells(line) && names_it(line)) else {
        return otherwise.to_owned();
    };
    match lines.get(place + 1) {
        Some(next) if lines[place].ends_with(':') => format!("{} {next}", lines[place]),
        _ => lines[place].to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(packages: &[(&str, &[&str], bool)]) -> Installed {
        let versions = |versions: &[&str], broken| Versions {
            versions: versions.iter().map(|version| (*version).to_owned()).collect(),
            broken,
            held: false,
        };
        packages.iter().map(|(name, all, broken)| ((*name).to_owned(), versions(all, *broken))).collect()
    }

    fn update(name: &str, security: bool, kept_back: Option<&str>) -> Available {
        let kept_back = kept_back.map(str::to_owned);
        Available { name: name.to_owned(), version: "2".to_owned(), security, kept_back }
    }

    #[test]
    fn the_databases_decide() {
        let before = installed(&[
            ("held", &["1"], false),
            ("kernel.x86_64", &["1", "1.5"], false),
            ("optional", &["1"], false),
            ("replaced", &["1"], false),
            ("same", &["1"], false),
            ("stubborn", &["1"], false),
            ("unfinished", &["1"], false),
            ("updated", &["1"], false),
        ]);
        let after = installed(&[
            ("held", &["1"], false),
            ("kernel.x86_64", &["1.5", "2"], false),
            ("needed", &["7"], false),
            ("optional", &["1"], false),
            ("same", &["1"], false),
            ("stubborn", &["1"], false),
            ("unfinished", &["2"], true),
            ("updated", &["2"], false),
        ]);
        let updates = vec![
            update("held", true, Some("it is on hold")),
            update("kernel.x86_64", true, None),
            update("optional", false, None),
            update("stubborn", true, None),
            update("unfinished", true, None),
            update("updated", true, None),
        ];
        let said = "Setting up x (1) ...\ndpkg: error processing package unfinished (--configure):\n its script failed\n\
                    error: stubborn-dev-2: other\nerror: stubborn-2: no room\n";
        let packages = packages(&before, &after, &Selection::new(updates, true), said);
        let told: Vec<_> = packages
            .iter()
            .map(|package| {
                let (was, is) = (package.previous_version.as_str(), package.version.as_str());
                (package.name.as_str(), was, is, package.change(), package.security, package.reason.as_str())
            })
            .collect();
        let optional = "it is optional: it closes no hole that is known";
        let unfinished = "dpkg: error processing package unfinished (--configure): its script failed";
        assert_eq!(
            told,
            [
                ("held", "1", "2", Change::Skipped, true, "it is on hold"),
                ("kernel.x86_64", "1.5", "2", Change::Updated, true, ""),
                ("needed", "", "7", Change::Installed, false, ""),
                ("optional", "1", "2", Change::Skipped, false, optional),
                ("replaced", "1", "", Change::Removed, false, ""),
                ("stubborn", "1", "2", Change::Failed, true, "error: stubborn-2: no room"),
                ("unfinished", "1", "2", Change::Failed, true, unfinished),
                ("updated", "1", "2", Change::Updated, true, ""),
            ]
        );
    }
}
