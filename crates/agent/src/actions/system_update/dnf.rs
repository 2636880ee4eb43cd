//! dnf, version 4 and version 5: only what both understand is used.
//!
//! Which updates close a hole is told by the advisories of the repositories (updateinfo). Some distributions publish
//! none; there dnf cannot tell.

use std::{collections::BTreeSet, path::Path, process::Command};

use super::{
    diagnosis::of_step,
    manager::{Available, Offer, Selection},
    rpm::without_zero_epoch,
};
use crate::{
    outcome::Failure,
    system::{Ended, Stop, Tools, command},
};

fn dnf(tools: &Tools<'_>) -> Command {
    let path = tools.system.program("dnf").or_else(|| tools.system.program("dnf5"));
    let mut command = command(tools.system, path.as_deref().unwrap_or(Path::new("/usr/bin/dnf")));
    command.arg("-y");
    command
}

/// dnf waits for its lock by itself, without a bound, unless it is told to fail.
const NO_WAIT: &str = "--setopt=exit_on_lock=1";

fn is_busy(ended: &Ended) -> bool {
    // Of version 4, of version 5, of rpm below both.
    let marks = ["already locked by", "rpm transaction lock", "can't create transaction lock"];
    ended.code != 0 && marks.iter().any(|mark| ended.said.contains(mark))
}

/// Asks all repositories. One that cannot be reached counts, even where dnf is set up to do without it.
pub(super) fn refresh(tools: &Tools<'_>) -> Result<i32, Failure> {
    let mut command = dnf(tools);
    command.args([NO_WAIT, "--setopt=*.skip_if_unavailable=0", "--refresh", "makecache"]);
    let ended = tools.run_when_free(&mut command, Stop::AtAnyTime, is_busy, &mut || {})?;
    match ended.code {
        0 => Ok(0),
        _ => Err(of_step("asking the repositories for updates", &ended)),
    }
}

/// What can be updated.
pub(super) fn offer(tools: &Tools<'_>) -> Result<Offer, Failure> {
    let ask = |arguments: &[&str]| {
        let ended = tools.query(dnf(tools).args(["-q", "--cacheonly"]).args(arguments))?;
        if ended.code == 0 { Ok(ended.said) } else { Err(of_step("looking for what can be updated", &ended)) }
    };
    // Version 4 ends a line by itself, version 5 does not: an empty line more does no harm.
    let format = "--queryformat=%{name}.%{arch}\\t%{evr}\\n";
    let all = ask(&["repoquery", "--upgrades", format])?;
    let security = ask(&["repoquery", "--upgrades", "--security", format])?;
    let advisories = ask(&["updateinfo", "list", "--all"])?;
    Ok(read_offer(&all, &security, &advisories))
}

fn read_offer(all: &str, security: &str, advisories: &str) -> Offer {
    // The newest version of a package stands last, where there are several.
    let read = |text: &str| -> Vec<(String, String)> {
        let lines = text.lines().filter_map(|line| line.trim().split_once('\t'));
        lines.map(|(name, version)| (name.to_owned(), without_zero_epoch(version).to_owned())).collect()
    };
    let security: BTreeSet<String> = read(security).into_iter().map(|(name, _)| name).collect();
    let mut updates: Vec<Available> = Vec::new();
    for (name, version) in read(all) {
        match updates.iter_mut().find(|update| update.name == name) {
            Some(update) => update.version = version,
            None => {
                let security = security.contains(&name);
                updates.push(Available { name, version, security, kept_back: None });
            }
        }
    }
    // Version 5 writes a headline.
    let tells_security = advisories.lines().any(|line| !line.trim().is_empty() && !line.starts_with("Name "));
    Offer { updates, tells_security }
}

fn upgrade(tools: &Tools<'_>, selection: &Selection) -> Command {
    let mut command = dnf(tools);
    command.args([NO_WAIT, "upgrade"]).args(selection.security_only.then_some("--security"));
    command
}

/// Fetches what the installation will need.
pub(super) fn download(tools: &Tools<'_>, selection: &Selection) -> Result<i32, Failure> {
    let mut command = upgrade(tools, selection);
    let ended = tools.run_when_free(command.arg("--downloadonly"), Stop::AtAnyTime, is_busy, &mut || {})?;
    match ended.code {
        0 => Ok(0),
        _ => Err(of_step("downloading", &ended)),
    }
}

/// Installs.
pub(super) fn install(tools: &Tools<'_>, selection: &Selection) -> Result<Ended, Failure> {
    tools.run_when_free(&mut upgrade(tools, selection), Stop::Never, is_busy, &mut || {})
}

/// Asks `needs-restarting`, which is a part of dnf that need not be installed.
pub(super) fn restart_pending(tools: &Tools<'_>) -> Option<String> {
    let ended = tools.query(dnf(tools).args(["-q", "--cacheonly", "needs-restarting", "-r"])).ok()?;
    let required = ended.code == 1 && ended.said.contains("Reboot is required");
    required.then(|| "dnf needs-restarting says so".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(offer: &Offer) -> Vec<String> {
        let updates = offer.updates.iter();
        updates.map(|update| format!("{} {} {}", update.name, update.version, update.security)).collect()
    }

    /// As dnf 4.14 wrote it; version 5 differs in the empty lines and the headline.
    #[test]
    fn offers() {
        let all = "gh-a.noarch\t2-1\n\ngh-b.noarch\t0:2-1\n\ngh-b.noarch\t3-1\n\n";
        let advisories = "  GH-2026:1 Important/Sec. gh-b-2-1.noarch\n";
        let offer = read_offer(all, "gh-b.noarch\t2-1\n", advisories);
        assert_eq!(told(&offer), ["gh-a.noarch 2-1 false", "gh-b.noarch 3-1 true"]);
        assert!(offer.tells_security);
        assert!(!read_offer(all, "", "\n").tells_security);
        assert!(!read_offer(all, "", "Name Type Severity Package Issued\n").tells_security);
        let five = "Name      Type     Severity  Package           Issued\nGH-2026:1 security Important gh-b-2-1.noarch 2026\n";
        assert!(read_offer(all, "", five).tells_security);
    }
}
