//! Policies visibly change what a real agent does, and what they give back when they go.

mod link;
mod windows;

use guardhouse_contract::{
    action::{ActionFailure, RunCommandResult},
    automation::{DeviceTaskRun, TaskRunStatus},
    devices::{MoveDeviceRequest, MoveDeviceResponse},
    management::{PreviewPolicyAssignmentRequest, PreviewPolicyAssignmentResponse},
    settings::{AgentPolicy, Cleaning, Feature, RunCommandLimits, ScanPolicy},
    status::pack,
};
use prost::Name;
use prost_types::{Duration, value::Kind};

use crate::support::{
    Agent, Api, Evidence, Server, group, of_devices,
    policies::{feature, list, on_all, on_device, on_group},
};

async fn run(api: &Api, device: &str, script: &str) -> DeviceTaskRun {
    let task = api.run_command(of_devices(&[device]), script).await;
    api.ended_runs(&task, 1).await.0.remove(0)
}

fn result<M: Name + Default>(run: &DeviceTaskRun) -> M {
    run.result.as_ref().expect("a result").to_msg().expect("of this type")
}

fn every(seconds: i64) -> AgentPolicy {
    AgentPolicy { connection_interval: Some(Duration { seconds, nanos: 0 }), ..Default::default() }
}

#[tokio::test]
async fn a_forbidden_command_is_suppressed_until_the_policy_goes() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let agent = Agent::start_new(&server, "kiosk").await;
    let settings = AgentPolicy { forbidden_actions: list(&["RunCommand"]), ..Default::default() };
    let policy = api.agent_policy("no commands", &settings, &[]).await;
    let assigned = api.assign(on_all(&policy)).await;

    let evidence = Evidence::new();
    // No wait: what is ordered behind a policy is ruled by it.
    let forbidden = run(&api, &agent.device, &evidence.script()).await;
    assert_eq!(forbidden.status(), TaskRunStatus::Suppressed, "{forbidden:?}");
    assert_eq!(result::<ActionFailure>(&forbidden).code, "FORBIDDEN_BY_POLICY");
    assert_eq!(evidence.runs(), Vec::<String>::new(), "it did not run");

    api.unassign(assigned).await;
    let allowed = run(&api, &agent.device, &evidence.script()).await;
    assert_eq!(allowed.status(), TaskRunStatus::Finished, "{allowed:?}");
    assert_eq!(evidence.runs(), [allowed.uuid]);
}

#[tokio::test]
async fn limits_of_scripts_follow_the_policy_and_the_earlier_force_wins() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let agent = Agent::start_new(&server, "limited").await;
    let limits = |seconds, bytes| AgentPolicy {
        run_command: Some(RunCommandLimits {
            time_limit: Some(Duration { seconds, nanos: 0 }),
            output_limit_bytes: Some(bytes),
            ..Default::default()
        }),
        ..Default::default()
    };
    let firm = api.agent_policy("firm", &limits(1, 4096), &["runCommand.timeLimit"]).await;
    let loose = api.agent_policy("loose", &limits(3_600, 8), &["runCommand.timeLimit"]).await;
    api.assign(on_all(&firm)).await;
    api.assign(on_device(&loose, &agent.device)).await;

    let slow: RunCommandResult = result(&run(&api, &agent.device, "sleep 1000").await);
    assert!(slow.timed_out, "{slow:?}");
    let long: RunCommandResult = result(&run(&api, &agent.device, "echo 0123456789").await);
    let stdout = long.stdout.expect("output");
    assert_eq!((stdout.head.as_str(), stdout.tail.as_str(), stdout.omitted_bytes), ("0123", "789\n", 3));

    let answer = api.in_force(&agent.device).await.effective_policy.expect("a policy");
    let limit = answer.settings.iter().find(|setting| setting.path == "runCommand.timeLimit").expect("set");
    assert!(limit.apply_forcefully);
    assert_eq!(limit.sources[0].policy_display_name, "firm");
    assert_eq!(limit.overridden[0].source.as_ref().expect("a policy").policy_display_name, "loose");
    let shown = limit.value.as_ref().and_then(|value| value.kind.clone());
    assert_eq!(shown, Some(Kind::StringValue("1s".to_owned())));
}

