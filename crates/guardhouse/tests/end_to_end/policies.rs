//! Policies visibly change what a real agent does, and what they give back when they go.

use std::collections::HashMap;

use guardhouse_contract::{
    action::{ActionFailure, RunCommandResult},
    automation::{DeviceTaskRun, TaskRunStatus},
    management::{
        GetEffectivePolicyRequest, GetEffectivePolicyResponse, PreviewPolicyAssignmentRequest,
        PreviewPolicyAssignmentResponse,
    },
    policies::{
        AssignPolicyRequest, AssignPolicyResponse, CreatePolicyRequest, CreatePolicyResponse, FeaturePolicy,
        Policy, PolicyAssignment, PolicyTarget, SettingFlags, UnassignPolicyRequest, UnassignPolicyResponse,
        policy_target::Target,
    },
    settings::{AgentPolicy, Cleaning, Feature, RunCommandLimits, ScanPolicy, StringList},
    status::pack,
};
use prost::Name;
use prost_types::{Any, Duration, value::Kind};

use crate::support::{Agent, Api, Evidence, Server, of_devices, wait_for};

/// The group that everything is in.
const ALL: &str = "00000000-0000-0000-7001-000000000001";

fn list(values: &[&str]) -> Option<StringList> {
    Some(StringList { values: values.iter().map(|&value| value.to_owned()).collect(), ..Default::default() })
}

fn feature(feature: Feature, settings: Any, forced: &[&str]) -> FeaturePolicy {
    let flags = SettingFlags { apply_forcefully: true, ..Default::default() };
    let flags: HashMap<_, _> = forced.iter().map(|&path| (path.to_owned(), flags)).collect();
    FeaturePolicy { feature_id: feature as u32, configuration: Some(settings), flags }
}

async fn create(api: &Api, name: &str, features: Vec<FeaturePolicy>) -> String {
    let policy = Policy { display_name: name.to_owned(), features, ..Default::default() };
    let created: CreatePolicyResponse =
        api.call(&CreatePolicyRequest { policy: Some(policy) }).await.expect("a policy");
    created.policy.expect("as stored").uuid
}

async fn agent_policy(api: &Api, name: &str, settings: &AgentPolicy, forced: &[&str]) -> String {
    create(api, name, vec![feature(Feature::Agent, pack(settings), forced)]).await
}

fn on_group(policy: &str, group: &str) -> PolicyAssignment {
    assignment(policy, Target::DeviceGroupUuid(group.to_owned()))
}

fn on_device(policy: &str, device: &str) -> PolicyAssignment {
    assignment(policy, Target::DeviceUuid(device.to_owned()))
}

fn assignment(policy: &str, target: Target) -> PolicyAssignment {
    let target = Some(PolicyTarget { target: Some(target) });
    PolicyAssignment { policy_uuid: policy.to_owned(), target, ..Default::default() }
}

async fn assign(api: &Api, assignment: PolicyAssignment) -> String {
    let made: AssignPolicyResponse =
        api.call(&AssignPolicyRequest { assignment: Some(assignment) }).await.expect("assigned");
    made.assignment.expect("as stored").uuid
}

async fn unassign(api: &Api, assignment_uuid: String) {
    let _: UnassignPolicyResponse =
        api.call(&UnassignPolicyRequest { assignment_uuid }).await.expect("unassigned");
}

async fn effective(api: &Api, device: &str) -> GetEffectivePolicyResponse {
    api.call(&GetEffectivePolicyRequest { device_uuid: device.to_owned() }).await.expect("an answer")
}

/// Waits until the device has reported the policy that it should have.
async fn in_force(api: &Api, device: &str) -> GetEffectivePolicyResponse {
    wait_for("the device has its policy", async || {
        let answer = effective(api, device).await;
        answer.applied_policy.as_ref().is_some_and(|applied| applied.up_to_date).then_some(answer)
    })
    .await
}

async fn run(api: &Api, device: &str, script: &str) -> DeviceTaskRun {
    let task = api.run_command(of_devices(&[device]), script).await;
    api.ended_runs(&task, 1).await.0.remove(0)
}

fn result<M: Name + Default>(run: &DeviceTaskRun) -> M {
    run.result.as_ref().expect("a result").to_msg().expect("of this type")
}

#[tokio::test]
async fn a_forbidden_command_is_suppressed_until_the_policy_goes() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let agent = Agent::start_new(&server, "kiosk").await;
    let settings = AgentPolicy { forbidden_actions: list(&["RunCommand"]), ..Default::default() };
    let policy = agent_policy(&api, "no commands", &settings, &[]).await;
    let assigned = assign(&api, on_group(&policy, ALL)).await;

    let evidence = Evidence::new();
    // No wait: what is ordered behind a policy is ruled by it.
    let forbidden = run(&api, &agent.device, &evidence.script()).await;
    assert_eq!(forbidden.status(), TaskRunStatus::Suppressed, "{forbidden:?}");
    assert_eq!(result::<ActionFailure>(&forbidden).code, "FORBIDDEN_BY_POLICY");
    assert_eq!(evidence.runs(), Vec::<String>::new(), "it did not run");

    unassign(&api, assigned).await;
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
    let firm = agent_policy(&api, "firm", &limits(1, 4096), &["runCommand.timeLimit"]).await;
    let loose = agent_policy(&api, "loose", &limits(3_600, 8), &["runCommand.timeLimit"]).await;
    assign(&api, on_group(&firm, ALL)).await;
    assign(&api, on_device(&loose, &agent.device)).await;

    let slow: RunCommandResult = result(&run(&api, &agent.device, "sleep 1000").await);
    assert!(slow.timed_out, "{slow:?}");
    let long: RunCommandResult = result(&run(&api, &agent.device, "echo 0123456789").await);
    let stdout = long.stdout.expect("output");
    assert_eq!((stdout.head.as_str(), stdout.tail.as_str(), stdout.omitted_bytes), ("0123", "789\n", 3));

    let answer = in_force(&api, &agent.device).await.effective_policy.expect("a policy");
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
    let policy = create(&api, "both", features).await;
    assign(&api, on_device(&policy, &agent.device)).await;
    assert_eq!(effective(&api, &agent.device).await.applied_policy, None, "it was never here");

    agent.start();
    let applied = in_force(&api, &agent.device).await.applied_policy.expect("reported");
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
    let every = |seconds| AgentPolicy {
        connection_interval: Some(Duration { seconds, nanos: 0 }),
        ..Default::default()
    };
    let hourly = agent_policy(&api, "hourly", &every(3_600), &[]).await;
    let daily = agent_policy(&api, "daily", &every(86_400), &[]).await;
    assign(&api, on_device(&hourly, &first.device)).await;

    // The device's own policy is merged later: only the other device would change.
    let request = PreviewPolicyAssignmentRequest {
        assignment: Some(on_group(&daily, ALL)),
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
    let now = effective(&api, &first.device).await.effective_policy.expect("a policy");
    assert_eq!(now.merged_policies.len(), 1);
    assign(&api, on_device(&daily, &first.device)).await;
    let made = effective(&api, &first.device).await.effective_policy.expect("a policy");
    assert_eq!(made.generation, behind.effective_policy.expect("of the device").generation);
}
