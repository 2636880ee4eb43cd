//! What the agent asks of systemd.

use std::{
    fs, io,
    path::Path,
    process::{Command, Output, Stdio},
};

use super::{UNIT, UNITS};
use crate::state::DEFAULT_STATE_DIR;

/// Why systemd did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum SystemdError {
    /// There is no `systemctl`.
    #[error("cannot start systemctl")]
    Start(#[source] io::Error),
    /// It refuses.
    #[error("\"systemctl {command}\" failed: {reason}")]
    Refused {
        /// What it was asked.
        command: String,
        /// What it says.
        reason: String,
    },
}

/// Whether systemd runs this machine.
pub(super) fn runs_this_machine() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// Whether this process belongs to the unit of the agent: it is the agent, or one of its runners.
pub(super) fn is_in_unit() -> bool {
    fs::read_to_string("/proc/self/cgroup").is_ok_and(|groups| names_unit(&groups))
}

/// Whether a list of control groups, as the kernel writes it, names the unit of the agent.
fn names_unit(groups: &str) -> bool {
    groups.lines().flat_map(|line| line.rsplit('/')).any(|part| part == UNIT)
}

/// Asks `systemctl`.
pub(super) fn systemctl<const N: usize>(arguments: [&str; N]) -> Result<(), SystemdError> {
    let asked = Command::new("systemctl").args(arguments).stdin(Stdio::null()).output();
    let Output { status, stderr, .. } = asked.map_err(SystemdError::Start)?;
    match status.success() {
        true => Ok(()),
        false => Err(SystemdError::Refused {
            command: arguments.join(" "),
            reason: String::from_utf8_lossy(&stderr).trim().to_owned(),
        }),
    }
}

/// What has to stand beside each unit so that the agent uses the state folder `state`: names of units and contents of a
/// drop-in. None for the usual folder.
pub(super) fn drop_ins(state: &Path) -> Vec<(&'static str, String)> {
    if state == Path::new(DEFAULT_STATE_DIR) {
        return Vec::new();
    }
    let changed = UNITS.map(|(unit, text)| (unit, drop_in(text, &state.to_string_lossy())));
    changed.into()
}

/// The lines of a unit that name the usual state folder, with another one: systemd forgets a list before the line that
/// sets it to nothing.
fn drop_in(unit: &str, state: &str) -> String {
    let mut lines = Vec::new();
    for line in unit.lines() {
        match line.split_once('=') {
            _ if line.starts_with('[') => lines.push(line.to_owned()),
            Some(("ConditionPathExists", path)) => {
                lines.push("ConditionPathExists=".to_owned());
                lines.push(format!(
                    "ConditionPathExists={}",
                    path.replace(DEFAULT_STATE_DIR, &specifiers(state))
                ));
            }
            Some(("RequiresMountsFor", _)) => lines.push(format!("RequiresMountsFor={}", quoted(state))),
            Some(("ExecStart", command)) => {
                lines.push("ExecStart=".to_owned());
                lines.push(format!("ExecStart={command} --state-dir {}", quoted(state)));
            }
            // It is made by who chose it.
            Some(("StateDirectory", _)) => lines.push("StateDirectory=".to_owned()),
            _ => {}
        }
    }
    lines.join("\n") + "\n"
}

/// A path as systemd reads it where nothing is split or unquoted.
fn specifiers(path: &str) -> String {
    path.replace('%', "%%")
}

/// A path as systemd reads it where words are split: the characters that mean something there are given as such.
pub(super) fn quoted(path: &str) -> String {
    let escaped = specifiers(path).replace('\\', "\\\\").replace('"', "\\\"").replace('$', "$$");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_group_tells_the_unit() {
        let table = [
            ("0::/system.slice/guardhouse-agent.service\n", true),
            ("12:pids:/x\n1:name=systemd:/system.slice/guardhouse-agent.service\n0::/\n", true),
            ("0::/system.slice/guardhouse-agent.service/below\n", true),
            ("0::/system.slice/guardhouse-agent-isolation.service\n", false),
            ("0::/user.slice/user-0.slice/session-1.scope\n", false),
            ("", false),
        ];
        for (groups, expected) in table {
            assert_eq!(names_unit(groups), expected, "{groups}");
        }
    }

    #[test]
    fn another_state_folder_is_said_in_a_drop_in() {
        assert_eq!(drop_ins(Path::new(DEFAULT_STATE_DIR)), []);
        let changed = drop_ins(Path::new("/srv/50% \"of\" $it"));
        let quoted = r#""/srv/50%% \"of\" $$it""#;
        let agent = format!(
            "[Unit]\nConditionPathExists=\nConditionPathExists=/srv/50%% \"of\" $it/identity/server.json\n[Service]\n\
             ExecStart=\nExecStart=/usr/bin/guardhouse-agent run --state-dir {quoted}\nStateDirectory=\n[Install]\n"
        );
        let isolation = format!(
            "[Unit]\nConditionPathExists=\nConditionPathExists=/srv/50%% \"of\" $it/isolation.json\n\
             RequiresMountsFor={quoted}\n[Service]\nExecStart=\n\
             ExecStart=/usr/bin/guardhouse-agent isolation restore --state-dir {quoted}\n[Install]\n"
        );
        assert_eq!(changed, [(UNIT, agent), (super::super::ISOLATION_UNIT, isolation)]);
    }
}
