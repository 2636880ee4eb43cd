//! `guardhouse agentless task`

use std::{process::ExitCode, time::Duration};

use clap::{Subcommand, ValueEnum};
use guardhouse_contract::scans::{
    CancelAgentlessTaskRequest, DeleteAgentlessTaskRequest, GetAgentlessTaskRequest,
    ListAgentlessSubtasksRequest, ListAgentlessTasksRequest, RetryAgentlessTaskRequest,
    agentless_task::Status,
};
use uuid::Uuid;

use super::wait;
use crate::{
    client::Client,
    duration,
    output::{OutputFormat, agentless},
};

/// Scans that were started.
#[derive(Debug, Subcommand)]
pub enum TaskCommand {
    /// List scans, the newest first.
    List {
        /// Only those with this status; repeat it for several.
        #[arg(long = "status", value_enum, value_name = "STATUS")]
        statuses: Vec<StatusArg>,

        /// Only those that this schedule started, by its uuid.
        #[arg(long, value_name = "UUID")]
        schedule: Option<Uuid>,
    },
    /// Show a scan.
    Show {
        /// The scan, by uuid.
        task: Uuid,
    },
    /// List what a scan does: one line for each asset.
    Subtasks {
        /// The scan, by uuid.
        task: Uuid,

        /// Only those with this status; repeat it for several.
        #[arg(long = "status", value_enum, value_name = "STATUS")]
        statuses: Vec<StatusArg>,
    },
    /// Follow a scan until it is over. The exit code is that of scan --wait.
    Wait {
        /// The scan, by uuid.
        task: Uuid,

        /// How long to follow it at most.
        #[arg(long, value_name = "TIME", default_value = "24h", value_parser = duration::parse)]
        timeout: Duration,
    },
    /// Scan again what failed, took too long or was cancelled.
    Retry {
        /// The scan, or one line of its subtasks, by uuid.
        task: Uuid,
    },
    /// End a scan, or a part of it.
    Cancel {
        /// The scan, or one line of its subtasks, by uuid.
        task: Uuid,
    },
    /// Delete a scan with its results and reports.
    Delete {
        /// The scan, by uuid.
        task: Uuid,
    },
}

/// How a scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatusArg {
    /// It waits, or it is worked on.
    Running,
    /// There is a result.
    Done,
    /// It could not be scanned.
    Failed,
    /// It took longer than it may.
    TimedOut,
    /// Somebody ended it.
    Cancelled,
}

impl StatusArg {
    fn number(self) -> i32 {
        let status = match self {
            Self::Running => Status::Running,
            Self::Done => Status::Done,
            Self::Failed => Status::Failed,
            Self::TimedOut => Status::TimedOut,
            Self::Cancelled => Status::Cancelled,
        };
        status.into()
    }
}

impl TaskCommand {
    /// Carries out the command.
    ///
    /// # Errors
    /// The server refuses or cannot be reached.
    pub async fn run(self, client: &Client, output: OutputFormat) -> anyhow::Result<ExitCode> {
        match self {
            Self::List { statuses, schedule } => {
                let filter = ListAgentlessTasksRequest {
                    statuses: statuses.into_iter().map(StatusArg::number).collect(),
                    schedule_uuid: schedule.map(|schedule| schedule.to_string()).unwrap_or_default(),
                    ..Default::default()
                };
                let answer = client.list_agentless_tasks(filter).await?;
                output.show(&answer, |answer| agentless::tasks(&answer.tasks))?;
            }
            Self::Show { task } => {
                let request = GetAgentlessTaskRequest { task_uuid: task.to_string() };
                let answer = client.get_agentless_task(&request).await?;
                output.show(&answer, |answer| agentless::task(answer.task.as_ref()))?;
            }
            Self::Subtasks { task, statuses } => {
                let filter = ListAgentlessSubtasksRequest {
                    task_uuid: task.to_string(),
                    statuses: statuses.into_iter().map(StatusArg::number).collect(),
                    ..Default::default()
                };
                let answer = client.list_agentless_subtasks(filter).await?;
                output.show(&answer, |answer| agentless::subtasks(&answer.subtasks))?;
            }
            Self::Wait { task, timeout } => {
                let request = GetAgentlessTaskRequest { task_uuid: task.to_string() };
                let task = client.get_agentless_task(&request).await?.task.unwrap_or_default();
                return wait::run(client, task, timeout, output).await;
            }
            Self::Retry { task } => {
                let request = RetryAgentlessTaskRequest { task_uuid: task.to_string() };
                output.show(&client.retry_agentless_task(&request).await?, |_| String::new())?;
                eprintln!("{task} is scanned again");
            }
            Self::Cancel { task } => {
                let request = CancelAgentlessTaskRequest { task_uuid: task.to_string() };
                output.show(&client.cancel_agentless_task(&request).await?, |_| String::new())?;
                eprintln!("{task} is over as soon as its workers hear of it");
            }
            Self::Delete { task } => {
                let request = DeleteAgentlessTaskRequest { task_uuid: task.to_string() };
                output.show(&client.delete_agentless_task(&request).await?, |_| String::new())?;
                eprintln!("deleted {task}");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
