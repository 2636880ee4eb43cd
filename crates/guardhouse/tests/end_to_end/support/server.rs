//! A server in a folder of its own.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use guardhouse_link::tls::{Trust, client_config};
use rustls::{
    ClientConfig,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tempfile::TempDir;

use super::{Api, Process, guardhouse, run};

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
    flags: Vec<String>,
    /// Address and port; the same after a restart.
    pub address: String,
}

impl Server {
    /// A server without limits, with `flags` of `guardhouse serve`, and with an account [`ADMIN`].
    pub async fn start(flags: &[&str]) -> Self {
        Self::start_with_limits(&[&["--rate-limit", "0"], flags].concat()).await
    }

    /// A server with the default limits.
    pub async fn start_with_limits(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        let mut server = Self { process: None, folder, flags, address: "127.0.0.1:0".to_owned() };
        // Accounts can be added before the first start.
        server.add_account(ADMIN, "full").await;
        server.restart().await;
        server
    }

    /// Starts a server again that was killed or stopped.
    pub async fn restart(&mut self) {
        let mut command = guardhouse();
        command.args(["serve", "--listen", &self.address, "--data-dir"]).arg(self.data()).args(&self.flags);
        let mut process = Process::start(&mut command, &self.folder.path().join("server.log"));
        let line = process.line().await;
        let address = line.strip_prefix("listening on ").and_then(|url| url.split_once("://"));
        self.address = address.expect("the first line says where it listens").1.to_owned();
        self.process = Some(process);
    }

    /// `kill -9`.
    pub async fn kill(&mut self) {
        self.process.take().expect("it runs").kill().await;
    }

    /// Stops the server in order.
    pub async fn stop(&mut self) {
        assert!(self.process.take().expect("it runs").terminate().await.success());
    }

    /// Backs the data folder up to the new file `file`.
    pub async fn back_up(&self, file: &Path) {
        self.copy("backup", file).await;
    }

    /// Starts the server, which was stopped, at the same address with a new data folder from a backup.
    pub async fn put_back(&mut self, file: &Path) {
        self.folder = tempfile::tempdir().expect("a folder");
        self.copy("restore", file).await;
        self.restart().await;
    }

    async fn copy(&self, command: &str, file: &Path) {
        let ended = run(guardhouse().arg(command).arg(file).arg("--data-dir").arg(self.data()), "").await;
        assert!(ended.status.success(), "{ended:?}");
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
        let mut command = guardhouse();
        command.args(["user", "add", name, "--password-stdin", "--access", access]);
        let added = run(command.arg("--data-dir").arg(self.data()), PASSWORD).await;
        assert!(added.status.success(), "{added:?}");
    }

    /// A token with which many hosts can enrol, into `group` if one is named.
    pub async fn enrolment_token(&self, group: Option<&str>) -> String {
        let mut command = guardhouse();
        command.args(["enrollment-token", "create", "--uses", "100", "--data-dir"]).arg(self.data());
        if let Some(group) = group {
            command.args(["--group", group]);
        }
        let created = run(&mut command, "").await;
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
