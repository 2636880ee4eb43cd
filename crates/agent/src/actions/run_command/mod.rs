//! `RunCommand`: a script, its output and its exit code.
//!
//! The text becomes a file, so that several lines and shell built-ins work. It runs under `/bin/sh`, or under
//! the interpreter that its first line names (`#!`), in a process group of its own, with nothing on standard
//! input and a small environment. What it writes is kept up to a limit per stream ([`Limits`]).
//!
//! A run ends with its script: what is left of the process group then is killed, because the result says that
//! the run is over, and a time limit that a `&` escapes would be none. A script that means to leave a daemon
//! behind starts it in a session of its own (`setsid`, `systemd-run`, a service manager).

mod directory;
mod supervise;

use std::{
    env,
    ffi::OsString,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::{fs::OpenOptionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use guardhouse_contract::{
    action::{ActionFailure, RunCommandResult},
    pb::era::common::data_definition::task::os::RunCommand,
    status::pack,
};
use guardhouse_model::{RunId, device_runs::CANCELLED};

use crate::{
    outcome::{Failure, Outcome},
    runs::cancel::CancelWatch,
    system::exit_code,
    workplace::{Limits, Workplace},
};
use directory::Directory;

/// Where a script finds programs.
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A script that lies ready to run.
#[derive(Debug)]
pub struct Script {
    file: PathBuf,
    own_interpreter: bool,
    directory: Directory,
    run: RunId,
    limits: Limits,
}

/// Writes the script into the folder of the run.
///
/// # Errors
/// The working directory does not exist or is not one of those that are allowed, or the script cannot be written.
pub fn prepare(command: &RunCommand, workplace: &Workplace) -> Result<Script, Failure> {
    let Workplace { run, folder, limits, .. } = workplace.clone();
    let directory = Directory::open(&command.current_directory, &limits.directories)?;
    let file = folder.path().join("script");
    write_script(&file, &command.command_line).map_err(not_started)?;
    Ok(Script { file, own_interpreter: command.command_line.starts_with("#!"), directory, run, limits })
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
    /// Runs the script to its end, within its limits.
    pub fn perform(self, workplace: &Workplace) -> Outcome {
        let environment = &workplace.environment;
        let began = environment.now();
        let cancel = CancelWatch::new(&workplace.folder).inspect_err(|error| {
            tracing::warn!(run = %self.run, %error, "the script cannot be stopped before its time limit");
        });
        let Limits { time_limit, output_limit, .. } = self.limits;
        let ended = match self.command().spawn() {
            Ok(child) => supervise::supervise(child, time_limit, output_limit, cancel.as_ref().ok()),
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
        let failure = match (ended.timed_out, exit_code) {
            // What ended well at that moment has ended well.
            (_, code) if ended.cancelled && code != 0 => {
                let reason = "the task was cancelled; the script and what it had started were killed";
                Some((CANCELLED, reason.to_owned()))
            }
            (true, _) => {
                let limit = time_limit.as_secs();
                Some(("TIMED_OUT", format!("the script ran longer than the {limit} s it may and was killed")))
            }
            (false, 0) => None,
            (false, code) => Some(("EXIT_CODE", format!("the script ended with exit code {code}"))),
        };
        let duration = began.duration_until(environment.now()).unsigned_abs();
        let result = RunCommandResult {
            exit_code,
            stdout: Some(ended.stdout.finish()),
            stderr: Some(ended.stderr.finish()),
            timed_out: ended.timed_out,
            duration: duration.try_into().ok(),
            failure: failure.map(|(code, reason)| ActionFailure { code: code.to_owned(), reason }),
        };
        Outcome { succeeded: result.failure.is_none(), suppressed: false, result: pack(&result) }
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
            .current_dir(self.directory.path())
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

fn not_started(error: io::Error) -> Failure {
    Failure::new("SCRIPT_NOT_STARTED", format!("the script could not be started: {error}"))
}
