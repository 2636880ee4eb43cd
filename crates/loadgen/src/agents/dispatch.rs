//! How long a task takes until the results of all agents are stored.

use std::time::Duration;

use anyhow::Context as _;
use guardhouse_contract::automation::DeviceTaskTargets;
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{Instant, timeout_at},
};
use tracing::info;

use super::{
    link::{Event, now},
    mark::{Mark, Series},
};
use crate::{api::Api, process::Process, report::Report, statistics::Times};

/// Gives tasks to agents that are connected.
#[derive(Debug)]
pub struct Measurement<'a> {
    /// Creates the tasks.
    pub api: Api,
    /// By which agents recognise them.
    pub series: Series,
    /// At whom they are aimed.
    pub targets: DeviceTaskTargets,
    /// How many agents answer.
    pub agents: usize,
    /// How long a task may take.
    pub limit: Duration,
    /// What the agents tell.
    pub events: &'a mut UnboundedReceiver<Event>,
    /// The server, if it can be measured.
    pub server: Option<Process>,
}

impl Measurement<'_> {
    /// Gives `count` tasks, one after the other, and reports their times: `dispatch_p50` to `dispatch_max` over
    /// every result of every task, `dispatch_total` the median task and `dispatch_total_worst` the slowest,
    /// each from the call until the last result.
    ///
    /// # Errors
    /// The server refuses a task, a link is lost, or results are missing when the time is over.
    pub async fn run(&mut self, count: u32, report: &mut Report) -> anyhow::Result<()> {
        let (mut results, mut totals, mut calls) = (Vec::new(), Vec::new(), Vec::new());
        let used = self.processor_time()?;
        for number in 0..count {
            let task = self.one(Mark(number)).await?;
            let total = task.times.iter().max().copied().unwrap_or_default();
            info!(task = number + 1, ?total, "a task is done");
            totals.push(total);
            calls.push(task.call);
            results.extend(task.times);
        }
        let (Some(totals), Some(calls)) = (Times::new(totals), Times::new(calls)) else { return Ok(()) };
        report.count("tasks", count as usize);
        report.time("create_call", calls.median());
        report.times("dispatch", results);
        report.time("dispatch_total", totals.median());
        report.time("dispatch_total_worst", totals.longest());
        if let (Some(before), Some(after)) = (used, self.processor_time()?) {
            let results = u32::try_from(self.agents).context("too many agents")?.saturating_mul(count);
            report.time("cpu_per_result", after.saturating_sub(before) / results);
        }
        Ok(())
    }

    async fn one(&mut self, mark: Mark) -> anyhow::Result<Done> {
        let begun = now();
        let task = self.api.run_command(self.targets.clone(), self.series.script(mark)).await?;
        let call = begun.elapsed();
        let times = self.results(mark, begun).await?;
        self.api.delete_task(task).await?;
        Ok(Done { call, times })
    }

    /// Waits for the results of all agents.
    async fn results(&mut self, mark: Mark, begun: Instant) -> anyhow::Result<Vec<Duration>> {
        let mut times = Vec::with_capacity(self.agents);
        while times.len() < self.agents {
            let event = timeout_at(begun + self.limit, self.events.recv()).await;
            match event.ok().flatten() {
                Some(Event::Stored(of, at)) if of == mark => times.push(at - begun),
                Some(Event::Stored(..) | Event::Ruled { .. } | Event::Back { .. }) => {}
                Some(Event::Lost { reason, .. }) => anyhow::bail!("a link was lost: {reason}"),
                None => anyhow::bail!(
                    "{} of {} results are missing after {} s",
                    self.agents - times.len(),
                    self.agents,
                    self.limit.as_secs()
                ),
            }
        }
        Ok(times)
    }

    fn processor_time(&self) -> anyhow::Result<Option<Duration>> {
        self.server.as_ref().map(Process::processor_time).transpose()
    }
}

/// One task that is done.
struct Done {
    /// How long the call took that created it.
    call: Duration,
    /// From the beginning of that call until the result of each agent was stored.
    times: Vec<Duration>,
}
