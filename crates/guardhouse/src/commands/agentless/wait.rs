//! Follows a scan until it is over.

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
    time::Duration,
};

use guardhouse_contract::scans::{
    AgentlessTask, GetAgentlessTaskResponse, WatchAgentlessTaskRequest, agentless_task::Status,
};
use tokio::time::Instant;

use crate::{
    client::{Client, Refusal},
    output::{OutputFormat, agentless},
    scan::bar,
};

/// Exit code when the time was up.
const TIMED_OUT: u8 = 3;

/// How long the server may wait for news, in seconds.
const WAIT: u64 = 20;

/// Rest before a server that was not reached is asked again.
const REST: Duration = Duration::from_secs(2);

/// Follows a task for at most `timeout`, then prints it.
pub async fn run(
    client: &Client,
    task: AgentlessTask,
    timeout: Duration,
    output: OutputFormat,
) -> anyhow::Result<ExitCode> {
    let task = follow(client, task, Instant::now() + timeout).await?;
    let code = exit_code(task.status());
    let answer = GetAgentlessTaskResponse { task: Some(task) };
    output.show(&answer, |answer| agentless::task(answer.task.as_ref()))?;
    Ok(ExitCode::from(code))
}

async fn follow(client: &Client, mut task: AgentlessTask, end: Instant) -> anyhow::Result<AgentlessTask> {
    let mut line = Line { is_terminal: io::stderr().is_terminal(), is_shown: false };
    let mut is_lost = false;
    while task.status() == Status::Running {
        line.show(&task);
        let rest = end.saturating_duration_since(Instant::now()).as_secs();
        if rest == 0 {
            break;
        }
        let request = WatchAgentlessTaskRequest {
            task_uuid: task.uuid.clone(),
            generation: task.generation.clone(),
            wait_seconds: u32::try_from(rest.min(WAIT)).unwrap_or(1),
        };
        match client.watch_agentless_task(&request).await {
            Ok(answer) => {
                is_lost = false;
                task = answer.task.unwrap_or(task);
            }
            Err(error) if error.is::<Refusal>() => return Err(error),
            // The server may be starting again; the scan does not mind.
            Err(error) => {
                if !is_lost {
                    line.clear();
                    eprintln!("{error:#}; trying again");
                    is_lost = true;
                }
                tokio::time::sleep(REST).await;
            }
        }
    }
    Ok(task)
}

fn exit_code(status: Status) -> u8 {
    match status {
        Status::Done => 0,
        Status::Running => TIMED_OUT,
        _ => 1,
    }
}

/// A line on standard error that shows how far a scan is; nothing where that is no terminal.
struct Line {
    is_terminal: bool,
    is_shown: bool,
}

impl Line {
    fn show(&mut self, task: &AgentlessTask) {
        if self.is_terminal {
            self.is_shown = true;
            let _ = write!(io::stderr(), "\r\x1b[K{}", text(task));
        }
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.clear();
    }
}

fn text(task: &AgentlessTask) -> String {
    let percent = u8::try_from(task.progress.min(100)).unwrap_or(100);
    let over = [task.done_count, task.failed_count, task.timed_out_count, task.cancelled_count];
    let over: u32 = over.into_iter().fold(0, u32::saturating_add);
    format!("{}, {over} of {} assets", bar::line(percent), task.subtask_count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_scan_is_its_exit_code() {
        let table = [
            (Status::Done, 0),
            (Status::Failed, 1),
            (Status::TimedOut, 1),
            (Status::Cancelled, 1),
            (Status::Running, 3),
        ];
        for (status, code) in table {
            assert_eq!(exit_code(status), code, "{status:?}");
        }
    }

    #[test]
    fn the_line_counts_what_is_over() {
        let task = AgentlessTask {
            progress: 50,
            subtask_count: 7,
            done_count: 2,
            failed_count: 1,
            ..Default::default()
        };
        assert!(text(&task).ends_with(" 50 %, 3 of 7 assets"), "{}", text(&task));
    }
}
