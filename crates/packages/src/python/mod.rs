//! Python: metadata of what is installed, requirements that are pinned, and the lock files of Poetry, uv, PDM, Pipenv and
//! PEP 751.
//!
//! Names are normalised (PEP 503). Wheels that lie about (`ensurepip` keeps two) are not installed and not read, and neither
//! are Conda's own records, whose packages are not those of PyPI.

mod metadata;
mod pipfile;
mod requirements;
mod toml_locks;

use crate::{Class, Format};

/// The formats of Python.
pub const FORMATS: &[Format] = &[
    Format {
        name: "python-metadata",
        class: Class::Language,
        claims: |claim| metadata::is_metadata(claim.path),
        read: metadata::read,
    },
    Format {
        name: "requirements.txt",
        class: Class::Language,
        claims: |claim| claim.path.ends_with(b".txt") && requirements::is_requirements(claim.path),
        read: requirements::read,
    },
    Format {
        name: "poetry.lock",
        class: Class::Language,
        claims: |claim| claim.path.ends_with(b"/poetry.lock") && !in_installed_package(claim.path),
        read: toml_locks::read_package,
    },
    Format {
        name: "uv.lock",
        class: Class::Language,
        claims: |claim| claim.path.ends_with(b"/uv.lock") && !in_installed_package(claim.path),
        read: toml_locks::read_package,
    },
    Format {
        name: "pdm.lock",
        class: Class::Language,
        claims: |claim| claim.path.ends_with(b"/pdm.lock") && !in_installed_package(claim.path),
        read: toml_locks::read_package,
    },
    Format {
        name: "pylock.toml",
        class: Class::Language,
        claims: |claim| {
            claim.path.ends_with(b".toml")
                && toml_locks::is_pylock(claim.path)
                && !in_installed_package(claim.path)
        },
        read: toml_locks::read_packages,
    },
    Format {
        name: "Pipfile.lock",
        class: Class::Language,
        claims: |claim| claim.path.ends_with(b"/Pipfile.lock") && !in_installed_package(claim.path),
        read: pipfile::read,
    },
];

/// What was published with a package says what its developers used; what the package uses is installed beside it.
fn in_installed_package(path: &[u8]) -> bool {
    path.split(|byte| *byte == b'/').any(|folder| folder == b"site-packages" || folder == b"dist-packages")
}

/// The name as PEP 503 normalises it: lower case, and `-` for each run of `-`, `_` and `.`.
fn normalised(name: &str) -> String {
    let mut normalised = String::with_capacity(name.len());
    for character in name.trim().chars() {
        if matches!(character, '-' | '_' | '.') {
            if !normalised.ends_with('-') {
                normalised.push('-');
            }
        } else {
            normalised.push(character.to_ascii_lowercase());
        }
    }
    normalised
}

#[cfg(test)]
mod tests {
    use super::normalised;

    #[test]
    fn names_are_normalised() {
        // The examples of PEP 503.
        for name in [
            "friendly-bard",
            "Friendly-Bard",
            "friendly.bard",
            "friendly_bard",
            "friendly--bard",
            "FrIeNdLy-._.-bArD",
        ] {
            assert_eq!(normalised(name), "friendly-bard");
        }
    }
}
