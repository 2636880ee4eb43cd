//! What the policy excepts is reached, as long as it says so; over IPv6, too, where the server is.

use std::net::SocketAddr;

use guardhouse_contract::{
    automation::TaskRunStatus,
    management::unapplied_setting::Reason,
    settings::{AgentPolicy, IsolationException, IsolationExceptionList},
};

use super::{
    NOTHING,
    scene::{self, ECHO, HOUSE_4, HOUSE_6, OTHER, SERVER, Scene},
};
use crate::support::{
    Server, namespaces,
    policies::{list, on_all},
    wait_for,
};

fn excepted(exceptions: &[(&str, Option<u16>)]) -> AgentPolicy {
    let values = exceptions.iter().map(|&(remote, port)| IsolationException {
        description: "needed".to_owned(),
        remote: remote.to_owned(),
        port: port.map(u32::from),
    });
    let isolation_exceptions =
        Some(IsolationExceptionList { values: values.collect(), ..Default::default() });
    AgentPolicy { isolation_exceptions, ..Default::default() }
}

#[test]
fn exceptions_follow_the_policy() {
    if !namespaces::can_be_made("exceptions_follow_the_policy") {
        return;
    }
    let scene = Scene::new();
    scene.house.block_on(async || {
        let address = format!("[{HOUSE_6}]:{SERVER}");
        let server = Server::start_at(&address, &[]).await;
        let api = server.admin().await;
        let mut agent = scene.enrol(&server, &format!("https://{address}")).await;
        agent.start();
        let policy = api.agent_policy("one port", &excepted(&[(OTHER, Some(ECHO))]), &[]).await;
        let assigned = api.assign(on_all(&policy)).await;
        let effective = api.in_force(&agent.device).await;
        assert_eq!(effective.applied_policy.expect("reported").unapplied_settings, []);

        let (run, result) = api.isolate(&agent.device, true).await;
        assert_eq!(run.status(), TaskRunStatus::Finished, "{run:?}\n{}", agent.log());
        assert_eq!(result.server_addresses, [address]);
        assert_eq!(result.exceptions, [format!("{OTHER} port {ECHO}")]);
        assert_eq!(scene.open(), NOTHING);
        assert!(scene.device.within(|| scene::tcp(OTHER) && scene::udp(OTHER)));
        let other_port: SocketAddr = format!("{HOUSE_4}:53").parse().expect("an address");
        assert!(!scene.device.within(|| scene::asks(0, other_port)));

        // A network instead: the policy changes what gets through while the device is isolated.
        api.unassign(assigned).await;
        let policy = api.agent_policy("a network", &excepted(&[("10.77.0.0/29", None)]), &[]).await;
        let assigned = api.assign(on_all(&policy)).await;
        let follows = async || {
            scene
                .device
                .within(|| scene::tcp(HOUSE_4) && scene::udp(HOUSE_4) && !scene::udp(OTHER))
                .then_some(())
        };
        wait_for("the exceptions follow the policy", follows).await;
        // Any protocol, in both directions; nothing goes through, and nothing else gets out.
        assert_eq!(scene.open(), ["tcp 4", "udp 4", "in 4", "names"]);
        agent.kill().await;
        agent.start();
        assert!(api.is_obeyed(&agent.device).await);
        assert_eq!(scene.open(), ["tcp 4", "udp 4", "in 4", "names"]);

        // A server by its name, which nobody can resolve now; and one by its address.
        api.unassign(assigned).await;
        let named = AgentPolicy { servers: list(&["https://guardhouse.test:8443"]), ..Default::default() };
        let policy = api.agent_policy("a name", &named, &[]).await;
        let assigned = api.assign(on_all(&policy)).await;
        let reported = wait_for("the device says what is wrong", async || {
            let applied = api.in_force(&agent.device).await.applied_policy?;
            applied.unapplied_settings.into_iter().find(|setting| setting.detail.contains("isolated"))
        });
        let reported = reported.await;
        assert_eq!((reported.path.as_str(), reported.reason()), ("servers", Reason::RolledBack));
        assert!(reported.detail.contains("isolationExceptions"), "{reported:?}");
        assert_eq!(scene.open(), NOTHING);
        api.unassign(assigned).await;

        assert_eq!(api.isolate(&agent.device, false).await.0.status(), TaskRunStatus::Finished);
        assert_eq!(scene.open(), Scene::ALL);
    });
}
