//! What carries a restart or shutdown out: the login manager, or the program `shutdown` where there is none.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use guardhouse_model::Timestamp;
use tokio::{process::Command, time::timeout};

use super::rules::{Mechanism, Scheduled};
use crate::{
    logind::{Logind, LogindError, ScheduledShutdown},
    outcome::Failure,
};

/// Where the program `shutdown` may be. Never looked for by `PATH`: that is not the agent's own.
const PROGRAM_FOLDERS: [&str; 4] = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/// How long the program is watched. One of System V then waits in the background until the time has come; others end at
/// once and leave the waiting to a service.
const PROGRAM_WATCH: Duration = Duration::from_secs(5);

/// What this device has.
#[derive(Debug)]
pub(super) enum Means {
    /// The login manager, with what it says is scheduled.
    Logind(Logind, Option<ScheduledShutdown>),
    /// The program, and where its output goes.
    Program(Program),
}

/// The program `shutdown`.
#[derive(Debug)]
pub(super) struct Program {
    path: PathBuf,
    output: PathBuf,
}

impl Means {
    /// Finds out what this device has; `state` is the state folder of the agent.
    ///
    /// # Errors
    /// `POWER_UNAVAILABLE`: it has nothing. Others: the login manager is there, and fails.
    pub(super) async fn find(state: &Path) -> Result<Self, Failure> {
        let asked = async {
            let logind = Logind::connect().await?;
            let scheduled = logind.scheduled().await?;
            Ok(Self::Logind(logind, scheduled))
        };
        match asked.await {
            Ok(means) => Ok(means),
            Err(LogindError::Absent(reason)) => match Program::find(&PROGRAM_FOLDERS, state) {
                Some(program) => Ok(Self::Program(program)),
                None => Err(Failure::new(
                    "POWER_UNAVAILABLE",
                    format!(
                        "this device has neither a login manager that could be reached over D-Bus ({reason}) nor the \
                         program shutdown; install systemd with dbus, or a package that has shutdown"
                    ),
                )),
            },
            Err(error) => Err(failure(error)),
        }
    }

    pub(super) fn mechanism(&self) -> Mechanism {
        match self {
            Self::Logind(..) => Mechanism::Logind,
            Self::Program(_) => Mechanism::Program,
        }
    }

    /// What was scheduled when this was found, as far as that can be told.
    pub(super) fn present(&self) -> Option<&ScheduledShutdown> {
        match self {
            Self::Logind(_, present) => present.as_ref(),
            Self::Program(_) => None,
        }
    }

    /// Schedules it in place of what was scheduled, with a warning on the terminals of everybody who is logged in. `now`
    /// is the present. Answers whether there is that warning.
    ///
    /// # Errors
    /// It is not scheduled. What was before may be or not.
    pub(super) async fn schedule(
        &self,
        wanted: &Scheduled,
        warning: &str,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        match self {
            Self::Logind(logind, _) => {
                let warned = logind.set_wall_message(warning).await;
                if let Err(error) = &warned {
                    tracing::warn!(%error, "the users are not warned on their terminals");
                }
                logind.schedule(wanted.kind(), wanted.time).await.map_err(failure)?;
                let present = logind.scheduled().await;
                let is_wanted = |present: &ScheduledShutdown| {
                    present.kind == wanted.kind() && present.time == wanted.time
                };
                if !present.as_ref().is_ok_and(|present| present.as_ref().is_some_and(is_wanted)) {
                    let reason = format!(
                        "the login manager took the {}, but says of what is scheduled: {present:?}; it was cancelled",
                        wanted.noun()
                    );
                    let _ = logind.cancel().await;
                    return Err(Failure::new("POWER_NOT_SCHEDULED", reason));
                }
                Ok(warned.is_ok())
            }
            Self::Program(program) => {
                // Another one that waits would refuse the new one. There mostly is none.
                let _ = program.run(&["-c"]).await;
                let kind: &[&str] = if wanted.restart { &["-r"] } else { &["-h", "-P"] };
                let minutes = format!("+{}", minutes_until(wanted.time, now));
                program.run(&[kind, &[minutes.as_str(), warning]].concat()).await?;
                Ok(true)
            }
        }
    }

    /// Cancels what is scheduled.
    ///
    /// # Errors
    /// It still is.
    pub(super) async fn cancel(&self) -> Result<(), Failure> {
        match self {
            Self::Logind(logind, _) => logind.cancel().await.map(drop).map_err(failure),
            Self::Program(program) => program.run(&["-c"]).await,
        }
    }
}

/// The whole minutes from now after which the time is reached; at least one.
fn minutes_until(time: Timestamp, now: Timestamp) -> i64 {
    (now.duration_until(time).as_secs().max(1) + 59).div_euclid(60)
}

