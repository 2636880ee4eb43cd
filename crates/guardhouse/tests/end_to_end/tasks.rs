//! What becomes of a task when it, its targets or its triggers change.

use guardhouse_agent::kill_points::{ACCEPTED_AFTER, ACCEPTED_BEFORE, STARTED_BEFORE};
use guardhouse_contract::{
    automation::{
        DeleteTaskRequest, DeleteTaskResponse, GetTaskRequest, GetTaskResponse, ListTaskRunsRequest,
        ListTaskRunsResponse, ManualTrigger, TaskRunStatus, Trigger, UpdateTaskTargetsRequest,
        UpdateTaskTargetsResponse, UpdateTaskTriggersRequest, UpdateTaskTriggersResponse,
    },
    devices::{MoveDeviceRequest, MoveDeviceResponse},
};
use reqwest::StatusCode;

use crate::support::{Agent, Api, Evidence, Server, group, of_devices, of_groups};

#[tokio::test]
async fn a_task_for_a_group_reaches_devices_that_join_later() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let group = group(&api, "Kiosks").await;
    let evidence = Evidence::new();
    let task = api.run_command(of_groups(&[&group]), &evidence.script()).await;
    assert!(api.runs(&task).await.0.is_empty());

    // One device enrols into the group, another one is moved into it while it is connected.
    let token = server.enrolment_token(Some(&group)).await;
    let mut enrolled = Agent::enrol(&server, "enrolled", &token).await;
    enrolled.start();
    api.ended_runs(&task, 1).await;
    let moved = Agent::start_new(&server, "moved").await;
    let warm_up = api.run_command(of_devices(&[&moved.device]), "true").await;
    api.ended_runs(&warm_up, 1).await;
    let request = MoveDeviceRequest { device_uuid: moved.device.clone(), new_parent_uuid: group };
    let _: MoveDeviceResponse = api.call(&request).await.expect("moved");

    let runs = api.ended_runs(&task, 2).await.0;
    let devices: Vec<_> = runs.iter().map(|run| run.device_uuid.as_str()).collect();
    assert_eq!(devices, [&moved.device, &enrolled.device], "latest start first");
    assert!(runs.iter().all(|run| run.status() == TaskRunStatus::Finished), "{runs:?}");
    let uuids: Vec<_> = runs.iter().rev().map(|run| run.uuid.clone()).collect();
    assert_eq!(evidence.runs(), uuids);
}

#[tokio::test]
async fn new_triggers_run_a_task_again() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let agent = Agent::start_new(&server, "repeater").await;
    let evidence = Evidence::new();
    let task = api.run_command(of_devices(&[&agent.device]), &evidence.script()).await;
    let first = api.ended_runs(&task, 1).await.0.remove(0);

    let triggers = vec![Trigger { manual: Some(ManualTrigger::default()) }];
    let request = UpdateTaskTriggersRequest { task_uuid: task.clone(), triggers };
    let _: UpdateTaskTriggersResponse = api.call(&request).await.expect("updated");
    let runs = api.ended_runs(&task, 2).await.0;
    assert_eq!(runs[1], first, "the earlier run stays as it was");
    assert_eq!(evidence.runs(), [first.uuid, runs[0].uuid.clone()]);

    let last_only = ListTaskRunsRequest { task_uuid: task, list_only_last_runs: true, ..Default::default() };
    let last: ListTaskRunsResponse = api.call(&last_only).await.expect("runs");
    assert_eq!(last.task_runs, runs[..1]);
}

