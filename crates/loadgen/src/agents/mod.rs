//! `guardhouse-loadgen agents`

mod agent;
mod dispatch;
mod endpoint;
mod fleet;
mod host;
mod link;
mod mark;
mod policies;
mod reconnect;
mod wire;

use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use guardhouse_link::{EnrolmentToken, tls::Trust};
use guardhouse_model::Environment;
use tokio::{sync::mpsc, time::sleep};

use crate::{
    account::Account,
    api::{Api, PolicyApi},
    descriptors,
    process::Process,
    report::Report,
};
use dispatch::Measurement;
use endpoint::Endpoint;
use fleet::Fleet;
use link::Event;
pub(crate) use link::now;
use mark::Series;
use policies::Assignments;
use reconnect::Restarts;

/// What is simulated and measured.
#[derive(Debug, Args)]
pub struct AgentsArgs {
    #[command(flatten)]
    account: Account,

    /// Enrolment token with as many uses as there are agents.
    #[arg(long, env = "GUARDHOUSE_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: EnrolmentToken,

    /// How many agents to simulate.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    agents: u32,

    /// How many tasks to give them, one after the other.
    #[arg(long, value_name = "K", default_value_t = 1)]
    tasks: u32,

    /// How many policies to assign to the group *All*, one after the other, after the tasks.
    #[arg(long, value_name = "K", default_value_t = 0)]
    policies: u32,

    /// At whom the tasks are aimed.
    #[arg(long, value_enum, default_value_t)]
    target: Target,

    /// How often the server is killed and started again, after the tasks.
    #[arg(long, value_name = "K", default_value_t = 0, requires = "restart_with", requires = "server_pid")]
    restarts: u32,

    /// Shell command that starts the server again, on the same data and address; it is killed in the end.
    #[arg(long, value_name = "COMMAND")]
    restart_with: Option<String>,

    /// Process of the server, on this machine: measures its memory and processor time.
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,

    /// How many hosts enrol, and how many links are opened, at the same time.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,

    /// How long the connected agents rest before memory is measured, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    settle: u64,

    /// How long a task may take until its last result, a policy until the last agent has it, and a restart until the last agent is back, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    limit: u64,
}

/// At whom a task can be aimed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Target {
    /// The group *All*.
    #[default]
    All,
    /// Every simulated agent by its uuid.
    Devices,
}

/// Enrols, connects, drives and reports.
///
/// # Errors
/// Something could not be measured; the report holds what was measured before.
pub async fn run(args: &AgentsArgs, report: &mut Report) -> anyhow::Result<()> {
    let endpoint = Endpoint::find(&args.account.server).await?;
    descriptors::make_room(u64::from(args.agents) + u64::from(args.concurrency))?;
    let environment = Environment::system();
    let server = args.server_pid.map(Process::new).transpose()?;
    let trust = Trust::Pinned(args.token.authority);
    // First of all: a wrong password should not cost the uses of the token.
    let signed_in = args.account.sign_in(trust, &[guardhouse_link::tls::HTTP_2]).await?;
    let api = Api::open(&args.account.server, &signed_in, environment.clone()).await?;
    let policies = PolicyApi::open(&args.account.server, &signed_in).await?;

    let agents = args.agents as usize;
    report.count("agents", agents);
    note_memory(report, "start", server.as_ref())?;

    let mut fleet = Fleet::new(endpoint, usize::from(args.concurrency), environment.clone());
    fleet.enrol(&args.token, agents, report).await?;
    sleep(Duration::from_secs(args.settle)).await;
    let before = note_memory(report, "enrolled", server.as_ref())?;

    let series = Series(u64::from_le_bytes(environment.random()));
    let (events, mut arriving) = mpsc::unbounded_channel();
    fleet.connect(series, &events, report).await?;
    sleep(Duration::from_secs(args.settle)).await;
    // Whatever is measured next is about all of them.
    if let Ok(Event::Lost { reason, .. }) = arriving.try_recv() {
        anyhow::bail!("a link was lost: {reason}");
    }
    if let (Some(before), Some(after)) = (before, note_memory(report, "connected", server.as_ref())?) {
        report.memory("memory_per_agent", (after - before) / f64::from(args.agents));
    }

    let limit = Duration::from_secs(args.limit);
    let targets = fleet.targets(args.target);
    let (events, measured) = (&mut arriving, server.clone());
    let mut measurement = Measurement { api, series, targets, agents, limit, events, server: measured };
    measurement.run(args.tasks, report).await?;
    note_memory(report, "after_tasks", server.as_ref())?;

    let (devices, events) = (fleet.devices(), &mut arriving);
    Assignments { api: policies, devices, limit, events }.run(args.policies, report).await?;

    if let (Some(server), Some(command)) = (server, args.restart_with.as_deref()) {
        let events = &mut arriving;
        let started = Restarts { server, command, agents, limit, events }.run(args.restarts, report).await?;
        drop(fleet);
        if let Some(mut started) = started {
            started.kill().await.context("the server that was started could not be stopped")?;
        }
    }
    Ok(())
}

/// Adds the memory of the server at this moment; answers its proportional set size in KiB.
fn note_memory(report: &mut Report, moment: &str, server: Option<&Process>) -> anyhow::Result<Option<f64>> {
    let Some(server) = server else { return Ok(None) };
    let memory = server.memory()?;
    #[allow(clippy::cast_precision_loss, reason = "KiB, far below 2^52")]
    let (pss, anonymous) = (memory.pss as f64, memory.pss_anonymous as f64);
    report.memory(&format!("server_pss_{moment}"), pss);
    report.memory(&format!("server_pss_anonymous_{moment}"), anonymous);
    Ok(Some(pss))
}
