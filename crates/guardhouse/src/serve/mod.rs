//! `guardhouse serve`

mod background;
mod certificate;
mod duty;
mod lapses;
mod locations;
mod membership;
mod overdue;
mod reports;
mod retention;
mod schedules;
mod server;
mod snapshot_folder;
mod snapshots;
mod webhooks;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::Args;
use guardhouse_model::Action;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    duration,
    storage::StorageArgs,
    worker::{QueueArgs, WorkArgs},
};

pub use server::Server;

/// Run the server.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Address to listen on; port 0 lets the system choose one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7443", env = "GUARDHOUSE_LISTEN")]
    pub listen: SocketAddr,

    #[command(flatten)]
    pub storage: StorageArgs,

    /// Also speak plain HTTP. Only on a loopback address, and only to this machine.
    #[arg(long)]
    pub insecure_http: bool,

    /// Certificate chain to show instead of one by the server's own authority, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,

    /// Private key of --tls-certificate, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,

    /// Further names and addresses by which agents and clients reach this server.
    #[arg(long = "tls-name", value_name = "NAME")]
    pub tls_names: Vec<String>,

    /// Calls per second that one account may make from one address; 0: no limit.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub rate_limit: u32,

    /// What the API for agentless detection calls the region of this server.
    #[arg(long, value_name = "NAME", default_value = "local", value_parser = region)]
    pub region: String,

    /// How long a call may take before it is answered 202 and fetched later; 0s: every call is.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration::parse)]
    pub answer_budget: Duration,

    /// How long an access token is good for; at least a second.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration::parse)]
    pub access_token_lifetime: Duration,

    /// An action that is handed out to no device: its runs end SUPPRESSED. Repeat it for several.
    #[arg(long = "forbid-action", value_name = "NAME", value_parser = action)]
    pub forbidden_actions: Vec<Action>,

    /// How long runs are kept that are over, and tasks that were deleted.
    #[arg(long, value_name = "TIME", default_value = "365d", value_parser = duration::parse)]
    pub keep_runs: Duration,

    /// How long a device may say nothing of a run that began, before it counts as timed out. Longer than any script may
    /// run.
    #[arg(long, value_name = "TIME", default_value = "169h", value_parser = duration::parse)]
    pub execution_limit: Duration,

    /// Also send webhooks over plain HTTP to other machines than this one. Who is on the way can read and withhold them.
    #[arg(long)]
    pub insecure_webhooks: bool,

    /// Folder for the snapshots that devices take of themselves for agentless scans. Servers that share a database, and all
    /// workers, need it under the same path. Left out: device-snapshots in the data folder; with --database-url none, and
    /// devices are not scanned.
    #[arg(long, value_name = "FOLDER")]
    pub device_snapshots: Option<PathBuf>,

    #[command(flatten)]
    pub work: WorkArgs,

    #[command(flatten)]
    pub queue: QueueArgs,
}

fn action(name: &str) -> Result<Action, String> {
    Action::named(name).ok_or_else(|| format!("there is no such action; the actions are {}", Action::names()))
}

/// The name of a region: it goes into addresses and file names of clients.
fn region(name: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=63).contains(&name.len()) && name.bytes().all(plain) {
        Ok(name.to_owned())
    } else {
        Err("a region has 1 to 63 lower-case letters, digits and hyphens".to_owned())
    }
}

/// Serves until SIGTERM or SIGINT.
pub async fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be handled")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be handled")?;
    let server = Server::open(args).await?;
    println!("listening on {}", server.url());
    server
        .run(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
        .await;
    Ok(ExitCode::SUCCESS)
}