#[tokio::test]
async fn an_agent_that_was_away_gets_its_policy_and_says_what_it_cannot_do() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let token = server.enrolment_token(None).await;
    let mut agent = Agent::enrol(&server, "away", &token).await;
    let scan = ScanPolicy { cleaning: Some(Cleaning::ReportOnly.into()), ..Default::default() };
    let settings = AgentPolicy { forbidden_actions: list(&["RunCommand"]), ..Default::default() };
    let features =
        vec![feature(Feature::Agent, pack(&settings), &[]), feature(Feature::Scan, pack(&scan), &[])];
    let policy = api.create_policy("both", features).await;
    api.assign(on_device(&policy, &agent.device)).await;
    assert_eq!(api.effective(&agent.device).await.applied_policy, None, "it was never here");

    agent.start();
    let applied = api.in_force(&agent.device).await.applied_policy.expect("reported");
    let unapplied: Vec<_> = applied.unapplied_settings.iter().map(|setting| setting.feature_id).collect();
    assert_eq!(unapplied, [Feature::Scan as u32], "{applied:?}");

    // The policy is on its disk: it obeys before it hears from the server.
    agent.kill().await;
    let task = api.run_command(of_devices(&[&agent.device]), "true").await;
    agent.start();
    assert_eq!(api.ended_runs(&task, 1).await.0[0].status(), TaskRunStatus::Suppressed);
}

#[tokio::test]
async fn an_assignment_can_be_tried_before_it_is_made() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let token = server.enrolment_token(None).await;
    let first = Agent::enrol(&server, "first", &token).await;
    let _second = Agent::enrol(&server, "second", &token).await;
    let hourly = api.agent_policy("hourly", &every(3_600), &[]).await;
    let daily = api.agent_policy("daily", &every(86_400), &[]).await;
    api.assign(on_device(&hourly, &first.device)).await;

    // The device's own policy is merged later: only the other device would change.
    let request = PreviewPolicyAssignmentRequest {
        assignment: Some(on_all(&daily)),
        device_uuid: first.device.clone(),
        ..Default::default()
    };
    let preview: PreviewPolicyAssignmentResponse = api.call(&request).await.expect("an answer");
    assert_eq!((preview.targeted_device_count, preview.changed_device_count), (2, 1));
    assert!(preview.changes.is_empty(), "{preview:?}");
    let shown = preview.effective_policy.expect("of the device");
    let merged: Vec<_> =
        shown.merged_policies.iter().map(|source| source.policy_display_name.as_str()).collect();
    assert_eq!(merged, ["daily", "hourly"]);

    // At the same device and before its other policy, forced or not, the later one wins; behind it, it is the later.
    let request = |rank| PreviewPolicyAssignmentRequest {
        assignment: Some(on_device(&daily, &first.device)),
        rank,
        ..Default::default()
    };
    let before: PreviewPolicyAssignmentResponse = api.call(&request(1)).await.expect("an answer");
    assert_eq!(before.changed_device_count, 0);
    let behind: PreviewPolicyAssignmentResponse = api.call(&request(0)).await.expect("an answer");
    assert_eq!((behind.targeted_device_count, behind.changed_device_count), (1, 1));
    assert_eq!(behind.changes[0].path, "connectionInterval");

    // What was tried is what comes of it, and nothing came of it before.
    let now = api.effective(&first.device).await.effective_policy.expect("a policy");
    assert_eq!(now.merged_policies.len(), 1);
    api.assign(on_device(&daily, &first.device)).await;
    let made = api.effective(&first.device).await.effective_policy.expect("a policy");
    assert_eq!(made.generation, behind.effective_policy.expect("of the device").generation);
}

#[tokio::test]
async fn a_device_that_leaves_a_group_has_the_earlier_values_again() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let [kiosks, desks] = [group(&api, "Kiosks").await, group(&api, "Desks").await];
    let token = server.enrolment_token(Some(&desks)).await;
    let mut agent = Agent::enrol(&server, "wanderer", &token).await;
    agent.start();
    let most = |bytes| AgentPolicy {
        run_command: Some(RunCommandLimits { output_limit_bytes: Some(bytes), ..Default::default() }),
        ..Default::default()
    };
    let base = api.agent_policy("base", &most(8), &[]).await;
    let strict = api.agent_policy("strict", &most(4), &[]).await;
    api.assign(on_all(&base)).await;
    api.assign(on_group(&strict, &kiosks)).await;

    let earlier = api.in_force(&agent.device).await.effective_policy.expect("a policy").generation;
    for (place, kept) in
        [(None, ("0123", "789\n")), (Some(&kiosks), ("01", "9\n")), (Some(&desks), ("0123", "789\n"))]
    {
        if let Some(place) = place {
            let request =
                MoveDeviceRequest { device_uuid: agent.device.clone(), new_parent_uuid: place.clone() };
            let _: MoveDeviceResponse = api.call(&request).await.expect("moved");
        }
        // No wait: what is ordered behind a move is ruled by the policies of the new place.
        let long: RunCommandResult = result(&run(&api, &agent.device, "echo 0123456789").await);
        let stdout = long.stdout.expect("output");
        assert_eq!((stdout.head.as_str(), stdout.tail.as_str()), kept, "in {place:?}");
    }
    let again = api.in_force(&agent.device).await.effective_policy.expect("a policy").generation;
    assert_eq!(again, earlier);
    assert!(!server.has_logged(&["device connected", "epoch=2"]), "all over one link");
}
