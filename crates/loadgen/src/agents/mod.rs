//! `guardhouse-loadgen agents`

mod dispatch;
mod fleet;
mod host;
mod link;
mod mark;

use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use guardhouse_link::{EnrolmentToken, tls::Trust};
use guardhouse_model::Environment;
use http::Uri;
use tokio::{sync::mpsc, time::sleep};

use crate::{api::Api, descriptors, process::Process, report::Report};
use dispatch::Measurement;
use fleet::Fleet;
use mark::Series;

/// What is simulated and measured.
#[derive(Debug, Args)]
pub struct AgentsArgs {
    /// Address of the server; run it with --rate-limit 0.
    #[arg(long, value_name = "URL", default_value = "https://127.0.0.1:7443")]
    server: Uri,

    /// Enrolment token with as many uses as there are agents.
    #[arg(long, env = "GUARDHOUSE_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: EnrolmentToken,

    /// How many agents to simulate.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    agents: u32,

    /// How many tasks to give them, one after the other.
    #[arg(long, value_name = "K", default_value_t = 1)]
    tasks: u32,

    /// At whom the tasks are aimed.
    #[arg(long, value_enum, default_value_t)]
    target: Target,

    /// Account that creates the tasks.
    #[arg(long, value_name = "NAME", default_value = "load")]
    user: String,

    /// Its password.
    #[arg(long, env = "GUARDHOUSE_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    password: Option<String>,

    /// File with its password.
    #[arg(long, value_name = "FILE", conflicts_with = "password")]
    password_file: Option<std::path::PathBuf>,

    /// Process of the server, on this machine: measures its memory and processor time.
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,

    /// How many hosts enrol, and how many links are opened, at the same time.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,

    /// How long the connected agents rest before memory is measured, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    settle: u64,

    /// How long a task may take until its last result, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    limit: u64,

    /// Print one JSON object per figure: name, value, unit.
    #[arg(long)]
    json: bool,
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
pub async fn run(args: AgentsArgs) -> anyhow::Result<()> {
    anyhow::ensure!(args.server.scheme_str() == Some("https"), "--server must be https://HOST:PORT");
    let password = password(&args)?;
    descriptors::make_room(u64::from(args.agents) + u64::from(args.concurrency))?;
    let environment = Environment::system();
    let server_process = args.server_pid.map(Process::new).transpose()?;
    let trust = Trust::Pinned(args.token.authority);
    // First of all: a wrong password should not cost the uses of the token.
    let api = Api::sign_in(&args.server, trust, &args.user, &password, environment.clone()).await?;

    let mut report = Report::default();
    report.count("agents", args.agents as usize);
    note_memory(&mut report, "start", server_process.as_ref())?;

    let mut fleet = Fleet::new(args.server.clone(), usize::from(args.concurrency), environment.clone());
    fleet.enrol(&args.token, args.agents as usize, &mut report).await?;
    sleep(Duration::from_secs(args.settle)).await;
    let before = note_memory(&mut report, "enrolled", server_process.as_ref())?;

    let series = Series(u64::from_le_bytes(environment.random()));
    let (events, arriving) = mpsc::unbounded_channel();
    fleet.connect(series, &events, &mut report).await?;
    sleep(Duration::from_secs(args.settle)).await;
    if let (Some(before), Some(after)) =
        (before, note_memory(&mut report, "connected", server_process.as_ref())?)
    {
        report.memory("memory_per_agent", (after - before) / f64::from(args.agents));
    }

    let mut measurement = Measurement {
        api,
        series,
        targets: fleet.targets(args.target),
        agents: args.agents as usize,
        limit: Duration::from_secs(args.limit),
        events: arriving,
        server: server_process.clone(),
    };
    let mut outcome = measurement.run(args.tasks, &mut report).await;
    if outcome.is_ok() {
        outcome = note_memory(&mut report, "after_tasks", server_process.as_ref()).map(drop);
    }
    // What was measured before something went wrong is worth seeing too.
    report.print(args.json)?;
    outcome
}

fn password(args: &AgentsArgs) -> anyhow::Result<String> {
    if let Some(password) = &args.password {
        return Ok(password.clone());
    }
    let file = args
        .password_file
        .as_ref()
        .context("no password: name a file with --password-file, or set GUARDHOUSE_PASSWORD")?;
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Adds the memory of the server at this moment; answers its anonymous part in KiB.
fn note_memory(report: &mut Report, moment: &str, server: Option<&Process>) -> anyhow::Result<Option<f64>> {
    let Some(server) = server else { return Ok(None) };
    let memory = server.memory()?;
    #[allow(clippy::cast_precision_loss, reason = "KiB, far below 2^52")]
    let (pss, anonymous) = (memory.pss as f64, memory.pss_anonymous as f64);
    report.memory(&format!("server_pss_{moment}"), pss);
    report.memory(&format!("server_pss_anonymous_{moment}"), anonymous);
    Ok(Some(pss))
}
