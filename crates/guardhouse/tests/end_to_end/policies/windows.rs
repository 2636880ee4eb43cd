//! Actions that wait for a maintenance window.

use guardhouse_contract::{
    automation::{Action, TaskRunStatus},
    pb::eset::dotnod::os_integration::v1::KillProcessByPidRequest,
    settings::{AgentPolicy, MaintenanceWindow, MaintenanceWindowList},
    status::pack,
};
use guardhouse_model::{Environment, Timestamp};
use prost_types::Duration;

use crate::support::{
    Agent, Evidence, Server, of_devices,
    policies::{list, on_all},
};

/// How far away the window is: it opens and closes every day, and not while the test runs.
const HALF_A_DAY: std::time::Duration = std::time::Duration::from_secs(12 * 3_600);

/// A window of an hour that begins half a day from now.
fn closed(now: Timestamp) -> MaintenanceWindowList {
    let opens = now.saturating_add(HALF_A_DAY).expect("in range");
    let window = MaintenanceWindow {
        start: opens.strftime("%H:%M").to_string(),
        duration: Some(Duration { seconds: 3_600, nanos: 0 }),
        time_zone: "UTC".to_owned(),
        ..Default::default()
    };
    MaintenanceWindowList { values: vec![window], ..Default::default() }
}

#[tokio::test]
async fn a_delayed_action_waits_for_its_window_and_holds_up_no_other() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let agent = Agent::start_new(&server, "till").await;
    let settings = AgentPolicy {
        maintenance_windows: Some(closed(Environment::system().now())),
        delayed_actions: list(&["RunCommand"]),
        ..Default::default()
    };
    let policy = api.agent_policy("at night", &settings, &[]).await;
    let assigned = api.assign(on_all(&policy)).await;

    let evidence = Evidence::new();
    let delayed = api.run_command(of_devices(&[&agent.device]), &evidence.script()).await;
    // What is begun later and need not wait is over first. It kills nobody: nothing has this hash.
    let hash = "0".repeat(64);
    let request =
        KillProcessByPidRequest { pid: server.id(), executable_hash_sha2_256: hash, ..Default::default() };
    let action = Action { name: "KillProcessByPid".to_owned(), params: Some(pack(&request)) };
    let other = api.create_task(of_devices(&[&agent.device]), action).await.expect("a task");
    let other = api.ended_runs(&other, 1).await.0.remove(0);
    assert_eq!(other.status(), TaskRunStatus::Failed, "{other:?}");
    let waiting = api.runs(&delayed).await.0.remove(0);
    assert_eq!(waiting.status(), TaskRunStatus::Queued, "{waiting:?}");
    assert_eq!(evidence.runs(), Vec::<String>::new(), "it did not run");

    api.unassign(assigned).await;
    let ended = api.ended_runs(&delayed, 1).await.0.remove(0);
    assert_eq!(ended.status(), TaskRunStatus::Finished, "{ended:?}");
    assert_eq!(evidence.runs(), [ended.uuid]);
}
