//! `agent_rss`: the memory of one agent process that is connected and has nothing to do.

use std::{process::Stdio, time::Duration};

use anyhow::Context as _;
use guardhouse_loadgen::process::Process;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
    time::{sleep, timeout},
};

use super::{figure::Measured, house::House, median, setup::Setup};

/// How often it is measured, each time with a new process.
const RUNS: usize = 3;

/// How long the agent may take to connect.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long it rests before its memory is read.
const REST: Duration = Duration::from_secs(10);

/// Enrols one agent and starts it, again and again. There is only one at a time: two would share pages, and look
/// smaller than they are.
///
/// # Errors
/// It does not enrol or connect.
pub async fn measure(setup: &Setup) -> anyhow::Result<Measured> {
    let mut house = House::start_new(setup).await?;
    let state = house.folder().join("agent");
    let token = house.token(1).await?;
    let mut enrol = Command::new(&setup.agent);
    enrol.args(["enroll", "--server", &house.url(), "--token", &token, "--state-dir"]).arg(&state);
    let enrolled = enrol.stdin(Stdio::null()).stdout(Stdio::null()).status().await?;
    anyhow::ensure!(enrolled.success(), "the agent did not enrol");

    let mut sizes = Vec::new();
    for _ in 0..RUNS {
        let mut run = Command::new(&setup.agent);
        run.arg("run").arg("--state-dir").arg(&state).env("GUARDHOUSE_LOG", "info");
        let mut agent = run.stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
        let process = Process::new(agent.id().context("the agent is gone")?)?;
        let mut said = BufReader::new(agent.stderr.take().context("standard error is piped")?).lines();
        let connected = async {
            while let Some(line) = said.next_line().await? {
                if line.contains("connected") {
                    return anyhow::Ok(());
                }
            }
            anyhow::bail!("the agent ended")
        };
        timeout(PATIENCE, connected).await.context("the agent did not connect in time")??;
        sleep(REST).await;
        #[allow(clippy::cast_precision_loss, reason = "KiB, far below 2^52")]
        sizes.push(process.memory()?.pss as f64 / 1_024.0);
        agent.kill().await?;
    }
    house.stop().await?;
    let note = format!(
        "PSS of the only agent on the machine, median of {RUNS} processes, {} s after it connected.",
        REST.as_secs()
    );
    Ok(Measured::new(median(&mut sizes), note))
}
