//! pacman.
//!
//! Arch Linux has one set of packages that fit together: there are no updates of a part, and none that are marked as
//! closing a hole. To look and to download, a database in the folder of the run is used, so that a cancelled run does
//! not leave a database behind that is newer than the packages.

use std::{io, os::unix::fs::symlink, path::Path, process::Command};

use super::{
    diagnosis::of_step,
    manager::{Available, Installed, Offer, Versions},
};
use crate::{
    durable,
    outcome::Failure,
    system::{Ended, Stop, Tools, command},
};

/// Where pacman keeps what is installed.
const DATABASE: &str = "/var/lib/pacman";

/// What keeps a transaction from asking and from drawing.
const QUIET: [&str; 2] = ["--noconfirm", "--noprogressbar"];

fn pacman(tools: &Tools<'_>) -> Command {
    let path = tools.system.program("pacman");
    command(tools.system, path.as_deref().unwrap_or(Path::new("/usr/bin/pacman")))
}

/// pacman at the database in the folder of the run.
fn beside(tools: &Tools<'_>) -> Command {
    let mut command = pacman(tools);
    command.arg("--dbpath").arg(tools.workplace.folder.path().join("database"));
    command.args(["--logfile", "/dev/null"]);
    command
}

pub(super) fn is_busy(ended: &Ended) -> bool {
    ended.code != 0 && ended.said.contains("unable to lock database")
}

/// Asks all repositories.
pub(super) fn refresh(tools: &Tools<'_>) -> Result<i32, Failure> {
    let database = tools.workplace.folder.path().join("database");
    let made = || -> io::Result<()> {
        durable::create_folder(&database)?;
        symlink(Path::new(DATABASE).join("local"), database.join("local"))
    };
    made().map_err(|error| {
        Failure::new("OUTPUT_LOST", format!("the folder of the run cannot be used: {error}"))
    })?;
    let ended = tools.run(beside(tools).arg("-Sy").args(QUIET), Stop::AtAnyTime, &mut || {})?;
    match ended.code {
        0 => Ok(0),
        _ => Err(of_step("asking the repositories for updates", &ended)),
    }
}

/// What pacman has.
pub(super) fn installed(tools: &Tools<'_>) -> Result<Installed, Failure> {
    let ended = tools.query(pacman(tools).arg("-Q"))?;
    let lines = ended.said.lines().filter_map(|line| line.split_once(' '));
    let versions = |version: &str| Versions { versions: vec![version.to_owned()], ..Default::default() };
    let installed: Installed = lines.map(|(name, version)| (name.to_owned(), versions(version))).collect();
    match (ended.code, installed.is_empty()) {
        (0, false) => Ok(installed),
        _ => Err(of_step("reading what is installed", &ended)),
    }
}

/// What can be updated.
pub(super) fn offer(tools: &Tools<'_>) -> Result<Offer, Failure> {
    let ended = tools.query(beside(tools).arg("-Qu"))?;
    match (ended.code, ended.said.trim().is_empty()) {
        // That is how it says that there is nothing.
        (0, _) | (1, true) => Ok(Offer { updates: read_updates(&ended.said), tells_security: false }),
        _ => Err(of_step("looking for what can be updated", &ended)),
    }
}

fn read_updates(text: &str) -> Vec<Available> {
    let ignored = || "it is to be ignored on the device (IgnorePkg in pacman.conf)".to_owned();
    let read = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, _, "->", version, rest @ ..] = &words[..] else { return None };
        let kept_back = (*rest == ["[ignored]"]).then(ignored);
        Some(Available {
            name: (*name).to_owned(),
            version: (*version).to_owned(),
            security: false,
            kept_back,
        })
    };
    text.lines().filter_map(read).collect()
}

/// Fetches what the installation will need, into the cache of the system.
pub(super) fn download(tools: &Tools<'_>) -> Result<i32, Failure> {
    let ended = tools.run(beside(tools).arg("-Suw").args(QUIET), Stop::AtAnyTime, &mut || {})?;
    match ended.code {
        0 => Ok(0),
        _ => Err(of_step("downloading", &ended)),
    }
}

/// Installs.
pub(super) fn install(tools: &Tools<'_>) -> Result<Ended, Failure> {
    let mut command = pacman(tools);
    command.arg("-Syu").args(QUIET);
    tools.run_when_free(&mut command, Stop::Never, is_busy, &mut || {})
}

/// Removes what nothing else needs.
pub(super) fn removal(tools: &Tools<'_>) -> Command {
    let mut command = pacman(tools);
    command.args(["-Rn", "--noconfirm"]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As pacman 6.0.2 wrote it; the mark of the last line is from its source.
    #[test]
    fn offers() {
        let updates = read_updates("gh-a 1-1 -> 2-1\ngh-b 1:1-1 -> 1:2-1\nlinux 6.9-1 -> 6.10-1 [ignored]\n");
        let told: Vec<_> = updates
            .iter()
            .map(|update| (update.name.as_str(), update.version.as_str(), update.kept_back.is_some()))
            .collect();
        assert_eq!(told, [("gh-a", "2-1", false), ("gh-b", "1:2-1", false), ("linux", "6.10-1", true)]);
    }
}
