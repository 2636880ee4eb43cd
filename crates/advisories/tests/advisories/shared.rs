//! Whole databases, where they are at hand: those of Go, of Python and of Rust.

use std::path::PathBuf;

use crate::support::Place;

/// The folder with the databases; `None`, and a message, where it is not.
fn databases() -> Option<PathBuf> {
    let named = std::env::var_os("GUARDHOUSE_SHARED").map(PathBuf::from);
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = named.unwrap_or_else(beside).join("data/advisories");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("SKIPPED: {} is not there; GUARDHOUSE_SHARED names another folder", folder.display());
    None
}

#[test]
fn whole_databases_are_read_without_a_loss() {
    let Some(folder) = databases() else { return };
    let place = Place::new();
    for (file, advisories, left_out) in [
        ("go-osv.zip", 4_274, &[("withdrawn", 17)][..]),
        ("pypi-osv.zip", 2_651, &[("withdrawn", 10)]),
        (
            "rustsec-advisory-db.tar.gz",
            928,
            &[
                ("about Rust's own tools, not about a crate", 20),
                ("no vulnerability: unmaintained, or a notice", 264),
                ("withdrawn", 13),
            ],
        ),
    ] {
        let summary = place.import_path(&folder.join(file));
        assert_eq!((summary.source.skipped, &summary.skipped), (0, &vec![]), "{file}");
        assert_eq!(summary.source.advisories, advisories, "{file}");
        let counted: Vec<(&str, u64)> = summary.left_out.into_iter().collect();
        assert_eq!(counted, left_out, "{file}");
    }
}
