//! How a task stands on every device, and what people do about it.

use std::{fs, path::Path};

use guardhouse_agent::kill_points::ACCEPTED_AFTER;
use guardhouse_contract::{
    automation::{
        Action, CreateTaskRequest, CreateTaskResponse, DeviceTask, DeviceTaskTargets, ManualTrigger,
        TaskRunStatus, Trigger,
    },
    failure,
    management::{
        CancelTaskRequest, CancelTaskResponse, DeviceRun, GetDeviceRunRequest, GetDeviceRunResponse,
        ListDeviceRunsRequest, ListDeviceRunsResponse, RerunTaskRequest, RerunTaskResponse,
        SummarizeDeviceRunsRequest, SummarizeDeviceRunsResponse, device_run::State,
    },
    pb::era::common::data_definition::task::os::RunCommand,
    status::pack,
    time::to_proto,
};
use guardhouse_model::Environment;
use reqwest::StatusCode;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Agent, Api, Evidence, Server, of_devices, wait_for};

impl Api {
    /// How a task stands on its devices.
    async fn device_runs(&self, task: &str) -> Vec<DeviceRun> {
        let request = ListDeviceRunsRequest { task_uuid: task.to_owned(), ..Default::default() };
        let listed: ListDeviceRunsResponse = self.call(&request).await.expect("the devices");
        listed.device_runs
    }

    /// Waits until a task stands like that on a device.
    async fn stands(&self, task: &str, device: &str, state: State) -> DeviceRun {
        wait_for(&format!("{task} is {state:?} on {device}"), async || {
            let rows = self.device_runs(task).await;
            rows.into_iter().find(|row| row.device_uuid == device && row.state() == state)
        })
        .await
    }

    async fn cancel(&self, task: &str, devices: &[&str]) -> u32 {
        let device_uuids = devices.iter().map(|&device| device.to_owned()).collect();
        let request = CancelTaskRequest { task_uuid: task.to_owned(), device_uuids };
        let answer: CancelTaskResponse = self.call(&request).await.expect("cancelled");
        answer.open_run_count
    }

    /// A script that devices may begin for so many seconds.
    async fn short_lived(&self, targets: DeviceTaskTargets, script: &str, seconds: i64) -> String {
        let command = RunCommand { command_line: script.to_owned(), ..Default::default() };
        let now = to_proto(Environment::system().now());
        let expire_time = Some(prost_types::Timestamp { seconds: now.seconds + seconds, ..now });
        let task = DeviceTask {
            action: Some(Action { name: "RunCommand".to_owned(), params: Some(pack(&command)) }),
            targets: Some(targets),
            triggers: vec![Trigger { manual: Some(ManualTrigger { create_time: None, expire_time }) }],
            ..Default::default()
        };
        let created: CreateTaskResponse =
            self.call(&CreateTaskRequest { task: Some(task) }).await.expect("a task");
        created.task.expect("as stored").uuid
    }
}

#[tokio::test]
async fn a_task_is_cancelled_where_it_runs_and_where_it_waits() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let busy = Agent::start_new(&server, "busy").await;
    let mut silent = Agent::enrol(&server, "silent", &server.enrolment_token(None).await).await;
    let evidence = Evidence::new();
    let both = of_devices(&[&busy.device, &silent.device]);
    let task = api.run_command(both, &evidence.held_script()).await;
    let running = api.stands(&task, &busy.device, State::Running).await;
    assert!(running.begin_time.is_some() && running.is_target && running.attempt_count == 1);
    let waiting = api.stands(&task, &silent.device, State::Waiting).await;
    assert_eq!((waiting.device_display_name.as_str(), waiting.run_uuid.as_str()), ("silent", ""));
    let summary = SummarizeDeviceRunsRequest { task_uuid: task.clone() };
    let summary: SummarizeDeviceRunsResponse = api.call(&summary).await.expect("counts");
    let counts: Vec<_> = summary.counts.iter().map(|count| (count.state(), count.device_count)).collect();
    assert_eq!((summary.device_count, counts), (2, vec![(State::Waiting, 1), (State::Running, 1)]));
    wait_for("the script is at work", async || (!evidence.runs().is_empty()).then_some(())).await;

    assert_eq!(api.cancel(&task, &[]).await, 1);
    let cancelled = api.stands(&task, &busy.device, State::Cancelled).await;
    assert_eq!(cancelled.reason_code, "CANCELLED");
    assert!(cancelled.cancel_time.is_some() && cancelled.end_time.is_some());
    let run = api.ended_runs(&task, 1).await.0.remove(0);
    let failure = run.result.as_ref().and_then(failure::of_result).expect("a failure");
    assert_eq!((run.status(), failure.code.as_str()), (TaskRunStatus::Failed, "CANCELLED"));
    let one = GetDeviceRunRequest { run_uuid: run.uuid };
    let one: GetDeviceRunResponse = api.call(&one).await.expect("the run");
    assert_eq!(one.device_run.expect("as stored").state(), State::Cancelled);

    api.stands(&task, &silent.device, State::Cancelled).await;
    silent.start();
    let later = api.run_command(of_devices(&[&silent.device]), "true").await;
    api.ended_runs(&later, 1).await;
    assert_eq!(evidence.runs().len(), 1, "who waited never got it");
}

