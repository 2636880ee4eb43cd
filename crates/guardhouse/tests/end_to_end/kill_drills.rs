//! `kill -9` of the agent, of the server and of both, at any moment: every task runs exactly once, and no
//! result is lost.

use std::collections::BTreeSet;

use guardhouse_agent::kill_points::KILL_STEPS;
use guardhouse_contract::automation::TaskRunStatus;

use crate::support::{Agent, Evidence, Server, of_devices, wait_for};

/// A drill has a hundred tasks: five rounds of twenty.
const ROUNDS: usize = 5;
const TASKS_PER_ROUND: usize = 20;

/// How many runs of its round a kill waits for. Runs overlap, so that it meets others in every state.
const RUNS_BEFORE_KILL: usize = 5;

#[tokio::test]
async fn an_agent_killed_at_any_step_neither_loses_nor_repeats() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let token = server.enrolment_token(None).await;
    for &step in KILL_STEPS {
        let evidence = Evidence::new();
        let mut agent = Agent::enrol(&server, step, &token).await;
        agent.start_to_die_at(step);
        let task = api.run_command(of_devices(&[&agent.device]), &evidence.script()).await;
        agent.died().await;
        agent.start();
        let runs = api.ended_runs(&task, 1).await.0;
        assert_eq!(runs[0].status(), TaskRunStatus::Finished, "{step}: {runs:?}");
        assert_eq!(evidence.runs(), [runs[0].uuid.as_str()], "{step}");
    }
}

#[tokio::test]
async fn a_hundred_tasks_survive_an_agent_that_is_killed() {
    let mut drill = Drill::new().await;
    for _ in 0..ROUNDS {
        drill.round().await;
        drill.agent.kill().await;
        drill.agent.start();
    }
    drill.check().await;
}

#[tokio::test]
async fn a_hundred_tasks_survive_a_server_that_is_killed() {
    let mut drill = Drill::new().await;
    for _ in 0..ROUNDS {
        drill.round().await;
        drill.server.kill().await;
        drill.server.restart().await;
    }
    drill.check().await;
}

#[tokio::test]
async fn a_hundred_tasks_survive_when_both_are_killed() {
    let mut drill = Drill::new().await;
    for round in 0..ROUNDS {
        drill.round().await;
        // Whoever dies last may have heard of the other's end, or not.
        if round % 2 == 0 {
            drill.agent.kill().await;
            drill.server.kill().await;
        } else {
            drill.server.kill().await;
            drill.agent.kill().await;
        }
        drill.agent.start();
        drill.server.restart().await;
    }
    drill.check().await;
}

/// A server with a device, and what they were told to do.
struct Drill {
    server: Server,
    agent: Agent,
    tasks: Vec<String>,
    evidence: Evidence,
}

impl Drill {
    async fn new() -> Self {
        let server = Server::start(&[]).await;
        let agent = Agent::start_new(&server, "drilled").await;
        Self { server, agent, tasks: Vec::new(), evidence: Evidence::new() }
    }

    /// Creates the tasks of one round and waits until some of them have run.
    async fn round(&mut self) {
        let enough = self.tasks.len() + RUNS_BEFORE_KILL;
        let api = self.server.admin().await;
        for _ in 0..TASKS_PER_ROUND {
            let targets = of_devices(&[&self.agent.device]);
            self.tasks.push(api.run_command(targets, &self.evidence.script()).await);
        }
        let look = async || (self.evidence.runs().len() >= enough).then_some(());
        wait_for(&format!("{enough} runs happen"), look).await;
    }

    /// Waits for all results, and compares them with what has really happened.
    async fn check(&self) {
        let api = self.server.admin().await;
        let mut finished = BTreeSet::new();
        for task in &self.tasks {
            let run = api.ended_runs(task, 1).await.0.remove(0);
            assert_eq!(run.status(), TaskRunStatus::Finished, "{run:?}");
            finished.insert(run.uuid);
        }
        assert_eq!(finished.len(), ROUNDS * TASKS_PER_ROUND);
        let mut happened = self.evidence.runs();
        happened.sort();
        assert_eq!(happened, finished.into_iter().collect::<Vec<_>>(), "each run happened once");
    }
}
