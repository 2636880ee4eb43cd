//! `--wait`: follows a task until its run on every target is over.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
    time::Duration,
};

use guardhouse_contract::automation::{
    DeviceTask, DeviceTaskRun, ListTaskRunsRequest, ListTaskRunsResponse, TaskRunStatus,
};
use tokio::time::Instant;

use crate::{
    client::{Client, Refusal},
    commands::task::{names, targets},
    output::{OutputFormat, runs},
};

/// The first pause between two looks at the runs; each is a quarter longer than the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Exit code when the time was up.
const TIMED_OUT: u8 = 3;

/// Follows a task for at most `timeout`, then prints its runs.
pub async fn run(
    client: &Client,
    task: &DeviceTask,
    timeout: Duration,
    output: OutputFormat,
) -> anyhow::Result<ExitCode> {
    let targets = targets::present(client, &task.targets.clone().unwrap_or_default()).await?;
    let (runs, tally) = follow(client, task, &targets, timeout).await?;
    let names = names(client, &runs.task_runs, output).await;
    output.show(&runs, |runs| runs::results(&runs.task_runs, &names))?;
    if targets.is_empty() {
        eprintln!("no device is a target at present");
    } else if !tally.is_over() {
        eprintln!("the time is up; the task goes on: {tally}");
        eprintln!("see what becomes of it with: guardhouse task runs {}", task.uuid);
    }
    Ok(tally.exit_code().into())
}

async fn follow(
    client: &Client,
    task: &DeviceTask,
    targets: &BTreeSet<String>,
    timeout: Duration,
) -> anyhow::Result<(ListTaskRunsResponse, Tally)> {
    let deadline = Instant::now() + timeout;
    let live = Live { is_terminal: io::stderr().is_terminal() };
    let mut pause = FIRST_PAUSE;
    let mut lost = false;
    let mut runs = ListTaskRunsResponse::default();
    loop {
        let filter = ListTaskRunsRequest {
            task_uuid: task.uuid.clone(),
            list_only_last_runs: true,
            ..Default::default()
        };
        match client.list_task_runs(filter).await {
            Ok(latest) => (runs, lost) = (latest, false),
            Err(error) if error.is::<Refusal>() => return Err(error),
            // The server may be starting again; the task does not mind.
            Err(error) if !lost => {
                live.clear();
                eprintln!("{error:#}; trying again");
                lost = true;
            }
            Err(_) => {}
        }
        let tally = Tally::of(targets, &runs.task_runs);
        live.show(&tally);
        if (tally.is_over() && !lost) || Instant::now() + pause > deadline {
            live.clear();
            return Ok((runs, tally));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 5 / 4).min(LONGEST_PAUSE);
    }
}

/// How far a task is: its targets by the state of their last run.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    planned: usize,
    queued: usize,
    running: usize,
    finished: usize,
    failed: usize,
}

impl Tally {
    fn of(targets: &BTreeSet<String>, runs: &[DeviceTaskRun]) -> Self {
        let states: HashMap<_, _> = runs.iter().map(|run| (run.device_uuid.as_str(), run.status())).collect();
        let mut tally = Self::default();
        for target in targets {
            *match states.get(target.as_str()) {
                None => &mut tally.planned,
                Some(TaskRunStatus::Running) => &mut tally.running,
                Some(TaskRunStatus::Finished) => &mut tally.finished,
                Some(TaskRunStatus::Failed | TaskRunStatus::Suppressed) => &mut tally.failed,
                Some(TaskRunStatus::Queued | TaskRunStatus::Unspecified) => &mut tally.queued,
            } += 1;
        }
        tally
    }

    fn is_over(&self) -> bool {
        self.planned + self.queued + self.running == 0
    }

    fn exit_code(&self) -> u8 {
        match (self.is_over(), self.failed) {
            (false, _) => TIMED_OUT,
            (true, 0) => 0,
            (true, _) => 1,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { planned, queued, running, finished, failed } = self;
        write!(
            f,
            "planned {planned}, queued {queued}, running {running}, finished {finished}, failed {failed}"
        )
    }
}

/// The line that changes in place while somebody looks. A log has no use for it.
struct Live {
    is_terminal: bool,
}

impl Live {
    fn show(&self, tally: &Tally) {
        self.write(&format!("\r\u{1b}[K{tally}"));
    }

    fn clear(&self) {
        self.write("\r\u{1b}[K");
    }

    fn write(&self, text: &str) {
        if self.is_terminal {
            // A terminal that is gone takes the progress with it, not the task.
            let mut terminal = io::stderr().lock();
            let _ = terminal.write_all(text.as_bytes()).and_then(|()| terminal.flush());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(runs: &[(&str, TaskRunStatus)]) -> Vec<DeviceTaskRun> {
        let run = |(device, status): &(&str, TaskRunStatus)| DeviceTaskRun {
            device_uuid: (*device).to_owned(),
            status: (*status).into(),
            ..Default::default()
        };
        runs.iter().map(run).collect()
    }

    #[test]
    fn a_task_is_over_when_every_target_is() {
        use TaskRunStatus::{Failed, Finished, Queued, Running, Suppressed};
        let table: [(&[_], _, _); 8] = [
            (&[], "planned 2, queued 0, running 0, finished 0, failed 0", 3),
            (&[("a", Queued)], "planned 1, queued 1, running 0, finished 0, failed 0", 3),
            (&[("a", Finished), ("b", Running)], "planned 0, queued 0, running 1, finished 1, failed 0", 3),
            (&[("a", Failed)], "planned 1, queued 0, running 0, finished 0, failed 1", 3),
            (&[("a", Finished), ("b", Finished)], "planned 0, queued 0, running 0, finished 2, failed 0", 0),
            (&[("a", Finished), ("b", Failed)], "planned 0, queued 0, running 0, finished 1, failed 1", 1),
            (&[("a", Suppressed), ("b", Failed)], "planned 0, queued 0, running 0, finished 0, failed 2", 1),
            // A device that joined later is shown, but not waited for.
            (
                &[("a", Finished), ("b", Finished), ("c", Failed)],
                "planned 0, queued 0, running 0, finished 2, failed 0",
                0,
            ),
        ];
        let targets: BTreeSet<_> = ["a".to_owned(), "b".to_owned()].into();
        for (found, shown, code) in table {
            let tally = Tally::of(&targets, &runs(found));
            assert_eq!((tally.to_string().as_str(), tally.exit_code()), (shown, code));
        }
        assert_eq!(Tally::of(&BTreeSet::new(), &[]).exit_code(), 0, "nobody is nothing to wait for");
    }
}
