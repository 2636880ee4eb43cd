//! What is installed, where packages are those of rpm.

use std::{path::Path, process::Command};

use super::{
    diagnosis::of_step,
    manager::{Installed, Versions},
};
use crate::{
    outcome::Failure,
    system::{Ended, Tools, command},
};

/// What rpm has, under `name.architecture`. Some packages may be there in several versions, oldest first.
pub(super) fn installed(tools: &Tools<'_>) -> Result<Installed, Failure> {
    let Some(rpm) = tools.system.program("rpm") else {
        return Err(Failure::new("PACKAGE_MANAGER_FAILED", "the program rpm is missing"));
    };
    let format = r"%{NAME}.%{ARCH}\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\t%{INSTALLTIME}\n";
    let ended = tools.query(command(tools.system, rpm).args(["-qa", "--qf", format]))?;
    match ended.code {
        0 => Ok(read_installed(&ended.said)),
        _ => Err(of_step("reading what is installed", &ended)),
    }
}

fn read_installed(text: &str) -> Installed {
    let mut lines: Vec<(&str, &str, u64)> = text
        .lines()
        .filter_map(|line| {
            let mut fields = line.split('\t');
            Some((fields.next()?, fields.next()?, fields.next()?.parse().ok()?))
        })
        .collect();
    lines.sort_by_key(|(.., time)| *time);
    let mut installed = Installed::new();
    for (name, version, _) in lines {
        let versions: &mut Versions = installed.entry(name.to_owned()).or_default();
        versions.versions.push(without_zero_epoch(version).to_owned());
    }
    // Keys of repositories are kept as packages that belong to no repository.
    installed.retain(|name, _| !name.starts_with("gpg-pubkey."));
    installed
}

/// rpm removes what it is told and nothing that depends on it.
pub(super) fn removal(tools: &Tools<'_>) -> Command {
    let path = tools.system.program("rpm");
    let mut command = command(tools.system, path.as_deref().unwrap_or(Path::new("/usr/bin/rpm")));
    command.arg("--erase");
    command
}

pub(super) fn is_busy(ended: &Ended) -> bool {
    ended.code != 0 && ended.said.contains("can't create transaction lock")
}

/// An epoch of 0 is the same as none; programs differ in whether they write it.
pub(super) fn without_zero_epoch(version: &str) -> &str {
    version.strip_prefix("0:").unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rpm_has() {
        let text = "kernel.x86_64\t5.14.0-2.el9\t200\nkernel.x86_64\t5.14.0-1.el9\t100\nbind.x86_64\t32:9.16-1\t5\n\
                    gpg-pubkey.(none)\t1-2\t7\nzero.noarch\t0:1-1\t9\n";
        let installed = read_installed(text);
        let told: Vec<_> = installed
            .iter()
            .map(|(name, versions)| format!("{name} {}", versions.versions.join(",")))
            .collect();
        let expected =
            ["bind.x86_64 32:9.16-1", "kernel.x86_64 5.14.0-1.el9,5.14.0-2.el9", "zero.noarch 1-1"];
        assert_eq!(told, expected);
    }
}
