//! What is created at one replica arrives at devices that are connected to another.

use std::time::Duration;

use guardhouse_contract::automation::TaskRunStatus;
use tokio::time::timeout;

use super::House;
use crate::support::of_devices;

/// The least time between two looks of a session that nothing wakes.
pub const LEAST_WAIT: Duration = Duration::from_secs(22);

/// How many tasks follow each other, each after the result of the one before.
const TASKS: u32 = 12;

#[tokio::test]
async fn a_task_from_one_replica_wakes_devices_of_the_other() {
    let mut house = House::new(2).await;
    // Enrolled at the one, connected to the other: they show certificates of one authority.
    house.lead_to(&[0]);
    house.start_agents(3).await;
    house.all_connected_to(0).await;
    house.lead_to(&[1]);
    for agent in &mut house.agents {
        agent.kill().await;
        agent.start();
    }
    house.all_connected_to(1).await;

    let api = house.replicas[0].admin().await;
    let script = house.evidence.script();
    let one_after_the_other = async {
        for number in 0..TASKS {
            let agent = &house.agents[number as usize % house.agents.len()];
            let task = api.run_command(of_devices(&[&agent.device]), &script).await;
            let runs = api.ended_runs(&task, 1).await.0;
            assert_eq!(runs[0].status(), TaskRunStatus::Finished, "{runs:?}");
        }
    };
    // Without wake-ups each task would wait for the next look of its device: together four looks of each.
    let limit = LEAST_WAIT * (TASKS / 3 - 1);
    timeout(limit, one_after_the_other).await.expect("the wake-ups arrive");
    assert_eq!(house.evidence.runs().len(), TASKS as usize);
}

#[tokio::test]
async fn a_task_for_everybody_reaches_all_replicas() {
    let mut house = House::new(3).await;
    // Two at each: in turns by connection it would be chance where the links end up.
    for replica in [0, 1, 2] {
        house.lead_to(&[replica]);
        house.start_agents(2).await;
        for agent in &house.agents[2 * replica..] {
            house.replicas[replica].logged(&["device connected", &agent.device]).await;
        }
    }
    for number in [0, 1, 2] {
        let api = house.replicas[number].admin().await;
        house.run_everywhere(&api, &house.evidence.script()).await;
    }
    for replica in &house.replicas {
        house.check(&replica.admin().await).await;
    }
}
