//! How a task stands on devices, and to stop it or carry it out again there.

use std::time::Duration;

use clap::ValueEnum;
use guardhouse_contract::management::{
    CancelTaskRequest, GetDeviceRunRequest, ListDeviceRunsRequest, RerunTaskRequest,
    SummarizeDeviceRunsRequest, device_run::State,
};
use uuid::Uuid;

use crate::{
    client::Client,
    commands::task::create,
    output::{OutputFormat, device_runs},
};

/// A state in which devices are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StateArg {
    /// The device has not received the task yet.
    Waiting,
    /// Handed out, not begun.
    Delivered,
    /// Begun.
    Running,
    /// Ended well.
    Finished,
    /// Ended badly.
    Failed,
    /// Forbidden.
    Suppressed,
    /// Cancelled.
    Cancelled,
    /// Not begun in time.
    DeliveryTimedOut,
    /// Begun, and took too long.
    ExecutionTimedOut,
    /// No longer wanted, not confirmed.
    Withdrawn,
}

impl From<StateArg> for State {
    fn from(state: StateArg) -> Self {
        match state {
            StateArg::Waiting => Self::Waiting,
            StateArg::Delivered => Self::Delivered,
            StateArg::Running => Self::Running,
            StateArg::Finished => Self::Finished,
            StateArg::Failed => Self::Failed,
            StateArg::Suppressed => Self::Suppressed,
            StateArg::Cancelled => Self::Cancelled,
            StateArg::DeliveryTimedOut => Self::DeliveryTimedOut,
            StateArg::ExecutionTimedOut => Self::ExecutionTimedOut,
            StateArg::Withdrawn => Self::Withdrawn,
        }
    }
}

fn numbers(states: Vec<StateArg>) -> Vec<i32> {
    states.into_iter().map(|state| State::from(state).into()).collect()
}

/// Lists the devices of a task, with their number by state for people.
pub async fn list(
    client: &Client,
    task: Uuid,
    states: Vec<StateArg>,
    output: OutputFormat,
) -> anyhow::Result<()> {
    let task_uuid = task.to_string();
    let filter =
        ListDeviceRunsRequest { task_uuid: task_uuid.clone(), states: numbers(states), ..Default::default() };
    let answer = client.list_device_runs(filter).await?;
    output.show(&answer, |answer| device_runs::device_runs(&answer.device_runs))?;
    if output == OutputFormat::Table {
        let counts = client.summarize_device_runs(&SummarizeDeviceRunsRequest { task_uuid }).await?;
        eprintln!("{}", device_runs::counts(&counts));
    }
    Ok(())
}

/// Shows one run.
pub async fn get(client: &Client, run: Uuid, output: OutputFormat) -> anyhow::Result<()> {
    let answer = client.get_device_run(&GetDeviceRunRequest { run_uuid: run.to_string() }).await?;
    output.show(&answer, |answer| device_runs::device_run(answer.device_run.as_ref()))
}

/// Cancels a task, on all devices or on those that are named.
pub async fn cancel(
    client: &Client,
    task: Uuid,
    devices: Vec<String>,
    output: OutputFormat,
) -> anyhow::Result<()> {
    let device_uuids = client.resolve_devices(&devices).await?;
    let request = CancelTaskRequest { task_uuid: task.to_string(), device_uuids };
    let answer = client.cancel_task(&request).await?;
    output.show(&answer, |_| String::new())?;
    eprintln!(
        "cancelled task {task}; runs that are not over and are asked to stop: {}",
        answer.open_run_count
    );
    Ok(())
}

/// Carries a task out again where it went wrong.
pub async fn rerun(
    client: &Client,
    task: Uuid,
    states: Vec<StateArg>,
    devices: Vec<String>,
    expires: Option<Duration>,
    output: OutputFormat,
) -> anyhow::Result<()> {
    let request = RerunTaskRequest {
        task_uuid: task.to_string(),
        states: numbers(states),
        device_uuids: client.resolve_devices(&devices).await?,
        expire_time: create::trigger(client, expires)?.manual.and_then(|manual| manual.expire_time),
    };
    let answer = client.rerun_task(&request).await?;
    let uuid = answer.task.as_ref().map(|task| task.uuid.clone()).unwrap_or_default();
    output.show(&answer, |_| uuid.clone())?;
    eprintln!("task {task} runs again as task {uuid} on devices: {}", answer.device_count);
    Ok(())
}
