//! apk.
//!
//! Alpine marks no update as closing a hole: a branch gets hardly any others. Packages are fetched as they are
//! installed; each is replaced as a whole.

use std::{path::Path, process::Command};

use super::{
    diagnosis::of_step,
    manager::{Available, Installed, Offer, Versions},
};
use crate::{
    outcome::Failure,
    system::{Ended, Stop, Tools, command},
};

/// Where apk keeps what is installed: since version 3, and before.
const DATABASES: [&str; 2] = ["/usr/lib/apk/db/installed", "/lib/apk/db/installed"];

fn apk(tools: &Tools<'_>) -> Command {
    let path = tools.system.program("apk");
    let mut command = command(tools.system, path.as_deref().unwrap_or(Path::new("/sbin/apk")));
    command.arg("--no-progress");
    command
}

pub(super) fn is_busy(ended: &Ended) -> bool {
    ended.code != 0 && ended.said.contains("Unable to lock database")
}

/// Asks all repositories. apk goes on without those that it does not reach; it says so.
pub(super) fn refresh(tools: &Tools<'_>) -> Result<i32, Failure> {
    let mut command = apk(tools);
    let ended = tools.run_when_free(command.arg("update"), Stop::AtAnyTime, is_busy, &mut || {})?;
    let unreachable =
        ended.said.lines().any(|line| line.starts_with("WARNING: ") || line.starts_with("ERROR: "));
    match ended.code {
        0 if !unreachable => Ok(0),
        _ => Err(of_step("asking the repositories for updates", &ended)),
    }
}

/// What apk has.
pub(super) fn installed(tools: &Tools<'_>) -> Result<Installed, Failure> {
    let text = DATABASES.iter().find_map(|path| tools.system.text(path));
    text.map(|text| read_installed(&text)).ok_or_else(|| {
        Failure::new("PACKAGE_MANAGER_FAILED", "the database of installed packages cannot be read")
    })
}

/// The database is made of paragraphs of lines `letter:value`: P is the name, V the version (apk-package(5)).
fn read_installed(text: &str) -> Installed {
    let mut installed = Installed::new();
    for paragraph in text.split("\n\n") {
        let field = |key: &str| paragraph.lines().find_map(|line| line.strip_prefix(key));
        if let (Some(name), Some(version)) = (field("P:"), field("V:")) {
            let versions = Versions { versions: vec![version.to_owned()], ..Default::default() };
            installed.insert(name.to_owned(), versions);
        }
    }
    installed
}

/// What can be updated.
pub(super) fn offer(tools: &Tools<'_>) -> Result<Offer, Failure> {
    let ended = tools.query(apk(tools).args(["upgrade", "--simulate"]))?;
    match ended.code {
        0 => Ok(Offer { updates: read_updates(&ended.said), tells_security: false }),
        _ => Err(of_step("looking for what can be updated", &ended)),
    }
}

/// Reads lines like `(2/3) Upgrading busybox (1.36.1-r2 -> 1.36.1-r5)`.
fn read_updates(text: &str) -> Vec<Available> {
    let read = |line: &str| {
        let (_, rest) = line.split_once(") Upgrading ")?;
        let (name, versions) = rest.split_once(" (")?;
        let (_, version) = versions.trim_end().strip_suffix(')')?.split_once(" -> ")?;
        Some(Available {
            name: name.to_owned(),
            version: version.to_owned(),
            security: false,
            kept_back: None,
        })
    };
    text.lines().filter_map(read).collect()
}

/// Installs.
pub(super) fn install(tools: &Tools<'_>) -> Result<Ended, Failure> {
    tools.run_when_free(apk(tools).arg("upgrade"), Stop::Never, is_busy, &mut || {})
}

/// Removes what nothing else needs.
pub(super) fn removal(tools: &Tools<'_>) -> Command {
    let mut command = apk(tools);
    command.arg("del");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In the form that the source of apk 2.14 gives it: no apk was at hand to run.
    #[test]
    fn offers() {
        let said = "(1/3) Upgrading busybox (1.36.1-r2 -> 1.36.1-r5)\n(2/3) Installing x (1-r0)\n\
                    (3/3) Upgrading ssl_client (1.36.1-r2 -> 1.36.1-r5)\nOK: 8 MiB in 15 packages\n";
        let updates = read_updates(said);
        let told: Vec<_> =
            updates.iter().map(|update| (update.name.as_str(), update.version.as_str())).collect();
        assert_eq!(told, [("busybox", "1.36.1-r5"), ("ssl_client", "1.36.1-r5")]);
    }

    #[test]
    fn what_apk_has() {
        let text = "C:Q1abc=\nP:musl\nV:1.2.4-r2\nA:x86_64\nF:lib\nR:ld-musl-x86_64.so.1\n\nC:Q1def=\nP:busybox\nV:1.36.1-r2\n";
        let installed = read_installed(text);
        let told: Vec<_> = installed
            .iter()
            .map(|(name, versions)| format!("{name} {}", versions.versions.join(",")))
            .collect();
        assert_eq!(told, ["busybox 1.36.1-r2", "musl 1.2.4-r2"]);
    }
}
