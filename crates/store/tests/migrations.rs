//! Stores of every earlier version come up to date with everything in them, on both engines.

#[path = "migrations/agentless.rs"]
mod agentless;
#[path = "migrations/agentless_selections.rs"]
mod agentless_selections;
#[path = "migrations/agentless_snapshots.rs"]
mod agentless_snapshots;
#[path = "migrations/agents.rs"]
mod agents;
#[path = "migrations/findings.rs"]
mod findings;
#[path = "migrations/postgres.rs"]
mod postgres;
#[path = "migrations/rows.rs"]
mod rows;
#[path = "migrations/sqlite.rs"]
mod sqlite;
#[path = "migrations/vulnerabilities.rs"]
mod vulnerabilities;

use std::{fs, path::Path};

/// The steps of an engine, oldest first, as they stand in the repository.
fn steps(engine: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(engine);
    let files = fs::read_dir(folder).expect("the folder of the engine");
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    files.into_iter().map(|file| fs::read_to_string(file).expect("a step")).collect()
}

#[test]
fn both_engines_have_the_same_versions() {
    assert_eq!(steps("sqlite").len(), steps("postgres").len());
}
