//! One process of the guardhouse command.

use std::{
    fs::OpenOptions,
    path::{Path, PathBuf},
    process::{ExitStatus, Output, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// How long a process may take to say or do what is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// The lines of a log that are shown when a test fails.
const SHOWN: usize = 40;

/// The command, independent of the environment of the test.
pub fn guardhouse() -> Command {
    guardhouse_in(&[])
}

/// The same, behind the words of another command that starts it somewhere else.
pub fn guardhouse_in(place: &[String]) -> Command {
    let mut words = place.iter().map(String::as_str).chain([env!("CARGO_BIN_EXE_guardhouse")]);
    let mut command = Command::new(words.next().expect("at least the command"));
    command.args(words);
    let ours = std::env::vars_os().map(|(name, _)| name);
    for name in ours.filter(|name| name.to_string_lossy().starts_with("GUARDHOUSE_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Runs a command to its end with `input` on standard input.
pub async fn run(command: &mut Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(input.as_bytes()).await.expect("the command reads its input");
    drop(stdin);
    let ended = timeout(PATIENCE, child.wait_with_output()).await;
    ended.expect("the command ends").expect("its output is readable")
}

/// A process that runs until it is dropped. Its standard error is a file, shown when the test fails.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; its standard error is appended to `log`.
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(log).expect("a log");
        let mut child = command.stdout(Stdio::piped()).stderr(file).spawn().expect("the command starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, stdout, log: log.to_owned() }
    }

    /// The next line on standard output.
    pub async fn line(&mut self) -> String {
        let mut line = String::new();
        let read = timeout(PATIENCE, self.stdout.read_line(&mut line)).await;
        read.expect("a line comes").expect("it is readable");
        line.trim_end().to_owned()
    }

    /// Waits until the process has ended by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait()).await.expect("the process ends").expect("it is our child")
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// `kill -9`.
    pub async fn kill(mut self) {
        self.child.start_kill().expect("it runs");
        self.ended().await;
    }

    /// Asks the process to end, as a service manager does.
    pub fn ask_to_end(&self) {
        let pid = self.child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())).expect("it runs");
        kill_process(pid, Signal::TERM).expect("it runs");
    }

    /// Whether it has not ended yet.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_none()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<_> = log.lines().collect();
            let last = lines[lines.len().saturating_sub(SHOWN)..].join("\n");
            eprintln!("--- end of {}\n{last}\n---", self.log.display());
        }
    }
}
