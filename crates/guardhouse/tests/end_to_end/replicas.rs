//! Several servers on one PostgreSQL are one server: whichever an agent or a client ends up at, tasks arrive, run once,
//! and their results are there. The kills and partitions of this module happen to real processes.

mod delivery;
mod drills;
mod keys;
mod partitions;
mod policies;
mod start;

use std::{collections::BTreeSet, net::SocketAddr};

use guardhouse_contract::automation::{DeviceTaskTargets, TaskRunStatus};
use guardhouse_model::groups::ALL;
use guardhouse_testing::postgres::{Database, Server as PostgresServer};

use crate::support::{ADMIN, Agent, Api, Balancer, Evidence, Server, of_groups, wait_for};

/// A few connections for each replica: PostgreSQL is shared with other tests.
const CONNECTIONS: &str = "&connections=3";

/// Four seconds for a statement, so that a database that stands still is soon given up.
const STATEMENT_LIMIT: &str = "&statement_limit=4000";

/// Replicas on one database, and agents that know one address for all of them.
struct House {
    replicas: Vec<Server>,
    agents: Vec<Agent>,
    balancer: Balancer,
    evidence: Evidence,
    tasks: Vec<String>,
    database: Database,
}

impl House {
    /// That many replicas on a new database of the shared PostgreSQL.
    async fn new(replicas: usize) -> Self {
        let database = PostgresServer::shared().empty_database();
        let urls = vec![database.url(); replicas];
        Self::at(database, &urls).await
    }

    /// A replica for each of `urls`, which all lead to `database`.
    async fn at(database: Database, urls: &[String]) -> Self {
        let limited = |url: &String| {
            Server::replica(&format!("{url}{CONNECTIONS}{STATEMENT_LIMIT}"), &["--insecure-http"])
        };
        let mut replicas: Vec<Server> = urls.iter().map(limited).collect();
        replicas[0].add_account(ADMIN, "full").await;
        for replica in &mut replicas {
            replica.restart().await;
        }
        let (balancer, evidence) = (Balancer::new().await, Evidence::new());
        Self { replicas, agents: Vec::new(), balancer, evidence, tasks: Vec::new(), database }
    }

    /// Leads agents to these replicas from now on.
    fn lead_to(&self, replicas: &[usize]) {
        let sockets: Vec<SocketAddr> = replicas.iter().map(|&place| self.replicas[place].socket()).collect();
        self.balancer.lead_to(&sockets);
    }

    /// Enrols that many hosts and starts their agents, all at the one address.
    async fn start_agents(&mut self, count: usize) {
        let token = self.replicas[0].enrolment_token(None).await;
        for number in (self.agents.len()..).take(count) {
            let enrolled = Agent::try_enrol(&self.balancer.url(), &format!("host-{number}"), &token).await;
            let mut agent = enrolled.expect("enrolled");
            agent.start();
            self.agents.push(agent);
        }
    }

    /// Waits until all agents are, or were, connected to a replica.
    async fn all_connected_to(&self, replica: usize) {
        for agent in &self.agents {
            self.replicas[replica].logged(&["device connected", &agent.device]).await;
        }
    }

    /// Creates a task for all devices through `api`.
    async fn run_everywhere(&mut self, api: &Api, script: &str) {
        self.tasks.push(api.run_command(everybody(), script).await);
    }

    /// Waits until that many runs have begun, of all tasks together.
    async fn begun(&self, count: usize) {
        let look = async || (self.evidence.runs().len() >= count).then_some(());
        wait_for(&format!("{count} runs happen"), look).await;
    }

    /// Waits until all tasks have ended on all devices, and compares their results with what has really happened.
    async fn check(&self, api: &Api) {
        let mut finished = BTreeSet::new();
        for task in &self.tasks {
            for run in api.ended_runs(task, self.agents.len()).await.0 {
                assert_eq!(run.status(), TaskRunStatus::Finished, "{run:?}");
                finished.insert(run.uuid);
            }
        }
        assert_eq!(finished.len(), self.tasks.len() * self.agents.len());
        let mut happened = self.evidence.runs();
        happened.sort();
        assert_eq!(happened, finished.into_iter().collect::<Vec<_>>(), "each run happened once");
    }
}

fn everybody() -> DeviceTaskTargets {
    of_groups(&[&ALL.to_string()])
}