#[tokio::test]
async fn runs_outlive_their_task() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let agent = Agent::start_new(&server, "survivor").await;
    let task = api.run_command(of_devices(&[&agent.device]), "echo kept").await;
    let before = api.ended_runs(&task, 1).await.0;

    let request = DeleteTaskRequest { task_uuid: task.clone() };
    let _: DeleteTaskResponse = api.call(&request).await.expect("deleted");
    let gone = api.call::<_, GetTaskResponse>(&GetTaskRequest { task_uuid: task.clone() }).await;
    assert_eq!(gone.expect_err("deleted").status, StatusCode::NOT_FOUND);
    let again = api.call::<_, DeleteTaskResponse>(&request).await;
    assert_eq!(again.expect_err("deleted already").status, StatusCode::NOT_FOUND);
    assert_eq!(api.runs(&task).await.0, before);
}

/// A task whose run was handed out to a device that died at `step`, before the run began.
async fn handed_out(server: &Server, api: &Api, evidence: &Evidence, step: &str) -> (Agent, String) {
    let token = server.enrolment_token(None).await;
    let mut agent = Agent::enrol(server, "interrupted", &token).await;
    let task = api.run_command(of_devices(&[&agent.device]), &evidence.script()).await;
    agent.start_to_die_at(step);
    agent.died().await;
    let runs = api.runs(&task).await.0;
    let statuses: Vec<_> = runs.iter().map(|run| run.status()).collect();
    assert_eq!(statuses, [TaskRunStatus::Queued]);
    (agent, task)
}

/// Lets the agent come back and waits until a later order is carried out: the agent reports in order, so that
/// the server knows by then of everything that began before.
async fn come_back(api: &Api, agent: &mut Agent) {
    agent.start();
    let later = api.run_command(of_devices(&[&agent.device]), "true").await;
    api.ended_runs(&later, 1).await;
}

#[tokio::test]
async fn a_device_that_is_no_longer_a_target_does_not_begin() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let evidence = Evidence::new();
    let (mut agent, task) = handed_out(&server, &api, &evidence, ACCEPTED_AFTER).await;
    let mut other = Agent::start_new(&server, "other").await;

    let targets = Some(of_devices(&[&other.device]));
    let request = UpdateTaskTargetsRequest { task_uuid: task.clone(), targets };
    let _: UpdateTaskTargetsResponse = api.call(&request).await.expect("updated");
    let runs = api.ended_runs(&task, 1).await.0;
    assert_eq!(runs[0].device_uuid, other.device, "the run of the first device is withdrawn");
    assert_eq!(evidence.runs(), [runs[0].uuid.as_str()]);

    other.kill().await;
    come_back(&api, &mut agent).await;
    assert_eq!(api.runs(&task).await.0, runs);
    assert_eq!(evidence.runs().len(), 1);
}

#[tokio::test]
async fn a_deleted_task_does_not_begin() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    for step in [ACCEPTED_BEFORE, ACCEPTED_AFTER, STARTED_BEFORE] {
        let evidence = Evidence::new();
        let (mut agent, task) = handed_out(&server, &api, &evidence, step).await;
        let request = DeleteTaskRequest { task_uuid: task.clone() };
        let _: DeleteTaskResponse = api.call(&request).await.expect("deleted");
        come_back(&api, &mut agent).await;
        assert!(api.runs(&task).await.0.is_empty(), "{step}");
        assert!(evidence.runs().is_empty(), "{step}");
    }
}

#[tokio::test]
async fn a_task_waits_for_its_device_and_keeps_its_version() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let token = server.enrolment_token(None).await;
    let mut agent = Agent::enrol(&server, "late", &token).await;
    let evidence = Evidence::new();
    let task = api.run_command(of_devices(&[&agent.device]), &evidence.script()).await;
    let get = GetTaskRequest { task_uuid: task.clone() };
    let before: GetTaskResponse = api.call(&get).await.expect("the task");
    assert!(api.runs(&task).await.0.is_empty(), "nothing is handed out to a device that is not there");

    agent.start();
    let run = api.ended_runs(&task, 1).await.0.remove(0);
    assert_eq!(evidence.runs(), [run.uuid]);
    let after: GetTaskResponse = api.call(&get).await.expect("the task");
    assert_eq!(before, after, "runs do not change their task");
}
