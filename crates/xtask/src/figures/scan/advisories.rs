//! A store of advisories as large as a Debian's, made for the machine that is scanned.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Map, Value, json};

use super::{super::setup::Setup, done};

/// Advisories for every source package; Debian's tracker has about 60,000 in all, half of them for a release.
const PER_PACKAGE: usize = 40;

/// Source packages that are not installed.
const OTHERS: usize = 3_000;

/// Writes a tracker and imports it: every package in the status of dpkg has one advisory that is about it, and others
/// that were fixed before.
///
/// # Errors
/// The import fails.
pub fn store(setup: &Setup, status: &str, folder: &Path) -> anyhow::Result<PathBuf> {
    let names = status.lines().filter_map(|line| line.strip_prefix("Package: ")).map(str::to_owned);
    let others = (0..OTHERS).map(|number| format!("package-{number}"));
    let tracker: Map<String, Value> =
        names.chain(others).enumerate().map(|(number, name)| (name, of_package(number))).collect();
    let file = folder.join("tracker.json");
    fs::write(&file, serde_json::to_vec(&tracker)?)?;
    let store = folder.join("advisories.db");
    let mut import = Command::new(&setup.server);
    done(import.args(["advisories", "import", "--advisories"]).arg(&store).arg(&file))?;
    Ok(store)
}

fn of_package(package: usize) -> Value {
    let advisory = |number: usize| {
        // One is open, the rest was fixed in the first version there ever was.
        let state = match number {
            0 => json!({"status": "open", "urgency": "medium"}),
            _ => json!({"status": "resolved", "fixed_version": "0.0.1-1", "urgency": "not yet assigned"}),
        };
        let id = format!("CVE-{}-{:05}", 2_000 + number % 25, package * PER_PACKAGE + number);
        (
            id,
            json!({"description": "An advisory that was made for a measurement.", "releases": {"bookworm": state}}),
        )
    };
    Value::Object((0..PER_PACKAGE).map(advisory).collect())
}
