//! `guardhouse task create`

use std::{process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use guardhouse_contract::{
    automation::{Action, CreateTaskRequest, DeviceTask, ManualTrigger, Trigger},
    pb::{
        era::common::data_definition::task::os::RunCommand,
        eset::dotnod::os_integration::v1::KillProcessByPidRequest,
    },
    status::pack,
};
use serde_json::Value;

use crate::{
    client::Client,
    commands::task::{action, shell, targets::TargetArgs, wait},
    duration,
    output::{OutputFormat, tasks},
};

/// Longest name that is made of a command, in characters.
const LONGEST_NAME: usize = 100;

/// What the devices are to do.
#[derive(Debug, Subcommand)]
pub enum CreateCommand {
    /// Run a command or a script.
    ///
    /// Several words after -- are a program and its arguments and arrive exactly so. A single word is the text
    /// of a script: it may hold several lines, and its first line may choose the interpreter (#!).
    RunCommand {
        #[command(flatten)]
        task: TaskArgs,

        /// Working directory; the agent has a default.
        #[arg(long, value_name = "DIR", default_value = "", hide_default_value = true)]
        directory: String,

        /// The command.
        #[arg(last = true, required = true, value_name = "COMMAND")]
        command: Vec<String>,
    },
    /// Kill a process, if the hash of its executable is the given one.
    KillProcess {
        #[command(flatten)]
        task: TaskArgs,

        /// Process id.
        #[arg(long)]
        pid: u32,

        #[command(flatten)]
        hash: HashArgs,
    },
    /// Any other action, by its name in the contract.
    Action {
        #[command(flatten)]
        task: TaskArgs,

        /// Name of the action, for example ShutdownComputer.
        action: String,

        /// Parameters, a JSON object. "@type" may be left out for a known action.
        #[arg(long, value_name = "JSON", value_parser = json_value)]
        params: Option<Value>,
    },
}

/// The hash that protects another process with the same id.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct HashArgs {
    /// SHA-256 of the executable, 64 hexadecimal digits.
    #[arg(long, value_name = "HASH", default_value = "", hide_default_value = true)]
    sha256: String,

    /// SHA-1 of the executable, 40 hexadecimal digits.
    #[arg(long, value_name = "HASH", default_value = "", hide_default_value = true)]
    sha1: String,
}

/// What every task has.
#[derive(Debug, Args)]
pub struct TaskArgs {
    #[command(flatten)]
    targets: TargetArgs,

    /// Name of the task; by default, what it does.
    #[arg(long)]
    name: Option<String>,

    /// Free text.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,

    /// How long devices may take to begin; the server has a default.
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    expires: Option<Duration>,

    /// Wait until the run on every target is over, and print the runs. Exit code 0: all FINISHED; 1: not all;
    /// 3: the time was up.
    #[arg(long)]
    wait: bool,

    /// How long to wait.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration::parse, requires = "wait")]
    timeout: Duration,
}

impl CreateCommand {
    /// Creates the task, and waits for its runs where that is asked for.
    pub async fn run(self, client: &Client, output: OutputFormat) -> anyhow::Result<ExitCode> {
        let (args, default_name, action) = match self {
            Self::RunCommand { task, directory, command } => {
                let command_line = shell::script(&command);
                let name = name_of(&command_line);
                let command = RunCommand { command_line, current_directory: directory };
                (task, name, Action { name: "RunCommand".to_owned(), params: Some(pack(&command)) })
            }
            Self::KillProcess { task, pid, hash } => {
                let request = KillProcessByPidRequest {
                    pid,
                    executable_hash_sha1: hash.sha1,
                    executable_hash_sha2_256: hash.sha256,
                };
                let action = Action { name: "KillProcessByPid".to_owned(), params: Some(pack(&request)) };
                (task, format!("kill process {pid}"), action)
            }
            Self::Action { task, action, params } => (task, action.clone(), action::action(&action, params)?),
        };
        let task = DeviceTask {
            action: Some(action),
            display_name: args.name.unwrap_or(default_name),
            description: args.description,
            targets: Some(args.targets.resolve(client).await?),
            triggers: vec![trigger(client, args.expires)?],
            ..Default::default()
        };
        let created = client.create_task(&CreateTaskRequest { task: Some(task) }).await?;
        if !args.wait {
            output.show(&created, |created| tasks::task(created.task.as_ref()))?;
            return Ok(ExitCode::SUCCESS);
        }
        let task = created.task.context("the server answered no task")?;
        eprintln!("created task {}", task.uuid);
        wait::run(client, &task, args.timeout, output).await
    }
}

/// A trigger that expires after this time.
///
/// # Errors
/// That is beyond the year 9999.
pub fn trigger(client: &Client, expires: Option<Duration>) -> anyhow::Result<Trigger> {
    let now = client.environment().now();
    let moment = |expires: Duration| {
        let moment = now.checked_add(expires).context("the time of expiry is too far away")?;
        Ok::<_, anyhow::Error>(prost_types::Timestamp {
            seconds: moment.as_second(),
            nanos: moment.subsec_nanosecond(),
        })
    };
    let expire_time = expires.map(moment).transpose()?;
    Ok(Trigger { manual: Some(ManualTrigger { create_time: None, expire_time }) })
}

/// The name of a task that runs a script: its first line that says something.
fn name_of(script: &str) -> String {
    let mut lines = script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("#!"));
    let line: String =
        lines.next().unwrap_or("run command").chars().filter(|letter| !letter.is_control()).collect();
    if line.chars().count() <= LONGEST_NAME {
        return line;
    }
    let mut name: String = line.chars().take(LONGEST_NAME - 1).collect();
    name.push('…');
    name
}

fn json_value(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("it is not valid JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_named_by_what_it_runs() {
        let long = "x".repeat(101);
        let cut = format!("{}…", "x".repeat(99));
        for (script, name) in [
            ("uname -a", "uname -a"),
            ("#!/bin/bash\n\n  set -e\nls", "set -e"),
            ("#!/bin/bash", "run command"),
            ("", "run command"),
            ("printf 'a\tb'", "printf 'ab'"),
            (&long[..100], &long[..100]),
            (&long, &cut),
        ] {
            assert_eq!(name_of(script), name, "{script:?}");
        }
    }
}
