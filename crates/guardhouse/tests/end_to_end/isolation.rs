//! An isolated device reaches its server and nothing else, whatever happens to it, until the isolation ends.
//!
//! All of it in network namespaces: the device, the server and others are machines of their own.

mod drills;
mod exceptions;
mod scene;

use std::net::SocketAddr;

use guardhouse_agent::device_state;
use guardhouse_contract::{
    action::NetworkIsolationResult,
    automation::{Action, DeviceTaskRun, TaskRunStatus},
};

use crate::support::{Agent, Api, Server, namespaces, of_devices, run, wait_for};
use scene::{ECHO, HOUSE_4, SERVER, Scene};

impl Api {
    /// Isolates a device or ends that, and waits until the run is over.
    async fn isolate(&self, device: &str, start: bool) -> (DeviceTaskRun, NetworkIsolationResult) {
        let name = if start { "StartNetworkIsolation" } else { "EndNetworkIsolation" };
        let action = Action { name: name.to_owned(), params: None };
        let task = self.create_task(of_devices(&[device]), action).await.expect("a task");
        self.ended_run(&task).await
    }

    /// Whether the device still does what it is told.
    async fn is_obeyed(&self, device: &str) -> bool {
        let task = self.run_command(of_devices(&[device]), "true").await;
        self.ended_runs(&task, 1).await.0[0].status() == TaskRunStatus::Finished
    }
}

/// Whether the agent tells the server that the device is isolated.
fn says_isolated(agent: &Agent) -> bool {
    device_state::gather(agent.state()).isolation.is_some()
}

/// What the machine does when it starts, before there is a network.
async fn restore(agent: &Agent) {
    let restored = run(&mut agent.command_of(&["isolation", "restore"]), "").await;
    assert!(restored.status.success(), "{restored:?}");
}

const NOTHING: [&str; 0] = [];

#[test]
fn before_during_and_after() {
    if !namespaces::can_be_made("before_during_and_after") {
        return;
    }
    let scene = Scene::new();
    scene.house.block_on(async || walk(&scene).await);
}

async fn walk(scene: &Scene) {
    let server = Server::start_at(&format!("{HOUSE_4}:{SERVER}"), &["--tls-name", "guardhouse.test"]).await;
    let api = server.admin().await;
    let mut agent = scene.enrol(&server, &format!("https://guardhouse.test:{SERVER}")).await;
    agent.start();
    assert!(api.is_obeyed(&agent.device).await);
    assert_eq!(scene.open(), Scene::ALL);
    let mut connection =
        scene.device.within(|| std::net::TcpStream::connect((HOUSE_4, ECHO)).expect("the service answers"));
    assert!(scene::talks(&mut connection));
    let (nothing, unchanged) = api.isolate(&agent.device, false).await;
    assert_eq!(nothing.status(), TaskRunStatus::Finished);
    assert!(unchanged.unchanged && !unchanged.isolated, "{unchanged:?}");

    let (isolated, result) = api.isolate(&agent.device, true).await;
    assert_eq!(isolated.status(), TaskRunStatus::Finished, "{isolated:?}\n{}", agent.log());
    assert!(result.isolated && !result.unchanged && result.isolation_time.is_some(), "{result:?}");
    assert_eq!(result.server_addresses, [format!("{HOUSE_4}:{SERVER}")]);
    assert!(says_isolated(&agent));
    let (leaks, questions) = (scene.leaks(), scene.questions());
    assert!(questions > 0, "the name of the server was resolved before");
    assert!(!scene::talks(&mut connection), "what was established before has ended");
    assert_eq!(scene.open(), NOTHING);
    // What keeps the address of the device, and the device itself.
    let dhcp: SocketAddr = format!("{HOUSE_4}:67").parse().expect("an address");
    assert!(scene.device.within(|| scene::asks(68, dhcp)));
    assert!(scene.device.within(|| scene::tcp("127.0.0.1") && scene::tcp("::1")));
    assert!(api.is_obeyed(&agent.device).await);

    let (again, same) = api.isolate(&agent.device, true).await;
    assert_eq!(again.status(), TaskRunStatus::Finished);
    assert!(same.isolated && same.unchanged, "{same:?}");
    assert_eq!(same.isolation_time, result.isolation_time);

    // The agent dies and comes back, and finds its server without asking for its name.
    agent.kill().await;
    assert_eq!(scene.open(), NOTHING);
    agent.start();
    assert!(api.is_obeyed(&agent.device).await);

    // The machine starts anew: the rules are there before the agent is.
    agent.kill().await;
    assert_eq!((scene.leaks(), scene.questions()), (leaks, questions), "nothing leaked until here");
    scene.device.run(&["nft", "flush", "ruleset"]);
    assert_eq!(scene.open(), Scene::ALL);
    restore(&agent).await;
    let (leaks, questions) = (scene.leaks(), scene.questions());
    assert_eq!(scene.open(), NOTHING);
    agent.start();
    assert!(api.is_obeyed(&agent.device).await);
    assert_eq!((scene.leaks(), scene.questions()), (leaks, questions), "nothing leaked since then");

    // Somebody else loads a firewall.
    scene.device.run(&["nft", "flush", "ruleset"]);
    let closed = async || (!scene.device.within(|| scene::udp(HOUSE_4))).then_some(());
    wait_for("the rules come back", closed).await;
    assert_eq!(scene.open(), NOTHING);
    assert!(agent.log().contains("putting them back"));

    let (ended, result) = api.isolate(&agent.device, false).await;
    assert_eq!(ended.status(), TaskRunStatus::Finished, "{ended:?}");
    assert!(!result.isolated && !result.unchanged && result.isolation_time.is_none(), "{result:?}");
    assert!(!says_isolated(&agent));
    assert_eq!(scene.open(), Scene::ALL);
    assert!(api.is_obeyed(&agent.device).await);
    assert_eq!(scene.device.run(&["nft", "list", "ruleset"]), "", "nothing is left behind");
}
