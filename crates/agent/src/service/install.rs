//! `install` and `uninstall`.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{
    CONFIGURATION, INITIAL_CONFIGURATION, ISOLATION_UNIT, Installation, PROGRAM, UNIT, UNITS,
    installation::{drop_in_folder, remove_files, unit_file},
    systemd::{SystemdError, drop_ins, runs_this_machine, systemctl},
};
use crate::{
    durable,
    isolation::{self, settle::IsolationError},
    snapshots::leftovers,
    system::System,
};

/// The name of the drop-ins for a state folder of the administrator's choice.
const DROP_IN: &str = "state-dir.conf";

/// Why the agent was not installed or removed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Another user than root asks.
    #[error("only root can install or remove a service; use sudo")]
    NotRoot,
    /// The machine has another service manager.
    #[error(
        "this machine is not run by systemd, so there is nothing to install a unit for. Enrol it with \
         \"guardhouse-agent enroll --server URL --token TOKEN\" and let your service manager keep \
         \"guardhouse-agent run\" running; it must not kill the processes that the agent started"
    )]
    NoSystemd,
    /// A file cannot be written or removed.
    #[error("cannot write or remove {}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// systemd refuses.
    #[error(transparent)]
    Systemd(#[from] SystemdError),
    /// The device stays isolated from the network: without an agent nobody could end that any more.
    #[error(transparent)]
    Isolation(#[from] IsolationError),
    /// The package manager refuses.
    #[error("\"dpkg {0}\" failed; its own words stand above")]
    Package(String),
}

/// Whether this process may install a service on this machine.
///
/// # Errors
/// [`InstallError`] says why not, and what to do instead.
pub fn check() -> Result<(), InstallError> {
    if !rustix::process::geteuid().is_root() {
        return Err(InstallError::NotRoot);
    }
    if !runs_this_machine() {
        return Err(InstallError::NoSystemd);
    }
    Ok(())
}

/// Makes `program`, the agent of an enrolled device with this state folder, a service, and starts it; what is there
/// already is renewed. Where the package is installed, its program and units stay in use.
///
/// # Errors
/// [`InstallError`]; calling it again goes on where it stopped.
pub fn install(program: &Path, state: &Path) -> Result<(), InstallError> {
    check()?;
    if !matches!(Installation::find(), Installation::Package(_)) {
        copy_program(program, Path::new(PROGRAM)).map_err(failed(Path::new(PROGRAM)))?;
        for (unit, text) in UNITS {
            write(&unit_file(unit), text)?;
        }
        if !Path::new(CONFIGURATION).exists() {
            write(Path::new(CONFIGURATION), INITIAL_CONFIGURATION)?;
        }
    }
    for (unit, _) in UNITS {
        let folder = drop_in_folder(unit);
        durable::remove(&folder.join(DROP_IN)).map_err(failed(&folder))?;
    }
    for (unit, text) in drop_ins(state) {
        write(&drop_in_folder(unit).join(DROP_IN), &text)?;
    }
    systemctl(["daemon-reload"])?;
    systemctl(["enable", UNIT, ISOLATION_UNIT])?;
    // An agent that runs may be another version, or use another folder.
    Ok(systemctl(["restart", UNIT])?)
}

/// Stops the agent and removes its program and units; with `purge` also its state folder and its settings, after which
/// the machine has to enrol anew.
///
/// # Errors
/// [`InstallError`]; calling it again goes on where it stopped.
pub async fn uninstall(state: &Path, purge: bool) -> Result<(), InstallError> {
    if !rustix::process::geteuid().is_root() {
        return Err(InstallError::NotRoot);
    }
    // Nobody would find it later.
    leftovers::remove(state, &System::default()).await;
    match Installation::find() {
        Installation::Package(name) => dpkg(if purge { "--purge" } else { "--remove" }, &name)?,
        Installation::Files | Installation::Bare => {
            if runs_this_machine() && unit_file(UNIT).exists() {
                systemctl(["disable", "--now", UNIT, ISOLATION_UNIT])?;
            }
            isolation::end(state).await?;
            remove_files().map_err(failed(Path::new(PROGRAM)))?;
            if runs_this_machine() {
                systemctl(["daemon-reload"])?;
            }
        }
    }
    if purge {
        for path in [state, Path::new(CONFIGURATION).parent().unwrap_or(Path::new(CONFIGURATION))] {
            durable::remove(path).map_err(failed(path))?;
        }
    }
    Ok(())
}

fn dpkg(option: &str, package: &str) -> Result<(), InstallError> {
    let done = Command::new("dpkg").args([option, package]).stdin(Stdio::null()).status();
    match done {
        Ok(status) if status.success() => Ok(()),
        _ => Err(InstallError::Package(format!("{option} {package}"))),
    }
}

/// Copies the program to a path. A process that runs what was there goes on with that.
pub(super) fn copy_program(program: &Path, path: &Path) -> io::Result<()> {
    let beside = path.with_extension("new");
    fs::copy(program, &beside)?;
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o755))?;
    fs::File::open(&beside)?.sync_all()?;
    fs::rename(&beside, path)?;
    durable::sync_parent(path)
}

/// Writes a file that everybody may read.
pub(super) fn write(path: &Path, text: &str) -> Result<(), InstallError> {
    let written = || {
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        fs::write(path, text)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o644))
    };
    written().map_err(failed(path))
}

pub(super) fn failed(path: &Path) -> impl FnOnce(io::Error) -> InstallError {
    move |source| InstallError::Io { path: path.to_owned(), source }
}
