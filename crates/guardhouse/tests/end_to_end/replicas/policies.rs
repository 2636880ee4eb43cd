//! What is assigned at one replica rules devices that are connected to another.

use std::time::Duration;

use guardhouse_contract::{automation::TaskRunStatus, settings::AgentPolicy};
use tokio::time::timeout;

use super::{House, delivery::LEAST_WAIT};
use crate::support::{
    of_devices,
    policies::{list, on_all},
};

/// How often the policy changes, each time after the device obeyed.
const CHANGES: u32 = 4;

#[tokio::test]
async fn a_policy_from_one_replica_reaches_devices_of_the_other() {
    let mut house = House::new(2).await;
    house.lead_to(&[1]);
    house.start_agents(2).await;
    house.all_connected_to(1).await;
    let [here, there] = [house.replicas[0].admin().await, house.replicas[1].admin().await];
    let settings = AgentPolicy { forbidden_actions: list(&["RunCommand"]), ..Default::default() };
    let policy = here.agent_policy("no commands", &settings, &[]).await;

    let changes = async {
        for _ in 0..CHANGES / 2 {
            let assigned = here.assign(on_all(&policy)).await;
            for agent in &house.agents {
                there.in_force(&agent.device).await;
                let task = there.run_command(of_devices(&[&agent.device]), "true").await;
                assert_eq!(there.ended_runs(&task, 1).await.0[0].status(), TaskRunStatus::Suppressed);
            }
            here.unassign(assigned).await;
            for agent in &house.agents {
                there.in_force(&agent.device).await;
            }
        }
    };
    // Without wake-ups each change would wait for the next look of the devices.
    let limit: Duration = LEAST_WAIT * (CHANGES - 1);
    timeout(limit, changes).await.expect("the wake-ups arrive");
    house.run_everywhere(&there, &house.evidence.script()).await;
    house.check(&here).await;
}