#[tokio::test]
async fn a_task_is_cancelled_on_a_device_that_is_away() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let token = server.enrolment_token(None).await;
    let mut agent = Agent::enrol(&server, "away", &token).await;
    let evidence = Evidence::new();
    let task = api.run_command(of_devices(&[&agent.device]), &evidence.script()).await;
    agent.start_to_die_at(ACCEPTED_AFTER);
    agent.died().await;
    let row = api.stands(&task, &agent.device, State::Delivered).await;
    assert_eq!(api.cancel(&task, &[&agent.device]).await, 1);
    agent.start();
    let cancelled = api.stands(&task, &agent.device, State::Cancelled).await;
    assert_eq!(cancelled.run_uuid, row.run_uuid);
    assert!(evidence.runs().is_empty());
}

#[tokio::test]
async fn what_does_not_begin_in_time_is_a_delivery_that_timed_out() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let token = server.enrolment_token(None).await;
    let mut away = Agent::enrol(&server, "away", &token).await;
    let silent = Agent::enrol(&server, "silent", &token).await;
    let quick = Agent::start_new(&server, "quick").await;
    let evidence = Evidence::new();
    let targets = of_devices(&[&away.device, &silent.device, &quick.device]);
    let task = api.short_lived(targets, &evidence.script(), 5).await;
    away.start_to_die_at(ACCEPTED_AFTER);
    away.died().await;
    api.stands(&task, &quick.device, State::Finished).await;

    let missed = api.stands(&task, &silent.device, State::DeliveryTimedOut).await;
    assert_eq!((missed.reason_code.as_str(), missed.run_uuid.as_str()), ("DELIVERY_TIMED_OUT", ""));
    assert!(api.runs(&task).await.0.iter().all(|run| run.device_uuid != silent.device), "nothing is made up");
    // It received the task, and comes back too late.
    away.start();
    let late = api.stands(&task, &away.device, State::DeliveryTimedOut).await;
    assert_eq!((late.reason_code.as_str(), late.supposed), ("EXPIRED", false));
    assert_eq!(evidence.runs().len(), 1);
}

#[tokio::test]
async fn what_went_wrong_is_carried_out_again() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let agent = Agent::start_new(&server, "unlucky").await;
    let silent = Agent::enrol(&server, "silent", &server.enrolment_token(None).await).await;
    let place = tempfile::tempdir().expect("a folder");
    let script = format!("test -e {}", place.path().join("fixed").display());
    let task = api.run_command(of_devices(&[&agent.device, &silent.device]), &script).await;
    let failed = api.stands(&task, &agent.device, State::Failed).await;
    assert_eq!(failed.reason_code, "EXIT_CODE");

    fs::write(place.path().join("fixed"), "").expect("written");
    let request = RerunTaskRequest { task_uuid: task.clone(), ..Default::default() };
    let again: RerunTaskResponse = api.call(&request).await.expect("a new task");
    let new = again.task.expect("as stored");
    assert_ne!(new.uuid, task);
    assert_eq!(again.device_count, 1);
    assert_eq!(new.targets.as_ref().map(|targets| &targets.devices_uuids), Some(&vec![agent.device.clone()]));
    api.stands(&new.uuid, &agent.device, State::Finished).await;
    assert_eq!(api.stands(&task, &agent.device, State::Failed).await, failed, "history stays");

    let request = RerunTaskRequest { task_uuid: new.uuid, ..Default::default() };
    let nothing = api.call::<_, RerunTaskResponse>(&request).await.expect_err("nothing went wrong");
    assert_eq!(nothing.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(nothing.refusal().1, "NOTHING_TO_RERUN");
}

/// The process of this machine that carries out a run in this folder.
fn runner(state: &Path) -> Option<Pid> {
    let needle = state.join("runs").display().to_string();
    let processes = fs::read_dir("/proc").expect("the processes").flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let mut runners = pids.filter(|pid| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let text = String::from_utf8_lossy(&words);
        text.contains("\0runner\0") && text.contains(&needle)
    });
    Pid::from_raw(runners.next()?)
}

#[tokio::test]
async fn a_run_whose_agent_and_runner_are_killed_ends_as_interrupted() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let mut agent = Agent::start_new(&server, "killed").await;
    let evidence = Evidence::new();
    let task = api.run_command(of_devices(&[&agent.device]), &evidence.held_script()).await;
    api.stands(&task, &agent.device, State::Running).await;
    wait_for("the script is at work", async || (!evidence.runs().is_empty()).then_some(())).await;
    agent.kill().await;
    kill_process(runner(agent.state()).expect("it is at work"), Signal::KILL).expect("it lives");
    agent.start();
    let interrupted = api.stands(&task, &agent.device, State::Failed).await;
    assert_eq!(interrupted.reason_code, "INTERRUPTED");
    assert_eq!(evidence.runs().len(), 1, "it is not repeated");
    evidence.release();
}
