//! zypper.
//!
//! Which updates close a hole is told by the patches of the repositories. openSUSE Tumbleweed has none: there zypper
//! cannot tell, and the whole distribution is what is updated (`dist-upgrade`).

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

// Exit codes, as the manual page names them.
const ERR_ZYPP_LOCKED: i32 = 7;
const INF_REBOOT_NEEDED: i32 = 102;
const INF_RESTART_NEEDED: i32 = 103;

/// Whether an installation that ended with this exit code went well: 103 says that zypper itself was updated.
pub(super) fn succeeded(code: i32) -> bool {
    [0, INF_REBOOT_NEEDED, INF_RESTART_NEEDED].contains(&code)
}

fn zypper(tools: &Tools<'_>) -> Command {
    let path = tools.system.program("zypper");
    let mut command = command(tools.system, path.as_deref().unwrap_or(Path::new("/usr/bin/zypper")));
    // A kernel is installed though it runs only after a restart.
    command.args(["--non-interactive", "--non-interactive-include-reboot-patches"]);
    command
}

fn is_busy(ended: &Ended) -> bool {
    ended.code == ERR_ZYPP_LOCKED
}

/// Asks all repositories.
pub(super) fn refresh(tools: &Tools<'_>) -> Result<i32, Failure> {
    let mut command = zypper(tools);
    let ended = tools.run_when_free(command.arg("refresh"), Stop::AtAnyTime, is_busy, &mut || {})?;
    match ended.code {
        0 => Ok(0),
        _ => Err(of_step("asking the repositories for updates", &ended)),
    }
}

/// What updates everything: on a rolling distribution, `update` would leave what changed its vendor or its name.
fn everything(tools: &Tools<'_>) -> &'static str {
    let rolling = ["opensuse-tumbleweed", "opensuse-slowroll"];
    let of_it = tools.system.distributions();
    if of_it.first().is_some_and(|id| rolling.contains(&id.as_str())) { "dist-upgrade" } else { "update" }
}

const SECURITY: [&str; 3] = ["patch", "--category", "security"];

/// What can be updated.
pub(super) fn offer(tools: &Tools<'_>) -> Result<Offer, Failure> {
    let ask = |arguments: &[&str]| {
        let ended = tools.query(zypper(tools).args(["--xmlout", "--no-refresh"]).args(arguments))?;
        // 100 and 101 say that there are patches.
        match ended.code {
            0 | 100..=INF_RESTART_NEEDED => Ok(ended.said),
            _ => Err(of_step("looking for what can be updated", &ended)),
        }
    };
    let dry = ["--dry-run", "--auto-agree-with-licenses"];
    let all = ask(&[&[everything(tools)], dry.as_slice()].concat())?;
    let security = ask(&[SECURITY.as_slice(), dry.as_slice()].concat())?;
    let patches = ask(&["list-patches", "--all"])?;
    Ok(read_offer(&all, &security, &patches))
}

fn read_offer(all: &str, security: &str, patches: &str) -> Offer {
    let upgraded = |text: &str| -> Vec<(String, String)> {
        let upgrades = text.split_once("<to-upgrade>").and_then(|(_, rest)| rest.split_once("</to-upgrade>"));
        let packages = elements(upgrades.map_or("", |(upgrades, _)| upgrades), "solvable");
        packages
            .filter(|package| attribute(package, "type").as_deref() == Some("package"))
            .filter_map(|package| {
                let name = format!("{}.{}", attribute(package, "name")?, attribute(package, "arch")?);
                Some((name, without_zero_epoch(&attribute(package, "edition")?).to_owned()))
            })
            .collect()
    };
    let security: BTreeSet<String> = upgraded(security).into_iter().map(|(name, _)| name).collect();
    let updates = upgraded(all)
        .into_iter()
        .map(|(name, version)| {
            let security = security.contains(&name);
            Available { name, version, security, kept_back: None }
        })
        .collect();
    let tells_security =
        elements(patches, "update").any(|patch| attribute(patch, "kind").as_deref() == Some("patch"));
    Offer { updates, tells_security }
}

/// The start tags of elements of this name, without their brackets.
fn elements<'a>(text: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let begin = format!("<{name} ");
    let parts: Vec<&str> = text.split(&begin).skip(1).collect();
    parts.into_iter().filter_map(|part| part.split('>').next())
}