fn failure(error: LogindError) -> Failure {
    let code = match error {
        LogindError::Absent(_) => "POWER_UNAVAILABLE",
        LogindError::Denied(_) => "NOT_PERMITTED",
        LogindError::Gone(_) | LogindError::Failed(_) => "POWER_NOT_SCHEDULED",
    };
    Failure::new(code, error.to_string())
}

impl Program {
    /// Looks for it in these folders.
    fn find(folders: &[&str], state: &Path) -> Option<Self> {
        let paths = folders.iter().map(|folder| Path::new(folder).join("shutdown"));
        let path = paths.into_iter().find(|path| path.is_file())?;
        Some(Self { path, output: state.join("power.output") })
    }

    /// Runs it until it ends, or until it is clear that it waits for the time to come.
    async fn run(&self, arguments: &[&str]) -> Result<(), Failure> {
        let failed = |reason: String| Failure::new("POWER_NOT_SCHEDULED", reason);
        let name = self.path.display();
        // Not a pipe: a program that goes on would lose its reader.
        let output =
            File::create(&self.output).map_err(|error| failed(format!("cannot write a file: {error}")))?;
        let mut command = Command::new(&self.path);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(output).process_group(0);
        let mut child = command.spawn().map_err(|error| failed(format!("cannot start {name}: {error}")))?;
        match timeout(PROGRAM_WATCH, child.wait()).await {
            // It waits. It goes on when this process ends.
            Err(_) => Ok(()),
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(ended) => Err(failed(self.complaint(ended.ok()))),
        }
    }

    fn complaint(&self, status: Option<ExitStatus>) -> String {
        let said = fs::read(&self.output).unwrap_or_default();
        let said = String::from_utf8_lossy(&said[..said.len().min(1_000)]).trim().to_owned();
        let status = status.map_or_else(|| "nobody knows how".to_owned(), |status| status.to_string());
        format!("{} ended ({status}) and said: {said}", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use guardhouse_contract::pb::era::common::data_definition::task::os::PowerActions;
    use guardhouse_model::RunId;
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn minutes_are_whole_and_enough() {
        let now: Timestamp = "2026-11-26T12:00:00Z".parse().expect("a moment");
        for (seconds, minutes) in
            [(-5, 1), (0, 1), (1, 1), (59, 1), (60, 1), (61, 2), (120, 2), (86_401, 1441)]
        {
            let time = now + SignedDuration::from_secs(seconds);
            assert_eq!(minutes_until(time, now), minutes, "{seconds} s");
        }
    }

    /// A program `shutdown` that notes how it was called, and then does this.
    fn program(folder: &Path, then: &str) -> Program {
        let path = folder.join("shutdown");
        let calls = folder.join("calls");
        let script = format!("#!/bin/sh\n[ $# = 0 ] && exit\necho \"$@\" >> {}\n{then}\n", calls.display());
        fs::write(&path, script).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("executable");
        // A fork of another test may still hold the file open for writing.
        while std::process::Command::new(&path).status().is_err() {}
        Program::find(&["/nonexistent", folder.to_str().expect("UTF-8")], folder).expect("found")
    }

    #[tokio::test]
    async fn the_program_is_asked_where_there_is_no_login_manager() {
        let folder = tempfile::tempdir().expect("a folder");
        let now: Timestamp = "2026-11-26T12:00:00Z".parse().expect("a moment");
        let run = RunId(uuid::Uuid::from_u128(7));
        let means = Means::Program(program(folder.path(), "exit 0"));
        for restart in [true, false] {
            let wanted = Scheduled::plan(run, restart, &PowerActions::default(), now);
            means.schedule(&wanted, "soon", now).await.expect("scheduled");
        }
        means.cancel().await.expect("cancelled");
        let calls = fs::read_to_string(folder.path().join("calls")).expect("called");
        assert_eq!(calls, "-c\n-r +1 soon\n-c\n-h -P +1 soon\n-c\n");
    }

    #[tokio::test]
    async fn a_program_that_fails_is_quoted() {
        let folder = tempfile::tempdir().expect("a folder");
        let failing = program(folder.path(), "echo must be root >&2; exit 7");
        let failure = failing.run(&["-r", "+1"]).await.expect_err("it failed");
        assert_eq!(failure.code, "POWER_NOT_SCHEDULED");
        assert!(
            failure.reason.contains("7") && failure.reason.ends_with("must be root"),
            "{}",
            failure.reason
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_that_waits_for_the_time_has_scheduled_it() {
        let folder = tempfile::tempdir().expect("a folder");
        // The time of the test passes at once, the seconds of the program are real.
        program(folder.path(), "exec sleep 5").run(&["-r", "+1"]).await.expect("it waits");
    }
}
