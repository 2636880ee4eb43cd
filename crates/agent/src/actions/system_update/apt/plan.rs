//! What apt would do, and how updates that are not wanted are kept out of it.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use super::{
    super::{diagnosis::of_step, manager::Selection},
    apt_get,
};
use crate::{outcome::Failure, system::Tools, workplace::Workplace};

/// The folder of pins for this run: those of the system and our own.
fn folder(workplace: &Workplace) -> PathBuf {
    workplace.folder.path().join("preferences.d")
}

/// The options by which apt uses the pins of this run.
pub(super) fn pins(workplace: &Workplace) -> [String; 2] {
    ["-o".to_owned(), format!("Dir::Etc::PreferencesParts={}/", folder(workplace).display())]
}

/// Pins the updates that are not wanted, but for those without which one that is wanted cannot be installed.
pub(super) fn pin(tools: &Tools<'_>, selection: &Selection) -> Result<(), Failure> {
    if !selection.security_only {
        return Ok(());
    }
    let mut pinned: BTreeSet<&str> = selection.unwanted.iter().map(|update| update.name.as_str()).collect();
    write(tools, &pinned)?;
    let planned = inst(&simulate(tools, Some(tools.workplace))?);
    let missing: Vec<_> = selection.wanted.iter().filter(|update| !planned.contains(&update.name)).collect();
    for update in missing {
        let mut command = apt_get(tools);
        command.args(["-s", "--no-remove", "--only-upgrade", "install"]);
        let ended = tools.query(command.arg(format!("{}={}", update.name, update.version)))?;
        if ended.code == 0 {
            let needed = inst(&ended.said);
            pinned.retain(|name| !needed.contains(*name));
        }
    }
    write(tools, &pinned)
}

fn write(tools: &Tools<'_>, pinned: &BTreeSet<&str>) -> Result<(), Failure> {
    let folder = folder(tools.workplace);
    let of_system = tools.system.names("/etc/apt/preferences.d");
    let written = || -> io::Result<()> {
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir(&folder)?,
        }
        for name in of_system {
            symlink(Path::new("/etc/apt/preferences.d").join(&name), folder.join(&name))?;
        }
        let mut text = String::new();
        for name in pinned {
            // No version has this priority but the installed one: the package stays as it is.
            let _ = writeln!(text, "Package: {name}\nPin: release *\nPin-Priority: -1\n");
        }
        fs::write(folder.join("00-guardhouse.pref"), text)
    };
    written().map_err(|error| {
        Failure::new("OUTPUT_LOST", format!("the folder of the run cannot be used: {error}"))
    })
}

/// What `upgrade` would do, with the pins of a run or without.
pub(super) fn simulate(tools: &Tools<'_>, pinned_for: Option<&Workplace>) -> Result<String, Failure> {
    let mut command = apt_get(tools);
    command.args(pinned_for.map(pins).into_iter().flatten()).args(["-s", "upgrade", "--with-new-pkgs"]);
    let ended = tools.query(&mut command)?;
    match ended.code {
        0 => Ok(ended.said),
        _ => Err(of_step("looking for what can be updated", &ended)),
    }
}

/// The packages that a simulation installs.
fn inst(said: &str) -> BTreeSet<String> {
    let lines = said.lines().filter_map(|line| line.strip_prefix("Inst "));
    lines.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// The packages that a simulation leaves for later, because not every device is to have them at once (Ubuntu).
pub(super) fn phased(said: &str) -> BTreeSet<String> {
    let lines = said.lines().skip_while(|line| !line.contains("deferred due to phasing")).skip(1);
    lines
        .take_while(|line| line.starts_with(' '))
        .flat_map(str::split_whitespace)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first from apt 2.6; the headline of the second from the source of apt 2.4.
    #[test]
    fn simulations() {
        let said = "Reading package lists...\nInst gh-a [1] (2 Debian:stable [all])\nInst gh-new (1 Debian:stable [all])\n\
                    Conf gh-a (2 Debian:stable [all])\n";
        assert_eq!(inst(said), ["gh-a", "gh-new"].map(str::to_owned).into());
        let said = "Calculating upgrade...\nThe following upgrades have been deferred due to phasing:\n  grub-common\n  \
                    grub-pc snapd\nThe following packages will be upgraded:\n  bash\n";
        assert_eq!(phased(said), ["grub-common", "grub-pc", "snapd"].map(str::to_owned).into());
        assert!(phased("nothing").is_empty());
    }
}
