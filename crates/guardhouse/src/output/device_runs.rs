//! How a task stands on devices: a line each, counts, or everything that is known of one run.

use guardhouse_contract::management::{
    DeviceRun, DeviceRunProgress, SummarizeDeviceRunsResponse, device_run::State,
};

use crate::output::{sheet, table, time};

/// One line per device.
pub fn device_runs(rows: &[DeviceRun]) -> String {
    let row = |row: &DeviceRun| {
        [
            name(row),
            state(row),
            row.attempt_count.to_string(),
            progress(row.progress.as_ref()),
            time(row.end_time.as_ref()),
            time(row.last_contact_time.as_ref()),
            why(row),
        ]
    };
    table(["DEVICE", "STATE", "RUNS", "PROGRESS", "ENDED", "LAST CONTACT", "REASON"], rows.iter().map(row))
}

/// How many devices are in which state, on one line.
pub fn counts(counts: &SummarizeDeviceRunsResponse) -> String {
    let devices = if counts.device_count == 1 { "device" } else { "devices" };
    let states =
        counts.counts.iter().map(|count| format!("{} {}", count.device_count, count.state().as_str_name()));
    let states = states.collect::<Vec<_>>().join(", ");
    let colon = if states.is_empty() { "" } else { ": " };
    format!("{} {devices}{colon}{states}", counts.device_count)
}

/// Everything that is known of one run.
pub fn device_run(run: Option<&DeviceRun>) -> String {
    let Some(run) = run else { return String::new() };
    sheet([
        ("run", run.run_uuid.clone()),
        ("task", run.task_uuid.clone()),
        ("device", name(run)),
        ("state", state(run)),
        ("reason", why(run)),
        ("attempt", run.attempt_count.to_string()),
        ("progress", progress(run.progress.as_ref())),
        ("handed out", time(run.hand_out_time.as_ref())),
        ("begun", time(run.begin_time.as_ref())),
        ("ended", time(run.end_time.as_ref())),
        ("cancelled", time(run.cancel_time.as_ref())),
        ("expires", time(run.expire_time.as_ref())),
        ("last contact", time(run.last_contact_time.as_ref())),
    ])
}

/// The display name of the device; its uuid when it was deleted.
fn name(row: &DeviceRun) -> String {
    let name = if row.device_display_name.is_empty() { &row.device_uuid } else { &row.device_display_name };
    if row.is_target { name.clone() } else { format!("{name} (no target any more)") }
}

fn state(row: &DeviceRun) -> String {
    let stopping = matches!(row.state(), State::Delivered | State::Running) && row.cancel_time.is_some();
    let state = row.state().as_str_name();
    if stopping { format!("{state}, to be cancelled") } else { state.to_owned() }
}

fn progress(progress: Option<&DeviceRunProgress>) -> String {
    let Some(progress) = progress else { return String::new() };
    let percent = progress.percent.map(|percent| format!("{percent} %"));
    let said = [percent, Some(progress.phase.clone()), Some(progress.message.clone())];
    said.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

fn why(row: &DeviceRun) -> String {
    let parts = [row.reason_code.as_str(), row.reason.as_str()];
    let why = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
    if row.supposed { format!("{why} (supposed; the device has not said)") } else { why }
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::management::summarize_device_runs_response::Count;

    use super::*;

    fn row(name: &str, state: State) -> DeviceRun {
        DeviceRun {
            device_uuid: format!("0193-{name}"),
            device_display_name: name.to_owned(),
            is_target: true,
            state: state.into(),
            ..Default::default()
        }
    }

    fn at(seconds: i64) -> Option<prost_types::Timestamp> {
        Some(prost_types::Timestamp { seconds: 1_700_000_000 + seconds, nanos: 0 })
    }

    fn examples() -> Vec<DeviceRun> {
        let progress = DeviceRunProgress {
            phase: "DOWNLOADING".to_owned(),
            percent: Some(42),
            message: "7 of 12 packages".to_owned(),
            update_time: at(1),
        };
        vec![
            row("web-1", State::Waiting),
            DeviceRun {
                attempt_count: 2,
                progress: Some(progress),
                cancel_time: at(1),
                last_contact_time: at(2),
                ..row("web-2", State::Running)
            },
            DeviceRun {
                device_display_name: String::new(),
                is_target: false,
                attempt_count: 1,
                end_time: at(3),
                reason_code: "EXECUTION_TIMED_OUT".to_owned(),
                reason: "too long".to_owned(),
                supposed: true,
                ..row("c", State::ExecutionTimedOut)
            },
        ]
    }

    #[test]
    fn a_device_is_a_line() {
        let expected = "\
            DEVICE                        STATE                     RUNS  PROGRESS                               ENDED                 LAST CONTACT          REASON\n\
            web-1                         WAITING                   0     -                                      -                     -                     -\n\
            web-2                         RUNNING, to be cancelled  2     42 % · DOWNLOADING · 7 of 12 packages  -                     2023-11-14T22:13:22Z  -\n\
            0193-c (no target any more)   EXECUTION_TIMED_OUT       1     -                                      2023-11-14T22:13:23Z  -                     \
            EXECUTION_TIMED_OUT: too long (supposed; the device has not said)";
        let shown = device_runs(&examples());
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeezed(&shown), squeezed(expected));
    }

    #[test]
    fn counts_are_a_line() {
        let count = |state: State, device_count| Count { state: state.into(), device_count };
        let some = SummarizeDeviceRunsResponse {
            counts: vec![count(State::Waiting, 2), count(State::Finished, 1)],
            device_count: 3,
        };
        assert_eq!(counts(&some), "3 devices: 2 WAITING, 1 FINISHED");
        assert_eq!(counts(&SummarizeDeviceRunsResponse::default()), "0 devices");
    }

    #[test]
    fn a_run_is_a_sheet() {
        let text = device_run(examples().get(1));
        for line in [
            "device        web-2\n",
            "progress      42 % · DOWNLOADING",
            "cancelled     2023-11-14T22:13:21Z\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
        assert_eq!(device_run(None), "");
    }
}
