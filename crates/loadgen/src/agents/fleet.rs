//! All simulated agents together.

use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use guardhouse_contract::automation::DeviceTaskTargets;
use guardhouse_link::{
    EnrolmentToken, channel,
    tls::{self, Trust},
};
use guardhouse_model::{Environment, groups};
use tokio::{sync::mpsc::UnboundedSender, task::JoinSet};
use tracing::info;

use super::{
    Target,
    agent::Agent,
    endpoint::Endpoint,
    host::{Common, Host},
    link::{Event, Link, now},
    mark::Series,
};
use crate::report::Report;

/// Connections over which hosts enrol: they share them, as the cost of a host is its link, not its enrolment.
const ENROLMENT_CONNECTIONS: usize = 4;

/// The agents of one generator. Dropping it closes all links.
#[derive(Debug)]
pub struct Fleet {
    endpoint: Arc<Endpoint>,
    concurrency: usize,
    environment: Environment,
    hosts: Vec<Host>,
    links: JoinSet<()>,
}

impl Fleet {
    /// No agents yet; `concurrency` says how many enrol or connect at a time.
    pub fn new(endpoint: Endpoint, concurrency: usize, environment: Environment) -> Self {
        let endpoint = Arc::new(endpoint);
        Self { endpoint, concurrency, environment, hosts: Vec::new(), links: JoinSet::new() }
    }

    /// Enrols `count` hosts.
    ///
    /// # Errors
    /// The server refuses one of them.
    pub async fn enrol(
        &mut self,
        token: &EnrolmentToken,
        count: usize,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let config = tls::client_config(Trust::Pinned(token.authority), None, &[tls::HTTP_2])?;
        let mut channels = Vec::with_capacity(ENROLMENT_CONNECTIONS);
        for _ in 0..ENROLMENT_CONNECTIONS {
            channels.push(channel::connect(&self.endpoint.server, config.clone()).await?);
        }
        info!(count, "hosts enrol");
        let begun = now();
        let common = Common::default();
        let enrolments = (1..=count).map(|number| {
            let channel = channels[number % channels.len()].clone();
            Host::enrol(channel, token, number, &common)
        });
        self.hosts = stream::iter(enrolments).buffer_unordered(self.concurrency).try_collect().await?;
        report.rate("enrolment_rate", count, begun.elapsed());
        Ok(())
    }

    /// Opens the links of all hosts and lets them work.
    ///
    /// # Errors
    /// A host does not get its link.
    pub async fn connect(
        &mut self,
        series: Series,
        events: &UnboundedSender<Event>,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        info!(count = self.hosts.len(), "agents connect");
        let begun = now();
        // Tasks of their own: handshakes are work for every processor, not for the one of this loop.
        let opening = self.hosts.iter().cloned().map(|host| {
            let agent = Agent {
                host,
                endpoint: Arc::clone(&self.endpoint),
                environment: self.environment.clone(),
                series,
                events: events.clone(),
            };
            tokio::spawn(async move { anyhow::Ok((Link::open(&agent.endpoint, &agent.host).await?, agent)) })
        });
        let mut opened = stream::iter(opening).buffer_unordered(self.concurrency);
        while let Some(opened) = opened.next().await {
            let (link, agent) = opened??;
            self.links.spawn(agent.live(link));
        }
        report.time("connect_time", begun.elapsed());
        report.rate("connect_rate", self.hosts.len(), begun.elapsed());
        Ok(())
    }

    /// The devices that they are, by the numbers of their hosts.
    pub fn devices(&self) -> Vec<String> {
        let mut hosts: Vec<&Host> = self.hosts.iter().collect();
        hosts.sort_unstable_by_key(|host| host.number);
        hosts.into_iter().map(|host| host.device_uuid.clone()).collect()
    }

    /// All of them, as the targets of a task.
    pub fn targets(&self, target: Target) -> DeviceTaskTargets {
        match target {
            Target::All => {
                DeviceTaskTargets { device_groups_uuids: vec![groups::ALL.to_string()], ..Default::default() }
            }
            Target::Devices => DeviceTaskTargets {
                devices_uuids: self.hosts.iter().map(|host| host.device_uuid.clone()).collect(),
                ..Default::default()
            },
        }
    }
}
