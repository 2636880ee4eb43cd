//! How the agent came onto this machine, and how it goes again.

use std::{
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{CONFIGURATION, ISOLATION_UNIT, PROGRAM, UNIT, UNIT_FOLDER, UNITS, systemd};
use crate::{durable, state::DEFAULT_STATE_DIR};

/// How an agent is on a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installation {
    /// A package of this name brought it.
    Package(String),
    /// `guardhouse-agent install` brought it.
    Files,
    /// It was started by hand: there is nothing but its state.
    Bare,
}

impl Installation {
    /// How the agent with this state folder, which is this process or started it, is on the machine.
    #[must_use]
    pub fn of(state: &Path) -> Self {
        // An agent that somebody tries out beside the installed one must not take that one along.
        match systemd::is_in_unit() || state == Path::new(DEFAULT_STATE_DIR) {
            true => Self::find(),
            false => Self::Bare,
        }
    }

    /// How an agent is installed on the machine.
    #[must_use]
    pub fn find() -> Self {
        if let Some(package) = package_of(Path::new(PROGRAM)) {
            return Self::Package(package);
        }
        if unit_file(UNIT).exists() {
            return Self::Files;
        }
        // Of a package that was removed but not purged, or whose removal was interrupted, the settings are left.
        package_of(Path::new(CONFIGURATION)).map_or(Self::Bare, Self::Package)
    }

    /// What goes with the agent, for people.
    #[must_use]
    pub fn describe(&self, state: &Path) -> Vec<String> {
        let mut parts = match self {
            Self::Package(name) => {
                vec![format!("package {name}"), format!("unit {UNIT}"), format!("unit {ISOLATION_UNIT}")]
            }
            Self::Files => vec![PROGRAM.to_owned(), format!("unit {UNIT}"), format!("unit {ISOLATION_UNIT}")],
            Self::Bare => Vec::new(),
        };
        if *self != Self::Bare {
            parts.push(CONFIGURATION.to_owned());
        }
        parts.push(state.display().to_string());
        parts
    }
}

/// The package to which a file belongs, where the machine has packages of Debian.
fn package_of(file: &Path) -> Option<String> {
    let asked = Command::new("dpkg-query").arg("--search").arg(file).stdin(Stdio::null()).output().ok()?;
    let answer = String::from_utf8(asked.stdout).ok().filter(|_| asked.status.success())?;
    owner(&answer)
}

/// The package in an answer such as `guardhouse-agent: /usr/bin/guardhouse-agent`. Diversions are named like packages
/// and are none.
fn owner(answer: &str) -> Option<String> {
    let mut packages = answer.lines().filter(|line| !line.starts_with("diversion "));
    let (owners, _) = packages.next_back()?.split_once(": ")?;
    let (name, _) = owners.split_once([',', ':']).unwrap_or((owners, ""));
    Some(name.to_owned())
}

/// Where a unit lies that no package brought.
pub(super) fn unit_file(unit: &str) -> PathBuf {
    Path::new(UNIT_FOLDER).join(unit)
}

/// Where the drop-ins of a unit lie.
pub(super) fn drop_in_folder(unit: &str) -> PathBuf {
    unit_file(&format!("{unit}.d"))
}

/// Removes the units and the program that `install` brought. Calling it again goes on where it stopped.
pub(super) fn remove_files() -> io::Result<()> {
    for (unit, _) in UNITS {
        durable::remove(&unit_file(unit))?;
        durable::remove(&drop_in_folder(unit))?;
    }
    durable::remove(Path::new(PROGRAM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_of_a_file_is_read() {
        let table = [
            ("guardhouse-agent: /usr/bin/guardhouse-agent\n", Some("guardhouse-agent")),
            ("guardhouse-agent:arm64: /usr/bin/guardhouse-agent\n", Some("guardhouse-agent")),
            ("one, two: /usr/share\n", Some("one")),
            (
                "diversion by other from: /usr/bin/x\ndiversion by other to: /usr/bin/x.real\nmine: /usr/bin/x\n",
                Some("mine"),
            ),
            ("", None),
        ];
        for (answer, expected) in table {
            assert_eq!(owner(answer).as_deref(), expected, "{answer}");
        }
    }

    #[test]
    fn an_agent_that_is_tried_out_has_only_its_state() {
        let state = tempfile::tempdir().expect("a folder");
        let installation = Installation::of(state.path());
        assert_eq!(installation, Installation::Bare);
        assert_eq!(installation.describe(state.path()), [state.path().display().to_string()]);
        let package =
            Installation::Package("guardhouse-agent".to_owned()).describe(Path::new(DEFAULT_STATE_DIR));
        assert_eq!(package.first().map(String::as_str), Some("package guardhouse-agent"));
        assert_eq!(package.last().map(String::as_str), Some(DEFAULT_STATE_DIR));
    }
}
