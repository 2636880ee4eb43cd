//! `guardhouse task`

mod action;
mod create;
mod device_runs;
mod shell;
mod targets;
mod wait;

use std::{process::ExitCode, time::Duration};

use clap::Subcommand;
use guardhouse_contract::automation::{
    DeleteTaskRequest, DeviceTaskRun, GetTaskRequest, ListTaskRunsRequest, UpdateTaskTargetsRequest,
    UpdateTaskTriggersRequest,
};
use uuid::Uuid;

use crate::{
    client::{Client, ConnectionArgs},
    commands::task::{create::CreateCommand, device_runs::StateArg, targets::TargetArgs},
    duration,
    output::{OutputFormat, runs, runs::Names, tasks},
};

/// Send tasks to devices and see what became of them. A device or group is named by its uuid, or by a display
/// name that no other has; a task by its uuid.
#[derive(Debug, Subcommand)]
pub enum TaskCommand {
    /// Create a task.
    #[command(subcommand)]
    Create(CreateCommand),
    /// List the tasks.
    List,
    /// Show a task.
    Get {
        /// The task, by uuid.
        task: Uuid,
    },
    /// List the runs of a task, latest first; also those of a deleted task.
    Runs {
        /// The task, by uuid.
        task: Uuid,

        /// Only the runs on this device.
        #[arg(long)]
        device: Option<String>,

        /// Only the last run on each device.
        #[arg(long)]
        last: bool,

        /// Show everything that the runs brought back, such as the output of a command.
        #[arg(long)]
        results: bool,

        /// Every device that the task is for, also those that were not heard of, and how the task stands there.
        #[arg(long, conflicts_with_all = ["device", "last", "results"])]
        devices: bool,

        /// Of those only the devices in this state; repeat it for several.
        #[arg(long = "state", value_name = "STATE", requires = "devices")]
        states: Vec<StateArg>,
    },
    /// Show one run with everything that is known of it.
    Run {
        /// The run, by uuid.
        run: Uuid,
    },
    /// Cancel a task: who has not received it does not receive it any more, who has is asked to stop.
    Cancel {
        /// The task, by uuid.
        task: Uuid,

        /// Only on this device, by uuid or by name; repeat it for several.
        #[arg(long = "device", value_name = "DEVICE")]
        devices: Vec<String>,
    },
    /// Delete a task. What has begun goes on; its runs stay.
    Delete {
        /// The task, by uuid.
        task: Uuid,
    },
    /// Replace the targets of a task. New targets get their runs.
    Retarget {
        /// The task, by uuid.
        task: Uuid,

        #[command(flatten)]
        targets: TargetArgs,
    },
    /// Run a task once more: on every target, or as a new task only where it went wrong.
    Rerun {
        /// The task, by uuid.
        task: Uuid,

        /// Only on targets where it failed or timed out. Makes a new task.
        #[arg(long)]
        failed: bool,

        /// On targets in this state instead; repeat it for several.
        #[arg(long = "state", value_name = "STATE", requires = "failed")]
        states: Vec<StateArg>,

        /// Of those only this device, by uuid or by name; repeat it for several.
        #[arg(long = "device", value_name = "DEVICE", requires = "failed")]
        devices: Vec<String>,

        /// How long devices may take to begin; the server has a default.
        #[arg(long, value_name = "TIME", value_parser = duration::parse)]
        expires: Option<Duration>,
    },
}

impl TaskCommand {
    /// Carries out the command. With `--wait` the exit code is 0 when every run is FINISHED, 1 when one is
    /// not, and 3 when the time was up.
    ///
    /// # Errors
    /// The server refuses or cannot be reached, or a name is not that of one device or group.
    pub async fn run(self, connection: ConnectionArgs, output: OutputFormat) -> anyhow::Result<ExitCode> {
        let client = Client::connect(connection)?;
        match self {
            Self::Create(command) => return command.run(&client, output).await,
            Self::List => {
                let answer = client.list_tasks().await?;
                output.show(&answer, |answer| tasks::tasks(&answer.tasks))?;
            }
            Self::Get { task } => {
                let answer = client.get_task(&GetTaskRequest { task_uuid: task.to_string() }).await?;
                output.show(&answer, |answer| tasks::task(answer.task.as_ref()))?;
            }
            Self::Runs { task, devices: true, states, .. } => {
                device_runs::list(&client, task, states, output).await?;
            }
            Self::Run { run } => device_runs::get(&client, run, output).await?,
            Self::Cancel { task, devices } => device_runs::cancel(&client, task, devices, output).await?,
            Self::Runs { task, device, last, results, .. } => {
                let device_uuid = match device {
                    Some(device) => client.resolve_device(&device).await?,
                    None => String::new(),
                };
                let filter = ListTaskRunsRequest {
                    task_uuid: task.to_string(),
                    device_uuid,
                    list_only_last_runs: last,
                    ..Default::default()
                };
                let answer = client.list_task_runs(filter).await?;
                let names = names(&client, &answer.task_runs, output).await;
                let table = if results { runs::results } else { runs::runs };
                output.show(&answer, |answer| table(&answer.task_runs, &names))?;
            }
            Self::Delete { task } => {
                let answer = client.delete_task(&DeleteTaskRequest { task_uuid: task.to_string() }).await?;
                output.show(&answer, |_| String::new())?;
                eprintln!("deleted task {task}");
            }
            Self::Retarget { task, targets } => {
                let targets = Some(targets.resolve(&client).await?);
                let request = UpdateTaskTargetsRequest { task_uuid: task.to_string(), targets };
                let answer = client.update_task_targets(&request).await?;
                output.show(&answer, |_| String::new())?;
                eprintln!("task {task} has new targets");
            }
            Self::Rerun { task, failed: true, states, devices, expires } => {
                device_runs::rerun(&client, task, states, devices, expires, output).await?;
            }
            Self::Rerun { task, expires, .. } => {
                let triggers = vec![create::trigger(&client, expires)?];
                let request = UpdateTaskTriggersRequest { task_uuid: task.to_string(), triggers };
                let answer = client.update_task_triggers(&request).await?;
                output.show(&answer, |_| String::new())?;
                eprintln!("task {task} runs once more on every target");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The names of the devices of runs, for a table. They are an ornament: without them, uuids are shown.
async fn names(client: &Client, runs: &[DeviceTaskRun], output: OutputFormat) -> Names {
    if output == OutputFormat::Json {
        return Names::new();
    }
    let mut uuids: Vec<_> = runs.iter().map(|run| run.device_uuid.clone()).collect();
    uuids.sort();
    uuids.dedup();
    // Fails as a whole when one of the devices was deleted.
    let devices = client.batch_get_devices(&uuids).await.unwrap_or_default().devices;
    devices.into_iter().map(|device| (device.uuid, device.display_name)).collect()
}
