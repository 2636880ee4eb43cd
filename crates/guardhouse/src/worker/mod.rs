//! `guardhouse worker`, and the worker inside of `guardhouse serve`.

mod args;
mod local;
mod remote;

use std::{path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context as _, bail};
use clap::Args;
use guardhouse_contract::{Code, Status};
use guardhouse_identity::Sealing;
use guardhouse_model::{Environment, agentless::queue::TimeLimit};
use guardhouse_services::agentless_workers;
use guardhouse_store::Store;
use guardhouse_worker::{Queue, Worker};
use tokio::signal::unix::{SignalKind, signal};

use crate::{client::ConnectionArgs, storage::DatabaseArgs};
pub use args::{QueueArgs, WorkArgs};
pub use local::Local;
use remote::Remote;

/// Carry out agentless scans for a server, on this machine: through the server, as an account with the access worker, or on
/// the database that it shares with others. The targets must be here under the same address as at the server.
#[derive(Debug, Clone, Args)]
pub struct WorkerArgs {
    #[command(flatten)]
    connection: ConnectionArgs,

    #[command(flatten)]
    database: DatabaseArgs,

    #[command(flatten)]
    work: WorkArgs,

    #[command(flatten)]
    queue: QueueArgs,
}

/// Works until SIGTERM or SIGINT, and gives back what it has then.
pub async fn run(args: WorkerArgs) -> anyhow::Result<ExitCode> {
    let environment = Environment::system();
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be handled")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be handled")?;
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    if args.work.workers == 0 {
        bail!("--workers 0 leaves nothing to do: at least 1 is needed");
    }
    match (args.connection.server.is_some(), args.database.open().await?) {
        (true, Some(_)) => bail!("the queue is either at --server or in --database-url: name one of them"),
        (false, None) => bail!("say where the queue is, with --server URL or with --database-url URL"),
        (true, None) => {
            let remote = Remote::new(args.connection.resolve()?, environment.clone())?;
            work(remote, &args.work, environment, shutdown).await?;
        }
        (false, Some(store)) => {
            let queue = Arc::new(service(store, &environment, &args.queue).await?);
            work(Local::new(queue, environment.clone()), &args.work, environment, shutdown).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn work<Q: Queue>(
    queue: Q,
    args: &WorkArgs,
    environment: Environment,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let settings = args.settings()?;
    let worker = Worker::new(queue, settings, environment)
        .context("cannot make a folder for temporary files; --scan-folder names another place")?;
    tracing::info!("this worker waits for scans");
    worker.run(shutdown).await.map_err(|status| anyhow::anyhow!("{}", refused(&status)))
}

/// Why a worker ends that the queue does not take, and what to do about it.
fn refused(status: &Status) -> String {
    let advice = match status.code() {
        Code::Unauthenticated => "; check --user and the password, or add the account anew",
        Code::PermissionDenied => {
            "; its account has to be added with guardhouse user add NAME --access worker"
        }
        _ => "",
    };
    format!("the queue of scans does not take this worker: {}{advice}", status.message())
}

/// The queue of agentless scans in a store.
///
/// # Errors
/// The store fails.
pub async fn service(
    store: Store,
    environment: &Environment,
    args: &QueueArgs,
) -> anyhow::Result<agentless_workers::Service> {
    Ok(agentless_workers::Service {
        sealing: Sealing::load_or_create(&store, environment).await?,
        environment: environment.clone(),
        store,
        lease: args.worker_lease,
        time_limit: args.scan_time_limit.map_or(TimeLimit::BySize, TimeLimit::Fixed),
        keep_results: args.keep_results,
    })
}

/// The worker inside of a server that keeps the snapshots of devices in a folder, or nowhere; `None`: it is to have none.
///
/// # Errors
/// There is no room for its temporary files.
pub fn inside(
    queue: Arc<agentless_workers::Service>,
    args: &WorkArgs,
    device_snapshots: Option<&Path>,
    environment: Environment,
) -> anyhow::Result<Option<Worker<Local>>> {
    if args.workers == 0 {
        return Ok(None);
    }
    let mut settings = args.settings()?;
    if let Some(folder) = device_snapshots {
        settings.folders = settings.folders.and(folder);
    }
    let queue = Local::new(queue, environment.clone());
    let worker = Worker::new(queue, settings, environment).context(
        "cannot make a folder for the temporary files of scans; --scan-folder names another place",
    )?;
    Ok(Some(worker))
}
