//! Runs of a task: a line each, or with everything that they brought back.

use std::collections::HashMap;

use guardhouse_contract::{
    action::{ActionFailure, KillProcessByPidResult, Output, RunCommandResult},
    automation::DeviceTaskRun,
    json,
};
use prost::{Message, Name};
use prost_types::Any;

use crate::output::{constant, printable, table, time};

/// Display names of devices by uuid. A device that was deleted has none; its uuid is shown.
pub type Names = HashMap<String, String>;

/// One line per run.
pub fn runs(runs: &[DeviceTaskRun], names: &Names) -> String {
    let row = |run: &DeviceTaskRun| {
        [name(run, names), status(run), time(run.start_time.as_ref()), took(run), summary(run)]
    };
    table(["DEVICE", "STATUS", "STARTED", "TOOK", "RESULT"], runs.iter().map(row))
}

/// Every run with its output.
pub fn results(runs: &[DeviceTaskRun], names: &Names) -> String {
    let mut text = String::new();
    for run in runs {
        let head = [name(run, names), status(run), summary(run), took(run)];
        let head = head.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
        text.push_str(&format!("── {}\n", printable(&head).replace('\n', "\\n")));
        if let Some(result) = read::<RunCommandResult>(run.result.as_ref()) {
            add_stream(&mut text, "stdout", result.stdout.as_ref());
            add_stream(&mut text, "stderr", result.stderr.as_ref());
        }
    }
    text
}

/// Adds an output stream under its name; one that carried nothing is left out.
fn add_stream(text: &mut String, name: &str, output: Option<&Output>) {
    let Some(output) = output.filter(|output| **output != Output::default()) else { return };
    text.push_str(&format!("{name}:\n"));
    add_lines(text, &output.head);
    if output.omitted_bytes > 0 {
        let bytes = if output.omitted_bytes == 1 { "byte" } else { "bytes" };
        text.push_str(&format!("… {} {bytes} omitted …\n", output.omitted_bytes));
    }
    add_lines(text, &output.tail);
}

fn add_lines(text: &mut String, lines: &str) {
    text.push_str(&printable(lines));
    if !lines.is_empty() && !lines.ends_with('\n') {
        text.push('\n');
    }
}

fn name(run: &DeviceTaskRun, names: &Names) -> String {
    names.get(&run.device_uuid).unwrap_or(&run.device_uuid).clone()
}

fn status(run: &DeviceTaskRun) -> String {
    constant(run.status().as_str_name(), "TASK_RUN_STATUS_")
}

/// What the run brought back, in a few words.
fn summary(run: &DeviceTaskRun) -> String {
    let result = run.result.as_ref();
    if let Some(command) = read::<RunCommandResult>(result) {
        let ended = if command.timed_out { "killed: time limit passed, " } else { "" };
        format!("{ended}exit code {}", command.exit_code)
    } else if let Some(killed) = read::<KillProcessByPidResult>(result) {
        format!("killed {} ({})", killed.pid, killed.executable_path)
    } else if let Some(failure) = read::<ActionFailure>(result) {
        format!("{}: {}", failure.code, failure.reason)
    } else {
        let known = result.map(|result| {
            json::to_value(result).map_or_else(|_| result.type_url.clone(), |json| json.to_string())
        });
        known.unwrap_or_default()
    }
}

fn read<M: Message + Name + Default>(result: Option<&Any>) -> Option<M> {
    let result = result.filter(|result| result.type_url.rsplit('/').next() == Some(&M::full_name()))?;
    M::decode(result.value.as_slice()).ok()
}

/// How long it took from hand-out to end; empty while it is not over.
fn took(run: &DeviceTaskRun) -> String {
    let millis = |time: &prost_types::Timestamp| time.seconds * 1_000 + i64::from(time.nanos) / 1_000_000;
    match (&run.start_time, &run.end_time) {
        (Some(start), Some(end)) => span((millis(end) - millis(start)).max(0)),
        _ => String::new(),
    }
}

