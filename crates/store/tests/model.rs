//! Random commands, carried out on both engines and on a model of the store: every answer must be the same, and in the
//! end everything that can be read.
//!
//! `model/` has a file per aggregate. It begins with the model's half of the verbs, over plain maps and written to be
//! obviously right rather than fast: it can be read as the specification of the verbs. The commands follow, which call
//! them. Their ids, names and moments come from small pools ([`pools`]), so that they meet and repeat each other.
//!
//! `PROPTEST_CASES` says how many sequences to try. A sequence that fails is made as short as it can be, and printed.

#[macro_use]
#[path = "model/bench.rs"]
mod bench;
#[path = "model/pools.rs"]
mod pools;
#[path = "model/postgres.rs"]
mod postgres;

#[path = "model/access_keys.rs"]
mod access_keys;
#[path = "model/agent_releases.rs"]
mod agent_releases;
#[path = "model/agentless/mod.rs"]
mod agentless;
#[path = "model/device_policies.rs"]
mod device_policies;
#[path = "model/device_runs.rs"]
mod device_runs;
#[path = "model/devices.rs"]
mod devices;
#[path = "model/dynamic_groups.rs"]
mod dynamic_groups;
#[path = "model/enrolment.rs"]
mod enrolment;
#[path = "model/groups.rs"]
mod groups;
#[path = "model/identity.rs"]
mod identity;
#[path = "model/machines.rs"]
mod machines;
#[path = "model/policies.rs"]
mod policies;
#[path = "model/responses.rs"]
mod responses;
#[path = "model/retention.rs"]
mod retention;
#[path = "model/runs.rs"]
mod runs;
#[path = "model/tasks.rs"]
mod tasks;
#[path = "model/whole.rs"]
mod whole;

use std::{env, ops::Range};

use bench::{Bench, Outcome};
use postgres::Postgres;
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use tokio::runtime::Builder;

/// Sequences to try when `PROPTEST_CASES` does not say: two cores take some twenty seconds for them.
const CASES: u32 = 40;

/// How many commands make something to begin with, and how many of any kind follow.
const OPENING: Range<usize> = 1..30;
const REST: Range<usize> = 1..150;

/// Milliseconds to make a failing sequence shorter.
const SHRINKING: u32 = 60_000;

#[derive(Debug, Clone)]
enum Command {
    Groups(groups::Command),
    DynamicGroups(dynamic_groups::Command),
    Devices(devices::Command),
    Enrolment(enrolment::Command),
    Machines(machines::Command),
    Tasks(tasks::Command),
    Runs(runs::Command),
    Policies(policies::Command),
    DevicePolicies(device_policies::Command),
    DeviceRuns(device_runs::Command),
    Retention(retention::Command),
    Identity(identity::Command),
    AccessKeys(access_keys::Command),
    Responses(responses::Command),
    AgentReleases(agent_releases::Command),
    Agentless(agentless::Command),
}

/// Commands of all aggregates: first those that make something, as most others need it, then of any kind.
fn sequences() -> impl Strategy<Value = Vec<Command>> {
    let making = prop_oneof![
        2 => groups::creations().prop_map(Command::Groups),
        2 => dynamic_groups::creations().prop_map(Command::DynamicGroups),
        5 => devices::creations().prop_map(Command::Devices),
        2 => enrolment::creations().prop_map(Command::Enrolment),
        4 => tasks::creations().prop_map(Command::Tasks),
        4 => policies::creations().prop_map(Command::Policies),
        1 => retention::creations().prop_map(Command::Retention),
        3 => identity::creations().prop_map(Command::Identity),
        2 => access_keys::creations().prop_map(Command::AccessKeys),
        1 => responses::creations().prop_map(Command::Responses),
        4 => agentless::creations().prop_map(Command::Agentless),
    ];
    let any = prop_oneof![
        3 => groups::commands().prop_map(Command::Groups),
        6 => dynamic_groups::commands().prop_map(Command::DynamicGroups),
        5 => devices::commands().prop_map(Command::Devices),
        5 => enrolment::commands().prop_map(Command::Enrolment),
        5 => machines::commands().prop_map(Command::Machines),
        5 => tasks::commands().prop_map(Command::Tasks),
        14 => runs::commands().prop_map(Command::Runs),
        8 => policies::commands().prop_map(Command::Policies),
        3 => device_policies::commands().prop_map(Command::DevicePolicies),
        7 => device_runs::commands().prop_map(Command::DeviceRuns),
        4 => retention::commands().prop_map(Command::Retention),
        8 => identity::commands().prop_map(Command::Identity),
        5 => access_keys::commands().prop_map(Command::AccessKeys),
        4 => responses::commands().prop_map(Command::Responses),
        3 => agent_releases::commands().prop_map(Command::AgentReleases),
        16 => agentless::commands().prop_map(Command::Agentless),
    ];
    (vec(making, OPENING), vec(any, REST)).prop_map(|(making, any)| [making, any].concat())
}

async fn carry_out(mut bench: Bench, commands: Vec<Command>) -> Outcome {
    for command in commands {
        match command {
            Command::Groups(command) => groups::carry_out(&mut bench, command).await?,
            Command::DynamicGroups(command) => dynamic_groups::carry_out(&mut bench, command).await?,
            Command::Devices(command) => devices::carry_out(&mut bench, command).await?,
            Command::Enrolment(command) => enrolment::carry_out(&mut bench, command).await?,
            Command::Machines(command) => machines::carry_out(&mut bench, command).await?,
            Command::Tasks(command) => tasks::carry_out(&mut bench, command).await?,
            Command::Runs(command) => runs::carry_out(&mut bench, command).await?,
            Command::Policies(command) => policies::carry_out(&mut bench, command).await?,
            Command::DevicePolicies(command) => device_policies::carry_out(&mut bench, command).await?,
            Command::DeviceRuns(command) => device_runs::carry_out(&mut bench, command).await?,
            Command::Retention(command) => retention::carry_out(&mut bench, command).await?,
            Command::Identity(command) => identity::carry_out(&mut bench, command).await?,
            Command::AccessKeys(command) => access_keys::carry_out(&mut bench, command).await?,
            Command::Responses(command) => responses::carry_out(&mut bench, command).await?,
            Command::AgentReleases(command) => agent_releases::carry_out(&mut bench, command).await?,
            Command::Agentless(command) => agentless::carry_out(&mut bench, command).await?,
        }
    }
    whole::compare(&mut bench).await
}

fn config() -> ProptestConfig {
    let config = ProptestConfig {
        // What fails is printed, and becomes a case of the conformance suite.
        failure_persistence: None,
        max_shrink_time: SHRINKING,
        ..ProptestConfig::default()
    };
    if env::var_os("PROPTEST_CASES").is_some() { config } else { ProptestConfig { cases: CASES, ..config } }
}

#[test]
fn both_engines_do_what_the_model_does() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let postgres = Postgres::new(&runtime);
    let tried = TestRunner::new(config()).run(&sequences(), |commands| {
        runtime.block_on(async { carry_out(Bench::new(&postgres).await, commands).await })
    });
    if let Err(failed) = tried {
        panic!("{failed}");
    }
}
