//! `RunCommand`: a script, its output and its exit code.
//!
//! The text becomes a file, so that several lines and shell built-ins work. It runs under `/bin/sh`, or under
//! the interpreter that its first line names (`#!`), in a process group of its own, with nothing on standard
//! input and a small environment. What it writes is kept up to [`capture::CAP`] per stream.
//!
//! A run ends with its script: what is left of the process group then is killed, because the result says that
//! the run is over, and a time limit that a `&` escapes would be none. A script that means to leave a daemon
//! behind starts it in a session of its own (`setsid`, `systemd-run`, a service manager).

pub mod capture;
mod supervise;

use std::{
    env,
    ffi::OsString,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::{
        fs::OpenOptionsExt as _,
        process::{CommandExt as _, ExitStatusExt as _},
    },
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    time::Duration,
};

use guardhouse_contract::{
    action::RunCommandResult, pb::era::common::data_definition::task::os::RunCommand, status::pack,
};
use guardhouse_model::{Environment, RunId};

use super::{Failure, Outcome};

/// How long a script may run unless the agent is told otherwise.
pub const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(60 * 60);

/// Where a script runs that names no directory.
const DEFAULT_DIRECTORY: &str = "/tmp";

/// Where a script finds programs.
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A script that lies ready to run.
#[derive(Debug)]
pub struct Script {
    file: PathBuf,
    own_interpreter: bool,
    directory: PathBuf,
    run: RunId,
}

/// Writes the script into the folder of the run.
///
/// # Errors
/// The working directory does not exist, or the script cannot be written.
pub fn prepare(command: &RunCommand, run: RunId, folder: &Path) -> Result<Script, Failure> {
    let directory = match command.current_directory.as_str() {
        "" => DEFAULT_DIRECTORY,
        named => named,
    };
    if !Path::new(directory).is_dir() {
        let reason = format!("the working directory {directory:?} does not exist on the device");
        return Err(Failure::new("WORKING_DIRECTORY_MISSING", reason));
    }
    let file = folder.join("script");
    write_script(&file, &command.command_line).map_err(not_started)?;
    Ok(Script {
        file,
        own_interpreter: command.command_line.starts_with("#!"),
        directory: PathBuf::from(directory),
        run,
    })
}

/// Writes an executable file and closes it: the kernel does not execute a file that is open for writing.
fn write_script(path: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o700).open(path)?.write_all(text.as_bytes())
}

impl Script {
    /// Runs the script to its end, at most for `time_limit`.
    pub fn perform(self, time_limit: Duration, environment: &Environment) -> Outcome {
        let began = environment.now();
        let ended = match self.command().spawn() {
            Ok(child) => supervise::supervise(child, time_limit),
            Err(error) => return not_started(error).into(),
        };
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => {
                let reason = format!("the script began, but could not be watched: {error}");
                return Failure::new("SCRIPT_LOST", reason).into();
            }
        };
        let exit_code = ended.status.map_or(128 + 9, exit_code);
        let duration = began.duration_until(environment.now()).unsigned_abs();
        let result = RunCommandResult {
            exit_code,
            stdout: Some(ended.stdout.finish()),
            stderr: Some(ended.stderr.finish()),
            timed_out: ended.timed_out,
            duration: duration.try_into().ok(),
        };
        Outcome { succeeded: exit_code == 0 && !ended.timed_out, result: pack(&result) }
    }

    fn command(&self) -> Command {
        let mut command = if self.own_interpreter {
            Command::new(&self.file)
        } else {
            let mut shell = Command::new("/bin/sh");
            shell.arg(&self.file);
            shell
        };
        command
            .current_dir(&self.directory)
            .env_clear()
            .env("PATH", SEARCH_PATH)
            .env("HOME", inherited("HOME", "/"))
            .env("LANG", inherited("LANG", "C.UTF-8"))
            .env("GUARDHOUSE_RUN_UUID", self.run.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        command
    }
}

fn inherited(name: &str, otherwise: &str) -> OsString {
    env::var_os(name).unwrap_or_else(|| otherwise.into())
}

/// The exit code, or 128 and the number of the signal that ended the script, as shells say it.
fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

fn not_started(error: io::Error) -> Failure {
    Failure::new("SCRIPT_NOT_STARTED", format!("the script could not be started: {error}"))
}