/// An attribute of a start tag. zypper writes it in double quotes, with `>` as an entity.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let begin = format!("{name}=\"");
    let places = tag.match_indices(&begin);
    let place = places.into_iter().find(|(place, _)| *place == 0 || tag[..*place].ends_with(' '))?.0;
    let value = tag[place + begin.len()..].split('"').next()?;
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    Some(entities.iter().fold(value.to_owned(), |value, (entity, letter)| value.replace(entity, letter)))
}

fn update(tools: &Tools<'_>, selection: &Selection) -> Command {
    let mut command = zypper(tools);
    match selection.security_only {
        true => command.args(SECURITY),
        false => command.arg(everything(tools)),
    };
    command.arg("--auto-agree-with-licenses");
    command
}

/// Fetches what the installation will need.
pub(super) fn download(tools: &Tools<'_>, selection: &Selection) -> Result<i32, Failure> {
    let mut command = update(tools, selection);
    let ended = tools.run_when_free(command.arg("--download-only"), Stop::AtAnyTime, is_busy, &mut || {})?;
    match ended.code {
        code if succeeded(code) => Ok(code),
        _ => Err(of_step("downloading", &ended)),
    }
}

/// Installs. When zypper updated itself, it has left the rest for a second time.
pub(super) fn install(tools: &Tools<'_>, selection: &Selection) -> Result<Ended, Failure> {
    let mut command = update(tools, selection);
    let ended = tools.run_when_free(&mut command, Stop::Never, is_busy, &mut || {})?;
    match ended.code {
        INF_RESTART_NEEDED => tools.run_when_free(&mut command, Stop::Never, is_busy, &mut || {}),
        _ => Ok(ended),
    }
}

/// Asks zypper.
pub(super) fn restart_pending(tools: &Tools<'_>) -> Option<String> {
    let ended = tools.query(zypper(tools).arg("needs-rebooting")).ok()?;
    (ended.code == INF_REBOOT_NEEDED).then(|| "zypper needs-rebooting says so".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As zypper 1.14.42 wrote it.
    const ALL: &str = r#"<?xml version='1.0'?>
<stream>
<message type="info">Reading installed packages...</message>
<install-summary download-size="22068" space-usage-diff="0" packages-to-change="4">
<to-upgrade>
<solvable type="package" name="gh-a" edition="2-1" arch="noarch" edition-old="1-1" arch-old="noarch" summary="a &gt; b">
<description>t</description></solvable>
<solvable type="package" name="gh-b" edition="0:2-1" arch="noarch" edition-old="1-1" arch-old="noarch" summary="t">
<description>t</description></solvable>
</to-upgrade>
<to-install>
<solvable type="package" name="gh-new" edition="1-1" arch="noarch" summary="t">
<description>t</description></solvable>
</to-install>
</install-summary>
"#;
    const SECURITY: &str = r#"<install-summary download-size="1" space-usage-diff="0" packages-to-change="2">
<to-upgrade>
<solvable type="package" name="gh-b" edition="2-1" arch="noarch" edition-old="1-1" arch-old="noarch" summary="t">
<description>t</description></solvable>
</to-upgrade>
<to-install>
<solvable type="patch" name="GH-2026:1" edition="1" arch="noarch" summary="hole">
<description>d</description></solvable>
</to-install>
"#;
    const PATCHES: &str = r#"<update-status version="0.6">
<update-list>
<update kind="patch" name="GH-2026:1" edition="1" arch="noarch" status="needed" category="security"><summary>hole</summary></update></update-list>
"#;

    #[test]
    fn offers() {
        let offer = read_offer(ALL, SECURITY, PATCHES);
        let updates = offer.updates.iter();
        let told: Vec<_> =
            updates.map(|update| format!("{} {} {}", update.name, update.version, update.security)).collect();
        assert_eq!(told, ["gh-a.noarch 2-1 false", "gh-b.noarch 2-1 true"]);
        assert!(offer.tells_security);
        assert_eq!(read_offer("<stream></stream>", "", "<update-list>\n</update-list>"), Offer::default());
    }
}
