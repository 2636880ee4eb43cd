//! `guardhouse-loadgen rest`

mod caller;
mod calls;
mod list;
mod pace;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use guardhouse_link::tls::{HTTP_1_1, Trust};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use tokio::task::JoinSet;
use tracing::info;

use crate::{account::Account, agents::now, process::Process, report::Report};
use caller::Caller;
use pace::Pace;

/// What is called and measured.
#[derive(Debug, Args)]
pub struct RestArgs {
    #[command(flatten)]
    account: Account,

    /// Certificate of the server's authority, PEM: the file ca.pem in its data folder.
    #[arg(long, value_name = "FILE")]
    ca: PathBuf,

    /// How many callers there are. Each has one connection, which stays open, and calls again when it is answered.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,

    /// Calls per second, whether earlier ones are answered or not, as far as there are callers. The time of a call
    /// then counts from the moment it was due.
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,

    /// Process of the server, on this machine: measures its processor time.
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,

    #[command(subcommand)]
    call: Call,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Call {
    /// Walk through all devices page by page, and read the first page again after each.
    List {
        /// Devices per page.
        #[arg(long, value_name = "N", default_value_t = 1_000)]
        page_size: u32,
        /// How many pages, from the first to the last of them; all if there are fewer.
        #[arg(long, value_name = "N", default_value_t = u32::MAX)]
        pages: u32,
    },
    /// Get single devices.
    Get {
        /// How many calls.
        #[arg(long, value_name = "N", default_value_t = 1_000)]
        requests: usize,
    },
    /// Import devices (`devices:batchImport`).
    Import {
        /// How many devices.
        #[arg(long, value_name = "N", default_value_t = 100_000)]
        devices: usize,
        /// How many of them in a call.
        #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..))]
        batch: u16,
    },
    /// Create tasks for single devices.
    Task {
        /// How many calls.
        #[arg(long, value_name = "N", default_value_t = 1_000)]
        requests: usize,
    },
}

/// Signs in, calls and reports.
///
/// # Errors
/// A call is refused, or the server cannot be reached.
pub async fn run(args: &RestArgs, report: &mut Report) -> anyhow::Result<()> {
    let server = args.server_pid.map(Process::new).transpose()?;
    let authority = CertificateDer::from_pem_file(&args.ca)
        .with_context(|| format!("{} holds no certificate", args.ca.display()))?;
    // One connection per caller: over HTTP/2 they would share one, and its flow control.
    let signed_in = args.account.sign_in(Trust::Authorities(vec![authority]), &[HTTP_1_1]).await?;
    let caller = || Caller::new(&args.account, &signed_in);
    let load = Load { callers: usize::from(args.concurrency), rate: args.rate, server };
    match args.call {
        Call::List { page_size, pages } => list::walk(&caller()?, page_size, pages, load, report).await,
        Call::Get { requests } => {
            let devices = Arc::new(calls::device_ids(&caller()?).await?);
            let get = calls::Get { devices };
            load.put(caller, requests, report, "get", move |caller, number| {
                let get = get.clone();
                async move { get.call(&caller, number).await }
            })
            .await?;
            Ok(())
        }
        Call::Import { devices, batch } => {
            let batch = usize::from(batch);
            let import = calls::Import { devices, batch };
            let took = load
                .put(caller, devices.div_ceil(batch), report, "import", move |caller, number| async move {
                    import.call(&caller, number).await
                })
                .await?;
            report.rate("imported_devices_rate", devices, took);
            Ok(())
        }
        Call::Task { requests } => {
            let devices = Arc::new(calls::device_ids(&caller()?).await?);
            let task = calls::Task::new(devices)?;
            load.put(caller, requests, report, "task", move |caller, number| {
                let task = task.clone();
                async move { task.call(&caller, number).await }
            })
            .await?;
            Ok(())
        }
    }
}

/// How much load, and on which process.
#[derive(Debug)]
struct Load {
    callers: usize,
    rate: Option<u32>,
    server: Option<Process>,
}

impl Load {
    /// Makes `count` calls and reports how many per second were answered and how long they took; answers how long
    /// all of them took together. `call` gets numbers from 0.
    async fn put<F>(
        &self,
        caller: impl Fn() -> anyhow::Result<Caller>,
        count: usize,
        report: &mut Report,
        name: &str,
        call: impl Fn(Arc<Caller>, usize) -> F + Clone + Send + 'static,
    ) -> anyhow::Result<Duration>
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let mut callers = Vec::with_capacity(self.callers);
        for _ in 0..self.callers {
            let caller = Arc::new(caller()?);
            // The handshake is not what is measured.
            caller.open().await?;
            callers.push(caller);
        }
        info!(name, count, callers = self.callers, rate = self.rate, "calls begin");
        let used = self.processor_time()?;
        let begun = now();
        let pace = Pace { begun, rate: self.rate };
        let next = Arc::new(AtomicUsize::new(0));
        let mut working = JoinSet::new();
        for caller in callers {
            let (next, call) = (Arc::clone(&next), call.clone());
            working.spawn(async move {
                let mut times = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return anyhow::Ok(times);
                    }
                    let due = pace.turn(number).await;
                    call(Arc::clone(&caller), number).await?;
                    times.push(due.elapsed());
                }
            });
        }
        let mut times = Vec::with_capacity(count);
        while let Some(done) = working.join_next().await {
            times.extend(done??);
        }
        let took = begun.elapsed();
        report.count(&format!("{name}_calls"), count);
        report.rate(&format!("{name}_rate"), count, took);
        report.times(name, times);
        self.note_processor_time(used, count, name, report)?;
        Ok(took)
    }

    fn processor_time(&self) -> anyhow::Result<Option<Duration>> {
        self.server.as_ref().map(Process::processor_time).transpose()
    }

    /// Adds what each of `count` calls since `used` cost the server.
    fn note_processor_time(
        &self,
        used: Option<Duration>,
        count: usize,
        name: &str,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        if let (Some(before), Some(after)) = (used, self.processor_time()?) {
            let count = u32::try_from(count).context("too many calls")?.max(1);
            report.time(&format!("{name}_cpu_per_call"), after.saturating_sub(before) / count);
        }
        Ok(())
    }
}
