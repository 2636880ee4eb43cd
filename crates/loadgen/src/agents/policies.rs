//! How long a policy takes until all agents have it and the server knows.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Context as _;
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{Instant, timeout_at},
};
use tracing::info;

use super::link::{Event, now};
use crate::{api::PolicyApi, report::Report, statistics::Times};

/// Devices that are asked for whether the server has kept their report, at most: those that got the policy last, and
/// others between them.
const ASKED: usize = 500;

/// The limit of the first policy, in bytes; each further one has one more, so that no two say the same.
const FIRST: u32 = 4_096;

/// Assigns policies to agents that are connected.
#[derive(Debug)]
pub struct Assignments<'a> {
    /// Creates and assigns the policies.
    pub api: PolicyApi,
    /// The devices of the agents; the agent with the number 1 is the first.
    pub devices: Vec<String>,
    /// How long a policy may take.
    pub limit: Duration,
    /// What the agents tell.
    pub events: &'a mut UnboundedReceiver<Event>,
}

impl Assignments<'_> {
    /// Assigns `count` policies to the group *All*, one after the other, and reports their times: `policy_p50` to
    /// `policy_max` until an agent has the policy, over every agent and policy; `policy_total` the median policy and
    /// `policy_total_worst` the slowest, each from the call until the server has kept the report of the last agent;
    /// `assign_call` the call itself.
    ///
    /// # Errors
    /// The server refuses a policy, a link is lost, or agents are missing when the time is over.
    pub async fn run(&mut self, count: u32, report: &mut Report) -> anyhow::Result<()> {
        let (mut reached, mut totals, mut calls) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..count {
            let policy = self.api.create(FIRST + number).await?;
            let begun = now();
            self.api.assign_to_all(policy.clone()).await?;
            calls.push(begun.elapsed());
            let arrivals = self.arrivals(begun).await?;
            let total = self.kept(&arrivals, begun).await? - begun;
            info!(policy = number + 1, ?total, "a policy is in force everywhere");
            totals.push(total);
            reached.extend(arrivals.into_iter().map(|(_, at)| at - begun));
            self.api.delete(policy).await?;
            self.arrivals(now()).await?;
        }
        let (Some(totals), Some(calls)) = (Times::new(totals), Times::new(calls)) else { return Ok(()) };
        report.count("policies", count as usize);
        report.time("assign_call", calls.median());
        report.times("policy", reached);
        report.time("policy_total", totals.median());
        report.time("policy_total_worst", totals.longest());
        Ok(())
    }

    /// Waits until all agents have the policy that they should have now; answers who got it when, in that order.
    async fn arrivals(&mut self, begun: Instant) -> anyhow::Result<Vec<(usize, Instant)>> {
        let first = self.devices.first().context("there are agents")?.clone();
        let policy = self.api.effective(first).await?.effective_policy.context("there is always one")?;
        let mut arrivals = Vec::with_capacity(self.devices.len());
        let mut seen = BTreeSet::new();
        while arrivals.len() < self.devices.len() {
            let event = timeout_at(begun + self.limit, self.events.recv()).await;
            match event.ok().flatten() {
                Some(Event::Ruled { number, generation, at }) if generation == policy.generation => {
                    if seen.insert(number) {
                        arrivals.push((number, at));
                    }
                }
                Some(Event::Ruled { .. } | Event::Stored(..) | Event::Back { .. }) => {}
                Some(Event::Lost { reason, .. }) => anyhow::bail!("a link was lost: {reason}"),
                None => anyhow::bail!(
                    "{} of {} agents did not get the policy within {} s",
                    self.devices.len() - arrivals.len(),
                    self.devices.len(),
                    self.limit.as_secs()
                ),
            }
        }
        Ok(arrivals)
    }

    /// Waits until the server has kept the reports of these agents; answers when that was so. An agent reports as soon as
    /// it has the policy and is told nothing of what becomes of that, so the server is asked, for the last agent first.
    /// What is found at once was kept before.
    async fn kept(&mut self, arrivals: &[(usize, Instant)], begun: Instant) -> anyhow::Result<Instant> {
        let step = (arrivals.len() / ASKED).max(1);
        let mut kept = None;
        for (number, _) in arrivals.iter().rev().step_by(step) {
            let mut is_first = true;
            while !self.is_kept(*number).await? {
                anyhow::ensure!(begun.elapsed() < self.limit, "the report of agent {number} is not kept");
                is_first = false;
            }
            if !is_first || kept.is_none() {
                kept = Some(now());
            }
        }
        kept.context("there are agents")
    }

    async fn is_kept(&mut self, number: usize) -> anyhow::Result<bool> {
        let device = self.devices.get(number - 1).context("a number of an agent")?.clone();
        let applied = self.api.effective(device).await?.applied_policy;
        Ok(applied.is_some_and(|applied| applied.up_to_date))
    }
}
