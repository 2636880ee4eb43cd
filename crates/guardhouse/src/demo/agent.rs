//! The agent of the demonstration: this program again, in processes of its own.

use std::{env, path::Path, process::Stdio};

use anyhow::{Context as _, ensure};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

/// A running agent.
pub struct Agent {
    /// The uuid of this machine as a device.
    pub device: String,
    /// What a person would type.
    pub command_lines: Vec<String>,
    process: Child,
}

/// Enrols this machine and starts its agent.
pub async fn start(server: &str, token: &str, state_dir: &Path) -> anyhow::Result<Agent> {
    let program = env::current_exe().context("this program cannot find itself")?;
    let state_dir = state_dir.to_str().context("the folder is not valid UTF-8")?;
    let enrolment = ["agent", "enroll", "--server", server, "--token", token, "--state-dir", state_dir];
    let run = ["agent", "run", "--state-dir", state_dir];
    let line = |words: &[&str]| format!("{} {}", program.display(), words.join(" "));
    let command_lines = vec![line(&enrolment), line(&run)];

    let enrolled = Command::new(&program).args(enrolment).env("GUARDHOUSE_LOG", "warn").output().await?;
    let complaint = String::from_utf8_lossy(&enrolled.stderr);
    ensure!(enrolled.status.success(), "this machine could not be enrolled: {complaint}");
    let device = String::from_utf8(enrolled.stdout)?.trim().to_owned();

    let mut process = Command::new(&program)
        .args(run)
        .env("GUARDHOUSE_LOG", "info")
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let log = process.stderr.take().context("the agent has no log")?;
    // The log must be read for as long as the agent lives, or the agent would wait for a reader.
    tokio::spawn(async move {
        let mut lines = BufReader::new(log).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            tracing::debug!("agent: {line}");
        }
    });
    Ok(Agent { device, command_lines, process })
}

impl Agent {
    /// Ends the agent.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.process.kill().await.context("the agent could not be ended")
    }
}
