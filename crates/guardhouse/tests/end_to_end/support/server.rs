//! A server in a folder of its own.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use guardhouse_link::tls::{Trust, client_config};
use guardhouse_testing::postgres::Database;
use rustls::{
    ClientConfig,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tempfile::TempDir;
use tokio::process::Command;

use super::{Api, Process, guardhouse, run, wait_for};

/// An account that may do everything.
pub const ADMIN: &str = "admin";
/// An account that may only read.
pub const READER: &str = "reader";
/// An account that may call nothing.
pub const NOBODY: &str = "nobody";
/// The password of every account.
pub const PASSWORD: &str = "correct horse battery staple";

/// A server, and the data folder that outlives its processes.
#[derive(Debug)]
pub struct Server {
    process: Option<Process>,
    folder: TempDir,
    /// A database that goes with the server.
    database: Option<Database>,
    /// The URL of the database where everything is kept instead of in the data folder.
    database_url: Option<String>,
    flags: Vec<String>,
    /// Address and port; the same after a restart.
    pub address: String,
}

impl Server {
    /// A server without limits, with `flags` of `guardhouse serve`, and with an account [`ADMIN`].
    pub async fn start(flags: &[&str]) -> Self {
        Self::start_with_limits(&[&["--rate-limit", "0"], flags].concat()).await
    }

    /// A server without limits that keeps everything in `database`, if there is one.
    pub async fn start_on(database: Option<Database>) -> Self {
        Self::start_with(database, &["--rate-limit", "0"]).await
    }

    /// A server without limits that keeps everything in `database`, with `flags` of `guardhouse serve`.
    pub async fn start_in(database: Database, flags: &[&str]) -> Self {
        Self::start_with(Some(database), &[&["--rate-limit", "0"], flags].concat()).await
    }

    /// A server without limits that does not run yet and shares the database at this URL with others. Nobody adds an
    /// account.
    pub fn replica(database_url: &str, flags: &[&str]) -> Self {
        let server = Self::make(None, &[&["--rate-limit", "0"], flags].concat());
        Self { database_url: Some(database_url.to_owned()), ..server }
    }

    /// A server with the default limits.
    pub async fn start_with_limits(flags: &[&str]) -> Self {
        Self::start_with(None, flags).await
    }

    /// A server without limits that listens there.
    pub async fn start_at(address: &str, flags: &[&str]) -> Self {
        let mut server = Self::make(None, &[&["--rate-limit", "0"], flags].concat());
        server.address = address.to_owned();
        server.add_account(ADMIN, "full").await;
        server.restart().await;
        server
    }

    fn make(database: Option<Database>, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        let (database_url, address) = (database.as_ref().map(Database::url), "127.0.0.1:0".to_owned());
        Self { process: None, folder, database, database_url, flags, address }
    }

    async fn start_with(database: Option<Database>, flags: &[&str]) -> Self {
        let mut server = Self::make(database, flags);
        // Accounts can be added before the first start.
        server.add_account(ADMIN, "full").await;
        server.restart().await;
        server
    }

    /// Starts a server again that was killed or stopped.
    pub async fn restart(&mut self) {
        let mut command = self.command(&["serve", "--listen", &self.address]);
        command.args(&self.flags);
        let mut process = Process::start(&mut command, &self.folder.path().join("server.log"));
        let line = process.line().await;
        let address = line.strip_prefix("listening on ").and_then(|url| url.split_once("://"));
        self.address = address.expect("the first line says where it listens").1.to_owned();
        self.process = Some(process);
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.process.as_ref().expect("it runs").id()
    }

    /// A shell command that starts the server once more, at the same address.
    pub fn start_command(&self) -> String {
        let (program, data) = (env!("CARGO_BIN_EXE_guardhouse"), self.data());
        let flags = self.flags.join(" ");
        format!("'{program}' serve --listen {} --data-dir '{}' {flags}", self.address, data.display())
    }

    /// `kill -9`.
    pub async fn kill(&mut self) {
        self.process.take().expect("it runs").kill().await;
    }

    /// Stops the server in order.
    pub async fn stop(&mut self) {
        self.ask_to_end();
        self.ended().await;
    }

    /// Asks the server to stop, and does not wait until it has.
    pub fn ask_to_end(&self) {
        self.process.as_ref().expect("it runs").ask_to_end();
    }

    /// Whether it has not ended yet.
    pub fn runs(&mut self) -> bool {
        self.process.as_mut().expect("it was started").runs()
    }

    /// Waits until the server has ended in order.
    pub async fn ended(&mut self) {
        assert!(self.process.take().expect("it was started").ended().await.success());
    }

    /// Waits until its log has a line with all of `words`.
    pub async fn logged(&self, words: &[&str]) {
        let look = async || self.has_logged(words).then_some(());
        wait_for(&format!("{} logs {words:?}", self.address), look).await;
    }

    /// Whether its log has a line with all of `words`.
    pub fn has_logged(&self, words: &[&str]) -> bool {
        self.log().lines().any(|line| words.iter().all(|word| line.contains(word)))
    }

    /// The number of the latest link of a device that its log tells of.
    pub fn latest_epoch(&self, device: &str) -> Option<u64> {
        let log = self.log();
        let line = log.lines().rfind(|line| line.contains("device connected") && line.contains(device))?;
        line.split_once("epoch=")?.1.split_whitespace().next()?.parse().ok()
    }

    /// The log of all its processes.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).expect("it was started")
    }

    /// Backs the data folder up to the new file `file`.
    pub async fn back_up(&self, file: &Path) {
        self.copy("backup", file).await;
    }

    /// Starts the server, which was stopped, at the same address with a new data folder from a backup, or with the
    /// new `database` filled from it.
    pub async fn put_back(&mut self, file: &Path, database: Option<Database>) {
        self.folder = tempfile::tempdir().expect("a folder");
        self.database_url = database.as_ref().map(Database::url);
        self.database = database;
        self.copy("restore", file).await;
        self.restart().await;
    }

    async fn copy(&self, command: &str, file: &Path) {
        let ended = run(self.command(&[command]).arg(file), "").await;
        assert!(ended.status.success(), "{ended:?}");
    }

    /// A command that works on what the server keeps.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = guardhouse();
        command.args(words).arg("--data-dir").arg(self.data());
        if let Some(url) = &self.database_url {
            command.env("GUARDHOUSE_DATABASE_URL", url);
        }
        command
    }

    /// Where it listens.
    pub fn socket(&self) -> SocketAddr {
        self.address.parse().expect("it was started")
    }

    /// The address with `scheme`.
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Adds an account with the password [`PASSWORD`], whether the server runs or not.
    pub async fn add_account(&self, name: &str, access: &str) {
        self.add_account_with(name, &["--access", access]).await;
    }

    /// Adds an account with the password [`PASSWORD`], as `flags` of the command say.
    pub async fn add_account_with(&self, name: &str, flags: &[&str]) {
        let mut command = self.command(&["user", "add", name, "--password-stdin"]);
        let added = run(command.args(flags), PASSWORD).await;
        assert!(added.status.success(), "{added:?}");
    }

    /// Removes an account.
    pub async fn remove_account(&self, name: &str) {
        let removed = run(&mut self.command(&["user", "remove", name]), "").await;
        assert!(removed.status.success(), "{removed:?}");
    }

    /// Says which actions an account may use.
    pub async fn set_actions(&self, name: &str, flags: &[&str]) {
        let set = run(self.command(&["user", "set-actions", name]).args(flags), "").await;
        assert!(set.status.success(), "{set:?}");
    }

    /// A token with which many hosts can enrol, into `group` if one is named.
    pub async fn enrolment_token(&self, group: Option<&str>) -> String {
        let group = group.map_or_else(Vec::new, |group| vec!["--group", group]);
        self.enrolment_token_with(&[&["--uses", "100"], group.as_slice()].concat()).await
    }

    /// A token with which hosts can enrol, as `flags` of the command say.
    pub async fn enrolment_token_with(&self, flags: &[&str]) -> String {
        let mut command = self.command(&["enrollment-token", "create"]);
        let created = run(command.args(flags), "").await;
        assert!(created.status.success(), "{created:?}");
        String::from_utf8(created.stdout).expect("text").trim().to_owned()
    }

    /// TLS that trusts the file `ca.pem` of the server and nothing else.
    pub fn tls(&self, protocols: &[&[u8]]) -> Arc<ClientConfig> {
        let authority = CertificateDer::from_pem_file(self.certificate_file()).expect("ca.pem");
        client_config(Trust::Authorities(vec![authority]), None, protocols).expect("TLS")
    }

    /// The certificate that clients trust, as the server wrote it.
    pub fn certificate_file(&self) -> PathBuf {
        self.data().join("ca.pem")
    }

    /// A client over TLS that is signed in as [`ADMIN`].
    pub async fn admin(&self) -> Api {
        self.account(ADMIN).await
    }

    /// A client over TLS that is signed in as `account`.
    pub async fn account(&self, account: &str) -> Api {
        self.anonymous().sign_in(account).await
    }

    /// A client over TLS that is not signed in.
    pub fn anonymous(&self) -> Api {
        Api::new(self.url("https"), &self.tls(&[b"h2", b"http/1.1"]))
    }
}
