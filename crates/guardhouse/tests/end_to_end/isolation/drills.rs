//! What happens when something dies or fails on the way: the result of the run and the state of the device agree.

use guardhouse_agent::kill_points::{
    ISOLATION_END_NOTED, ISOLATION_LIFTED, ISOLATION_NOTED, ISOLATION_PROVEN, ISOLATION_TRIED, RUNNER_SPAWNED,
};
use guardhouse_contract::{
    action::ActionFailure,
    automation::{Action, TaskRunStatus},
};

use super::{
    NOTHING, restore, says_isolated,
    scene::{HOUSE_4, SERVER, Scene},
};
use crate::support::{Agent, Server, namespaces, of_devices};

/// A server, and an enrolled device whose agent does not run.
async fn start(scene: &Scene) -> (Server, Agent) {
    let address = format!("{HOUSE_4}:{SERVER}");
    let server = Server::start_at(&address, &[]).await;
    let agent = scene.enrol(&server, &format!("https://{address}")).await;
    (server, agent)
}

#[test]
fn a_runner_that_dies_on_the_way_changes_nothing() {
    if !namespaces::can_be_made("a_runner_that_dies_on_the_way_changes_nothing") {
        return;
    }
    let scene = Scene::new();
    scene.house.block_on(async || {
        let (server, mut agent) = start(&scene).await;
        let api = server.admin().await;
        let device = agent.device.clone();
        for step in [ISOLATION_NOTED, ISOLATION_TRIED, ISOLATION_PROVEN] {
            agent.start_to_die_at(step);
            let task = isolation(&api, &device, "StartNetworkIsolation").await;
            let (run, failure) = api.ended_run::<ActionFailure>(&task).await;
            assert_eq!(
                (run.status(), failure.code.as_str()),
                (TaskRunStatus::Failed, "INTERRUPTED"),
                "{step}"
            );
            assert!(!says_isolated(&agent), "{step}");
            assert_eq!(scene.open(), Scene::ALL, "{step}\n{}", agent.log());
            agent.kill().await;
        }
        agent.start();
        assert_eq!(api.isolate(&device, true).await.0.status(), TaskRunStatus::Finished);
        agent.kill().await;
        for step in [ISOLATION_END_NOTED, ISOLATION_LIFTED] {
            agent.start_to_die_at(step);
            let task = isolation(&api, &device, "EndNetworkIsolation").await;
            let (run, failure) = api.ended_run::<ActionFailure>(&task).await;
            assert_eq!(
                (run.status(), failure.code.as_str()),
                (TaskRunStatus::Failed, "INTERRUPTED"),
                "{step}"
            );
            assert!(says_isolated(&agent), "{step}");
            assert_eq!(scene.open(), NOTHING, "{step}\n{}", agent.log());
            agent.kill().await;
        }
        agent.start();
        assert_eq!(api.isolate(&device, false).await.0.status(), TaskRunStatus::Finished);
        assert_eq!(scene.open(), Scene::ALL);
    });
}

#[test]
fn what_a_runner_did_counts_though_its_agent_died() {
    if !namespaces::can_be_made("what_a_runner_did_counts_though_its_agent_died") {
        return;
    }
    let scene = Scene::new();
    scene.house.block_on(async || {
        let (server, mut agent) = start(&scene).await;
        let api = server.admin().await;
        agent.start_to_die_at(RUNNER_SPAWNED);
        let task = isolation(&api, &agent.device, "StartNetworkIsolation").await;
        agent.died().await;
        // The machine restarts as soon as the outcome is there.
        let runs = agent.state().join("runs");
        let has_outcome = async || {
            let mut folders = std::fs::read_dir(&runs).expect("runs").flatten();
            folders.any(|folder| folder.path().join("outcome").exists()).then_some(())
        };
        crate::support::wait_for("the runner leaves its outcome", has_outcome).await;
        scene.device.run(&["nft", "flush", "ruleset"]);
        restore(&agent).await;
        assert_eq!(scene.open(), NOTHING);
        agent.start();
        let run = api.ended_runs(&task, 1).await.0.remove(0);
        assert_eq!(run.status(), TaskRunStatus::Finished, "{run:?}");
        assert!(says_isolated(&agent));
        assert_eq!(scene.open(), NOTHING);

        // The server is gone for good: who has the device in hand ends it.
        agent.kill().await;
        let ended = crate::support::run(&mut agent.command_of(&["isolation", "end"]), "").await;
        assert!(ended.status.success(), "{ended:?}");
        assert_eq!(scene.open(), Scene::ALL);
        assert!(!says_isolated(&agent));
    });
}

#[test]
fn a_device_that_would_lose_its_server_is_not_isolated() {
    if !namespaces::can_be_made("a_device_that_would_lose_its_server_is_not_isolated") {
        return;
    }
    let scene = Scene::new();
    scene.house.block_on(async || {
        let (server, mut agent) = start(&scene).await;
        let api = server.admin().await;
        agent.start();
        assert!(api.is_obeyed(&agent.device).await);
        // The link stands; nobody opens another one.
        for rule in [
            "add table inet deaf".to_owned(),
            "add chain inet deaf heard { type filter hook input priority 0; }".to_owned(),
            format!("add rule inet deaf heard iifname net0 tcp dport {SERVER} tcp flags syn drop"),
        ] {
            scene.house.run(&["nft", &rule]);
        }
        let (run, result) = api.isolate(&agent.device, true).await;
        assert_eq!(run.status(), TaskRunStatus::Failed, "{run:?}");
        let failure = result.failure.clone().expect("it failed");
        assert_eq!(failure.code, "SERVER_UNREACHABLE", "{failure:?}");
        assert!(!result.isolated && result.isolation_time.is_none(), "{result:?}");
        assert!(!says_isolated(&agent));
        assert_eq!(scene.open(), Scene::ALL);
        assert_eq!(scene.device.run(&["nft", "list", "ruleset"]), "", "nothing is left behind");
    });
}

async fn isolation(api: &crate::support::Api, device: &str, name: &str) -> String {
    let action = Action { name: name.to_owned(), params: None };
    api.create_task(of_devices(&[device]), action).await.expect("a task")
}
