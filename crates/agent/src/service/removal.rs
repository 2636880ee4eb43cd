//! How an installed agent removes itself.
//!
//! What removes it must not be part of it: not its process, which the service manager ends, not its program, which goes,
//! and not its state, which goes, too. So a copy of the program does it, in a unit of its own that a restart of the
//! machine does not stop, and that removes itself last.

use std::{
    ffi::OsStr,
    path::Path,
    process::{Command, Stdio},
};

use super::{
    InstallError,
    install::{copy_program, failed, write},
    installation::unit_file,
    systemd::{quoted, runs_this_machine, systemctl},
};
use crate::{durable, state::DEFAULT_STATE_DIR};

/// The unit that removes the agent.
const DEPARTURE_UNIT: &str = "guardhouse-agent-departure.service";

/// What it says for the usual state folder.
const DEPARTURE_TEXT: &str = include_str!("../../service/guardhouse-agent-departure.service");

/// Where the copy of the program lies.
const DEPARTURE_FOLDER: &str = "/var/lib/guardhouse-agent-departure";

/// Has the agent with this state folder removed by a process that has nothing to do with this one. Calling it again while
/// that one is at work changes nothing.
///
/// # Errors
/// The process cannot be started.
pub fn remove_from_outside(state: &Path, self_command: &[impl AsRef<OsStr>]) -> Result<(), InstallError> {
    let folder = Path::new(DEPARTURE_FOLDER);
    let program = folder.join("guardhouse-agent");
    let own = self_command.first().map_or(OsStr::new(""), AsRef::as_ref);
    let copied = durable::create_folder(folder).and_then(|()| copy_program(Path::new(own), &program));
    copied.map_err(failed(&program))?;
    if runs_this_machine() {
        write(&unit_file(DEPARTURE_UNIT), &unit(state))?;
        systemctl(["daemon-reload"])?;
        systemctl(["enable", DEPARTURE_UNIT])?;
        return Ok(systemctl(["start", "--no-block", DEPARTURE_UNIT])?);
    }
    let mut command = Command::new(&program);
    command.arg("depart").arg("--state-dir").arg(state).stdin(Stdio::null()).current_dir("/");
    command.spawn().map(drop).map_err(failed(&program))
}

/// Removes what [`remove_from_outside`] needed.
///
/// # Errors
/// Something cannot be removed; calling it again goes on where it stopped.
pub fn end_removal() -> Result<(), InstallError> {
    let unit = unit_file(DEPARTURE_UNIT);
    let folder = Path::new(DEPARTURE_FOLDER);
    if runs_this_machine() && unit.exists() {
        systemctl(["disable", DEPARTURE_UNIT])?;
        durable::remove(folder).map_err(failed(folder))?;
        // systemd is not told: it would take the unit, in which this process still works, for another one.
        return durable::remove(&unit).map_err(failed(&unit));
    }
    durable::remove(folder).map_err(failed(folder))
}

/// The unit for an agent with this state folder.
fn unit(state: &Path) -> String {
    if state == Path::new(DEFAULT_STATE_DIR) {
        return DEPARTURE_TEXT.to_owned();
    }
    let state = quoted(&state.to_string_lossy());
    DEPARTURE_TEXT
        .replace("/guardhouse-agent depart\n", &format!("/guardhouse-agent depart --state-dir {state}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_names_the_copy_and_the_state_folder() {
        let command = |state: &str| {
            let text = unit(Path::new(state));
            text.lines().find_map(|line| line.strip_prefix("ExecStart=").map(str::to_owned))
        };
        let usual = format!("{DEPARTURE_FOLDER}/guardhouse-agent depart");
        assert_eq!(command(DEFAULT_STATE_DIR).as_deref(), Some(usual.as_str()));
        assert_eq!(command("/srv/a b"), Some(format!("{usual} --state-dir \"/srv/a b\"")));
    }
}