fn span(millis: i64) -> String {
    let seconds = millis / 1_000;
    match seconds {
        0..60 => format!("{}.{:02} s", seconds, millis % 1_000 / 10),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::{automation::TaskRunStatus, status::pack};

    use super::*;

    fn run(device: &str, status: TaskRunStatus, result: Option<Any>, millis: Option<i32>) -> DeviceTaskRun {
        let at = |millis: i32| prost_types::Timestamp { seconds: 1_700_000_000, nanos: millis * 1_000_000 };
        DeviceTaskRun {
            device_uuid: device.to_owned(),
            start_time: Some(at(0)),
            end_time: millis.map(at),
            result,
            status: status.into(),
            ..Default::default()
        }
    }

    fn output(head: &str, omitted_bytes: u64, tail: &str) -> Option<Output> {
        Some(Output { head: head.to_owned(), tail: tail.to_owned(), omitted_bytes })
    }

    fn examples() -> (Vec<DeviceTaskRun>, Names) {
        let command = RunCommandResult {
            exit_code: 3,
            stdout: output("one\ntwo", 4096, "nine\nten"),
            stderr: output("\u{1b}[31mwarning\n", 0, ""),
            ..Default::default()
        };
        let late = RunCommandResult { exit_code: 137, timed_out: true, ..Default::default() };
        let failure = ActionFailure {
            code: "UNSUPPORTED_ACTION".to_owned(),
            reason: "not supported by this agent version".to_owned(),
        };
        let killed =
            KillProcessByPidResult { pid: 42, executable_path: "/bin/x".to_owned(), ..Default::default() };
        let runs = vec![
            run("0193-a", TaskRunStatus::Failed, Some(pack(&command)), Some(25)),
            run("0193-b", TaskRunStatus::Failed, Some(pack(&late)), Some(0)),
            run("0193-c", TaskRunStatus::Failed, Some(pack(&failure)), Some(1)),
            run("0193-d", TaskRunStatus::Finished, Some(pack(&killed)), Some(1)),
            run("0193-e", TaskRunStatus::Running, None, None),
        ];
        (runs, [("0193-a".to_owned(), "web-1".to_owned())].into())
    }

    #[test]
    fn a_run_is_a_line() {
        let (examples, names) = examples();
        let expected = "\
            DEVICE  STATUS    STARTED               TOOK    RESULT\n\
            web-1   FAILED    2023-11-14T22:13:20Z  0.02 s  exit code 3\n\
            0193-b  FAILED    2023-11-14T22:13:20Z  0.00 s  killed: time limit passed, exit code 137\n\
            0193-c  FAILED    2023-11-14T22:13:20Z  0.00 s  UNSUPPORTED_ACTION: not supported by this agent version\n\
            0193-d  FINISHED  2023-11-14T22:13:20Z  0.00 s  killed 42 (/bin/x)\n\
            0193-e  RUNNING   2023-11-14T22:13:20Z  -       -";
        assert_eq!(runs(&examples, &names), expected);
    }

    #[test]
    fn results_show_head_and_tail() {
        let (examples, names) = examples();
        let expected = "\
            ── web-1 · FAILED · exit code 3 · 0.02 s\n\
            stdout:\n\
            one\n\
            two\n\
            … 4096 bytes omitted …\n\
            nine\n\
            ten\n\
            stderr:\n\
            \\u{1b}[31mwarning\n\
            ── 0193-b · FAILED · killed: time limit passed, exit code 137 · 0.00 s\n\
            ── 0193-c · FAILED · UNSUPPORTED_ACTION: not supported by this agent version · 0.00 s\n\
            ── 0193-d · FINISHED · killed 42 (/bin/x) · 0.00 s\n\
            ── 0193-e · RUNNING\n";
        assert_eq!(results(&examples, &names), expected);
    }

    #[test]
    fn times_are_short() {
        for (millis, text) in [
            (0, "0.00 s"),
            (1_999, "1.99 s"),
            (59_999, "59.99 s"),
            (60_000, "1 min 0 s"),
            (3_599_999, "59 min 59 s"),
            (7_260_000, "2 h 1 min"),
        ] {
            assert_eq!(span(millis), text);
        }
    }
}
