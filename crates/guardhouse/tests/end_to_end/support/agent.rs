//! An agent with a state folder of its own.

use std::{os::unix::process::ExitStatusExt as _, process::ExitStatus};

use tempfile::TempDir;
use tokio::process::Command;

use super::{Process, Server, guardhouse, run};

/// An enrolled agent, and the state folder that outlives its processes.
#[derive(Debug)]
pub struct Agent {
    process: Option<Process>,
    folder: TempDir,
    /// The device that it is.
    pub device: String,
}

impl Agent {
    /// Enrols a host with that name; the agent does not run yet.
    pub async fn enrol(server: &Server, host_name: &str, token: &str) -> Self {
        let enrolled = Self::try_enrol(&server.url("https"), host_name, token).await;
        enrolled.unwrap_or_else(|refused| panic!("{host_name} is not enrolled: {refused}"))
    }

    /// Enrols a host with that name, or answers what the command says against it.
    pub async fn try_enrol(server: &str, host_name: &str, token: &str) -> Result<Self, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = guardhouse();
        command.args(["agent", "enroll", "--server", server, "--token", token]);
        command.args(["--host-name", host_name, "--state-dir"]).arg(folder.path());
        let ended = run(&mut command, "").await;
        if !ended.status.success() {
            return Err(String::from_utf8_lossy(&ended.stderr).into_owned());
        }
        let device = String::from_utf8(ended.stdout).expect("text").trim().to_owned();
        Ok(Self { process: None, folder, device })
    }

    /// Enrols a host and starts its agent.
    pub async fn start_new(server: &Server, host_name: &str) -> Self {
        let token = server.enrolment_token(None).await;
        let mut agent = Self::enrol(server, host_name, &token).await;
        agent.start();
        agent
    }

    /// Starts the agent.
    pub fn start(&mut self) {
        self.start_as(&mut self.command());
    }

    /// Starts the agent so that it kills itself when it first reaches `step`.
    pub fn start_to_die_at(&mut self, step: &str) {
        self.start_as(self.command().env("GUARDHOUSE_KILL_AT", step));
    }

    /// The command that runs the agent.
    pub fn command(&self) -> Command {
        let mut command = guardhouse();
        command.args(["agent", "run", "--state-dir"]).arg(self.folder.path());
        command
    }

    fn start_as(&mut self, command: &mut Command) {
        assert!(self.process.is_none(), "it runs already");
        self.process = Some(Process::start(command, &self.folder.path().join("agent.log")));
    }

    /// `kill -9`.
    pub async fn kill(&mut self) {
        self.process.take().expect("it runs").kill().await;
    }

    /// Waits until the agent has killed itself.
    pub async fn died(&mut self) {
        assert_eq!(self.ended().await.signal(), Some(9), "it dies by SIGKILL");
    }

    /// Waits until the agent has ended by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        self.process.take().expect("it runs").ended().await
    }
}
