//! An agent with a state folder of its own.

use std::{os::unix::process::ExitStatusExt as _, path::Path, process::ExitStatus};

use tempfile::TempDir;
use tokio::process::Command;

use super::{Machine, Process, Server, process::guardhouse_in, run};

/// An enrolled agent, and the state folder that outlives its processes.
#[derive(Debug)]
pub struct Agent {
    process: Option<Process>,
    folder: TempDir,
    /// What starts its processes somewhere else, if anything does.
    place: Vec<String>,
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
        Self::try_enrol_in(Vec::new(), server, host_name, token).await
    }

    /// As [`Agent::try_enrol`], with processes that are started behind the words of `place`.
    pub async fn try_enrol_in(
        place: Vec<String>,
        server: &str,
        host_name: &str,
        token: &str,
    ) -> Result<Self, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = guardhouse_in(&place);
        command.args(["agent", "enroll", "--server", server, "--token", token]);
        command.args(["--host-name", host_name, "--state-dir"]).arg(folder.path());
        let ended = run(&mut command, "").await;
        if !ended.status.success() {
            return Err(String::from_utf8_lossy(&ended.stderr).into_owned());
        }
        let device = String::from_utf8(ended.stdout).expect("text").trim().to_owned();
        Ok(Self { process: None, folder, place, device })
    }

    /// Enrols a host and starts its agent.
    pub async fn start_new(server: &Server, host_name: &str) -> Self {
        let token = server.enrolment_token(None).await;
        let mut agent = Self::enrol(server, host_name, &token).await;
        agent.start();
        agent
    }

    /// A machine with a copy of its identity.
    pub fn machine(&self) -> Machine {
        Machine::load(self.folder.path(), "alpha")
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
        self.command_of(&["run"])
    }

    /// Another command that works on the state folder of this agent.
    pub fn command_of(&self, words: &[&str]) -> Command {
        let mut command = guardhouse_in(&self.place);
        command.arg("agent").args(words).arg("--state-dir").arg(self.folder.path());
        command
    }

    /// Its state folder.
    pub fn state(&self) -> &Path {
        self.folder.path()
    }

    /// The log of all its processes.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("agent.log")).expect("it was started")
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
