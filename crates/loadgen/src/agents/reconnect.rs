//! How long it takes until all agents are back after their server died.

use std::{collections::HashMap, process::Stdio, time::Duration};

use anyhow::Context as _;
use tokio::{
    process::{Child, Command},
    sync::mpsc::UnboundedReceiver,
    time::timeout_at,
};
use tracing::info;

use super::link::{Event, now};
use crate::{process::Process, report::Report, statistics::Times};

/// Kills a server and starts it again while agents are connected to it.
#[derive(Debug)]
pub struct Restarts<'a> {
    /// The process that serves now; afterwards the last one that was started.
    pub server: Process,
    /// The shell command that starts a server on the same data and address.
    pub command: &'a str,
    /// How many agents come back.
    pub agents: usize,
    /// How long that may take.
    pub limit: Duration,
    /// What the agents tell.
    pub events: &'a mut UnboundedReceiver<Event>,
}

impl Restarts<'_> {
    /// Kills and starts the server `count` times and reports, each from the kill until Welcome: `reconnect_p50`
    /// to `reconnect_max` over all agents and restarts, `reconnect_total` the median restart and
    /// `reconnect_total_worst` the slowest. Answers the last server, which dies with its handle.
    ///
    /// # Errors
    /// The server cannot be killed or started, or agents are missing when the time is over.
    pub async fn run(mut self, count: u32, report: &mut Report) -> anyhow::Result<Option<Child>> {
        let (mut all, mut totals, mut attempts, mut child) = (Vec::new(), Vec::new(), 0, None);
        for number in 0..count {
            let (times, tried) = self.one(&mut child).await?;
            let total = times.iter().max().copied().unwrap_or_default();
            info!(restart = number + 1, ?total, attempts = tried, "all agents are back");
            totals.push(total);
            all.extend(times);
            attempts += tried;
        }
        let Some(totals) = Times::new(totals) else { return Ok(child) };
        report.count("restarts", count as usize);
        report.times("reconnect", all);
        report.time("reconnect_total", totals.median());
        report.time("reconnect_total_worst", totals.longest());
        report.count("reconnect_attempts", attempts);
        Ok(child)
    }

    /// One restart: after what time each agent was back, and how many attempts all of them made.
    async fn one(&mut self, child: &mut Option<Child>) -> anyhow::Result<(Vec<Duration>, usize)> {
        let begun = now();
        self.server.kill().await?;
        // Its standard output says where it listens, and would end up among the figures.
        let started = Command::new("sh")
            .args(["-c", &format!("exec {}", self.command)])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the server again")?;
        let id = started.id().context("the server that was started is gone")?;
        self.server = Process::new(id)?;
        *child = Some(started);

        // Those that came back may be lost again: what counts is who is there. One entry per agent.
        let mut back: HashMap<usize, Duration> = HashMap::with_capacity(self.agents);
        let mut attempts = 0;
        while back.len() < self.agents {
            match timeout_at(begun + self.limit, self.events.recv()).await.ok().flatten() {
                Some(Event::Back { number, at, attempts: tried }) => {
                    back.insert(number, at - begun);
                    attempts += tried as usize;
                }
                Some(Event::Lost { number, .. }) => drop(back.remove(&number)),
                Some(Event::Stored(..) | Event::Ruled { .. }) => {}
                None => anyhow::bail!(
                    "{} of {} agents are not back after {} s",
                    self.agents - back.len(),
                    self.agents,
                    self.limit.as_secs()
                ),
            }
        }
        Ok((back.into_values().collect(), attempts))
    }
}
