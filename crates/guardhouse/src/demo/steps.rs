//! The steps of the demonstration, each with the `curl` line that does the same.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, bail};
use guardhouse_contract::{
    action::RunCommandResult,
    automation::{
        Action, CreateTaskRequest, DeviceTask, DeviceTaskRun, DeviceTaskTargets, ListTaskRunsRequest,
        ManualTrigger, TaskRunStatus, Trigger,
    },
    devices::{Device, ImportDeviceBatchRequest, ImportDeviceBatchResponse},
    json,
    pb::era::common::data_definition::task::os::RunCommand,
    status::pack,
};
use prost::{Message, Name};

use crate::{client::Client, demo::agent::Agent};

/// The devices that are imported: one name a line.
const DEVICES: &str = include_str!("devices.txt");

/// How long the command may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often the runs are asked for: well below the rate limit.
const INTERVAL: Duration = Duration::from_millis(150);

/// Shows how to get a token.
pub fn sign_in(url: &str, user: &str, password: &str) {
    title("1. Sign in");
    println!("TOKEN=$(curl -s {url}/oauth/token -d grant_type=password -d username={user} \\");
    println!("  -d password={password} | sed 's/.*\"access_token\":\"\\([^\"]*\\).*/\\1/')\n");
}

/// Imports the sample.
pub async fn import(client: &Client, url: &str) -> anyhow::Result<()> {
    title("2. Import a batch of devices");
    let placeholder = |name: &str| Device { display_name: name.to_owned(), ..Default::default() };
    let devices = DEVICES.lines().map(placeholder).collect();
    let request = ImportDeviceBatchRequest { devices, ..Default::default() };
    let short: Vec<_> = DEVICES.lines().map(|name| format!("{{\"displayName\":\"{name}\"}}")).collect();
    curl(url, "/v1/devices:batchImport", &format!("{{\"devices\":[{}]}}", short.join(",")));
    let answer: ImportDeviceBatchResponse = client.import_device_batch(&request).await?;
    println!("{} devices are PENDING until their hosts enrol:", answer.devices.len());
    for device in answer.devices {
        println!("  {}  {}", device.uuid, device.display_name);
    }
    println!();
    Ok(())
}

/// Says how this machine became a device.
pub fn enrolled(agent: &Agent) {
    title("3. Enrol this machine");
    for line in &agent.command_lines {
        println!("{line}");
    }
    println!("This machine is device {} now, and its agent is running.\n", agent.device);
}

/// Runs a command on this machine and shows its output.
pub async fn run_command(client: &Client, url: &str, device: &str) -> anyhow::Result<()> {
    title("4. Run a command on it");
    let command = RunCommand { command_line: "uname -a".to_owned(), ..Default::default() };
    let task = DeviceTask {
        display_name: "What are you?".to_owned(),
        action: Some(Action { name: "RunCommand".to_owned(), params: Some(pack(&command)) }),
        targets: Some(DeviceTaskTargets { devices_uuids: vec![device.to_owned()], ..Default::default() }),
        triggers: vec![Trigger { manual: Some(ManualTrigger::default()) }],
        ..Default::default()
    };
    let request = CreateTaskRequest { task: Some(task) };
    curl(url, "/v1/device_tasks", &document(&request)?);
    let environment = client.environment().clone();
    let begin = environment.now();
    let created = client.create_task(&request).await?.task.context("the answer holds no task")?;
    println!("Task {} is created.", created.uuid);
    println!("curl -s -H \"Authorization: Bearer $TOKEN\" {url}/v1/device_tasks/{}/runs", created.uuid);

    let run = tokio::time::timeout(PATIENCE, wait(client, &created.uuid)).await;
    let run = run.context("the run has not ended; is the machine very busy?")??;
    let took = environment.now().duration_since(begin);
    println!("Run {} is {} after {} ms.", run.uuid, run.status().as_str_name(), took.as_millis());
    if run.status() != TaskRunStatus::Finished {
        bail!("the command failed: {}", document(&run)?);
    }
    let result = run.result.context("the run has no result")?;
    let result = RunCommandResult::decode(result.value.as_slice())?;
    let output = result.stdout.unwrap_or_default();
    println!("Exit code {}, output:\n{}{}", result.exit_code, output.head, output.tail);
    Ok(())
}

/// Says what can be done now.
pub fn farewell(url: &str, folder: &Path) {
    title("The server and the agent stay up; Ctrl-C ends both");
    println!("curl -s {url}/openapi.json");
    println!("curl -s -H \"Authorization: Bearer $TOKEN\" {url}/v1/devices");
    println!("Everything is in {}; delete it when you are done.", folder.display());
}

async fn wait(client: &Client, task_uuid: &str) -> anyhow::Result<DeviceTaskRun> {
    let request = ListTaskRunsRequest { task_uuid: task_uuid.to_owned(), ..Default::default() };
    let mut ticks = tokio::time::interval(INTERVAL);
    loop {
        ticks.tick().await;
        let over =
            |run: &DeviceTaskRun| !matches!(run.status(), TaskRunStatus::Queued | TaskRunStatus::Running);
        let runs = client.list_task_runs(request.clone()).await?;
        if let Some(run) = runs.task_runs.into_iter().find(over) {
            return Ok(run);
        }
    }
}

fn title(text: &str) {
    println!("=== {text}");
}

fn curl(url: &str, path: &str, body: &str) {
    println!("curl -s -H \"Authorization: Bearer $TOKEN\" {url}{path} -d '{body}'");
}

fn document<M: Message + Name>(message: &M) -> anyhow::Result<String> {
    Ok(String::from_utf8(json::write_message(message)?)?)
}
