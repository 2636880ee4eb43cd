//! When, and by which addresses, a device comes to its server.

use std::net::TcpListener;

use guardhouse_contract::{
    automation::TaskRunStatus,
    management::{UnappliedSetting, unapplied_setting::Reason},
    settings::AgentPolicy,
};
use guardhouse_testing::Proxy;

use super::{every, run};
use crate::support::{
    Agent, Server, of_devices,
    policies::{list, on_all, on_device},
    wait_for,
};

#[tokio::test]
async fn a_device_with_an_interval_leaves_and_comes_back() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let agent = Agent::start_new(&server, "visitor").await;
    let policy = api.agent_policy("every ten seconds", &every(10), &[]).await;
    let assigned = api.assign(on_device(&policy, &agent.device)).await;
    let left = async |epoch: &str| {
        server.logged(&["device disconnected", &agent.device, epoch, "closed by the device"]).await;
    };
    left("epoch=1").await;
    assert!(
        api.effective(&agent.device).await.applied_policy.expect("reported").up_to_date,
        "before it left"
    );

    // Its visit is long enough for what is to be done, and no longer.
    let task = api.run_command(of_devices(&[&agent.device]), "true").await;
    assert_eq!(api.ended_runs(&task, 1).await.0[0].status(), TaskRunStatus::Finished);
    assert!(server.has_logged(&["device connected", &agent.device, "epoch=2"]), "not before the next visit");
    left("epoch=2").await;

    // Without the policy it stays after the next visit.
    api.unassign(assigned).await;
    api.in_force(&agent.device).await;
    for _ in 0..2 {
        run(&api, &agent.device, "true").await;
    }
    assert!(!server.has_logged(&["device disconnected", &agent.device, "epoch=3"]));
    assert!(!server.has_logged(&["device connected", &agent.device, "epoch=4"]));
}

/// An address at which nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    format!("https://{}", listener.local_addr().expect("it is bound"))
}

#[tokio::test]
async fn addresses_that_lead_nowhere_are_not_taken_and_others_are() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let mut agent = Agent::start_new(&server, "moving").await;
    let wrong = nobody();
    let servers = |addresses: &[&str]| AgentPolicy { servers: list(addresses), ..Default::default() };
    let policy = api.agent_policy("nowhere", &servers(&[&wrong]), &[]).await;
    api.assign(on_all(&policy)).await;

    let tried = wait_for("the address was tried", async || {
        let applied = api.in_force(&agent.device).await.applied_policy.expect("reported");
        applied.unapplied_settings.into_iter().find(|setting| setting.detail.contains(&wrong))
    });
    let UnappliedSetting { path, reason, .. } = tried.await;
    assert_eq!((path.as_str(), reason), ("servers", Reason::RolledBack.into()));
    assert_eq!(run(&api, &agent.device, "true").await.status(), TaskRunStatus::Finished);
    agent.kill().await;
    agent.start();
    assert_eq!(run(&api, &agent.device, "true").await.status(), TaskRunStatus::Finished, "a new link, too");

    // One of several is enough.
    let another = Proxy::to_tcp(server.socket());
    let addresses = [wrong.as_str(), &format!("https://{}", another.address())];
    let policy = api.agent_policy("another", &servers(&addresses), &[]).await;
    api.assign(on_device(&policy, &agent.device)).await;
    wait_for("the device took the addresses", async || {
        let applied = api.in_force(&agent.device).await.applied_policy.expect("reported");
        applied.unapplied_settings.is_empty().then_some(())
    })
    .await;
    assert_eq!(run(&api, &agent.device, "true").await.status(), TaskRunStatus::Finished);

    // It is there by the new address, and comes back by the one with which it enrolled.
    let now = wait_for("the device has a link", async || server.latest_epoch(&agent.device)).await;
    another.cut();
    let earlier = ["device disconnected", &agent.device, &format!("epoch={now}")];
    server.logged(&earlier).await;
    assert_eq!(run(&api, &agent.device, "true").await.status(), TaskRunStatus::Finished);
}
