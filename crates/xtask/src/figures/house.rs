//! A real server with data of its own.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, Command},
};

use super::setup::Setup;

/// The account of the generator.
pub const USER: &str = "load";

/// Its password.
pub const PASSWORD: &str = "a password for measurements";

/// A server, and its data, which outlive its processes.
#[derive(Debug)]
pub struct House {
    // First, as it is dropped first: the folder is not taken from under a server.
    process: Option<Child>,
    program: PathBuf,
    folder: TempDir,
    database_url: Option<String>,
    address: SocketAddr,
}

impl House {
    /// A server with an account that does not run yet; on SQLite when no database is named.
    ///
    /// # Errors
    /// The command fails.
    pub async fn new(setup: &Setup, database_url: Option<String>) -> anyhow::Result<Self> {
        let (program, folder) = (setup.server.clone(), setup.folder()?);
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let house = Self { process: None, program, folder, database_url, address };
        std::fs::write(house.password_file(), PASSWORD)?;
        house.admin(&["user", "add", USER, "--password-stdin"], PASSWORD).await?;
        Ok(house)
    }

    /// A server that runs.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start_new(setup: &Setup) -> anyhow::Result<Self> {
        let mut house = Self::new(setup, None).await?;
        house.start().await?;
        Ok(house)
    }

    /// Starts the server, at the address that it had before if it ran before.
    ///
    /// # Errors
    /// It does not start; its own words are on standard error.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        let mut command = Command::new(&self.program);
        command.args(self.serve_arguments()).env("GUARDHOUSE_LOG", "warn").env_remove("RUST_BACKTRACE");
        command.kill_on_drop(true);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().context("standard output is piped")?;
        let line = BufReader::new(stdout).lines().next_line().await?;
        let address = line.as_deref().and_then(|line| line.strip_prefix("listening on https://"));
        self.address = address.context("the server did not say where it listens")?.parse()?;
        self.process = Some(child);
        Ok(())
    }

    /// A shell command that starts the server once more, on the same data and address.
    pub fn start_command(&self) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
        let words = [self.program.to_string_lossy().into_owned()].into_iter().chain(self.serve_arguments());
        let words: Vec<String> = words.map(|word| quoted(&word)).collect();
        // `env` keeps it one process after `exec`.
        format!("env GUARDHOUSE_LOG=warn {}", words.join(" "))
    }

    /// Stops the server in order, if it runs.
    ///
    /// # Errors
    /// It does not stop in order.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let Some(mut child) = self.process.take() else { return Ok(()) };
        let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed())).context("the server is gone")?;
        kill_process(pid, Signal::TERM)?;
        let status = child.wait().await?;
        anyhow::ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }

    /// The number of its process.
    ///
    /// # Errors
    /// None serves.
    pub fn id(&self) -> anyhow::Result<u32> {
        self.process.as_ref().and_then(Child::id).context("the server does not run")
    }

    /// A token with which `uses` hosts can enrol.
    ///
    /// # Errors
    /// The command fails.
    pub async fn token(&self, uses: usize) -> anyhow::Result<String> {
        self.admin(&["enrollment-token", "create", "--uses", &uses.to_string()], "").await
    }

    /// Where it is reached.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The certificate of its authority.
    pub fn ca(&self) -> PathBuf {
        self.data().join("ca.pem")
    }

    /// A file with [`PASSWORD`].
    pub fn password_file(&self) -> PathBuf {
        self.folder.path().join("password")
    }

    /// A folder for whatever belongs to this server.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn serve_arguments(&self) -> Vec<String> {
        let words = ["serve", "--rate-limit", "0", "--listen", &self.address.to_string()];
        words.into_iter().map(str::to_owned).chain(self.place()).collect()
    }

    /// The arguments that say where the data is.
    fn place(&self) -> Vec<String> {
        let mut words = vec!["--data-dir".to_owned(), self.data().to_string_lossy().into_owned()];
        words.extend(self.database_url.iter().flat_map(|url| ["--database-url".to_owned(), url.clone()]));
        words
    }

    /// Runs a command of the administrator; answers what it prints.
    async fn admin(&self, words: &[&str], input: &str) -> anyhow::Result<String> {
        let mut command = Command::new(&self.program);
        command.args(words).args(self.place()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn()?;
        let mut stdin = child.stdin.take().context("standard input is piped")?;
        stdin.write_all(input.as_bytes()).await?;
        drop(stdin);
        let ended = child.wait_with_output().await?;
        anyhow::ensure!(ended.status.success(), "guardhouse {} failed", words.join(" "));
        Ok(String::from_utf8(ended.stdout)?.trim().to_owned())
    }
}
