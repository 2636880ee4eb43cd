//! Scans without an agent as tables.

use guardhouse_contract::{
    scans::{
        AgentlessDelivery, AgentlessFinding, AgentlessSchedule, AgentlessSnapshot, AgentlessSubtask,
        AgentlessTask, AgentlessWebhook, Cadence, CreateAgentlessWebhookResponse, TargetType,
        agentless_snapshot::State, agentless_task::Status, cadence::Unit,
    },
    settings::maintenance_window::Day,
};

use crate::output::{constant, sheet, table, time};

/// One line per task.
pub fn tasks(tasks: &[AgentlessTask]) -> String {
    let row = |task: &AgentlessTask| {
        [
            task.display_name.clone(),
            task.uuid.clone(),
            constant(task.status().as_str_name(), "STATUS_"),
            format!("{} %", task.progress),
            task.subtask_count.to_string(),
            troubled(task),
            time(task.create_time.as_ref()),
            time(task.end_time.as_ref()),
        ]
    };
    let header = ["NAME", "UUID", "STATUS", "PROGRESS", "ASSETS", "NOT SCANNED", "CREATED", "ENDED"];
    table(header, tasks.iter().map(row))
}

/// A task in full.
pub fn task(task: Option<&AgentlessTask>) -> String {
    let Some(task) = task else { return String::new() };
    sheet([
        ("name", task.display_name.clone()),
        ("uuid", task.uuid.clone()),
        ("status", constant(task.status().as_str_name(), "STATUS_")),
        ("progress", format!("{} %", task.progress)),
        ("type", target_type(task.target_type())),
        ("assets", task.subtask_count.to_string()),
        ("done", task.done_count.to_string()),
        ("failed", task.failed_count.to_string()),
        ("timed out", task.timed_out_count.to_string()),
        ("cancelled", task.cancelled_count.to_string()),
        ("schedule", task.schedule_uuid.clone()),
        ("read bytes", task.read_bytes.to_string()),
        ("report", constant(task.report_status().as_str_name(), "REPORT_STATUS_")),
        ("created", time(task.create_time.as_ref())),
        ("ended", time(task.end_time.as_ref())),
    ])
}

/// How many of its assets have no result although they are over.
fn troubled(task: &AgentlessTask) -> String {
    let counts = [task.failed_count, task.timed_out_count, task.cancelled_count];
    counts.into_iter().fold(0, u32::saturating_add).to_string()
}

fn target_type(target_type: TargetType) -> String {
    constant(target_type.as_str_name(), "TARGET_TYPE_")
}

/// One line per subtask.
pub fn subtasks(subtasks: &[AgentlessSubtask]) -> String {
    let row = |subtask: &AgentlessSubtask| {
        [
            // A device is known by its name, and not by that of its snapshot.
            if subtask.device_name.is_empty() { &subtask.target_name } else { &subtask.device_name }.clone(),
            subtask.instance_id.clone(),
            subtask.uuid.clone(),
            status(subtask),
            format!("{} %", subtask.progress),
            subtask.worker.clone(),
            time(subtask.end_time.as_ref()),
            subtask.reason.clone(),
        ]
    };
    let header = ["ASSET", "ID", "UUID", "STATUS", "PROGRESS", "WORKER", "ENDED", "REASON"];
    table(header, subtasks.iter().map(row))
}

fn status(subtask: &AgentlessSubtask) -> String {
    let snapshot = subtask.snapshot.as_ref().map(AgentlessSnapshot::state);
    if subtask.cancelling {
        "CANCELLING".to_owned()
    } else if (subtask.status(), snapshot) == (Status::Running, Some(State::Awaited)) {
        "AWAITS_SNAPSHOT".to_owned()
    } else {
        constant(subtask.status().as_str_name(), "STATUS_")
    }
}

/// One line per schedule.
pub fn schedules(schedules: &[AgentlessSchedule]) -> String {
    let row = |schedule: &AgentlessSchedule| {
        [
            schedule.display_name.clone(),
            schedule.uuid.clone(),
            schedule.cadence.as_ref().map(cadence).unwrap_or_default(),
            time(schedule.next_run_time.as_ref()),
            time(schedule.last_run_time.as_ref()),
            schedule.last_task_uuid.clone(),
            schedule.last_run_note.clone(),
        ]
    };
    table(["NAME", "UUID", "EVERY", "NEXT", "LAST", "LAST TASK", "NOTE"], schedules.iter().map(row))
}

/// A schedule in full.
pub fn schedule(schedule: Option<&AgentlessSchedule>) -> String {
    let Some(schedule) = schedule else { return String::new() };
    let selection = schedule.selection.clone().unwrap_or_default();
    let word = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
    sheet([
        ("name", schedule.display_name.clone()),
        ("uuid", schedule.uuid.clone()),
        ("every", schedule.cadence.as_ref().map(cadence).unwrap_or_default()),
        ("enabled", word(schedule.enabled.unwrap_or_default())),
        ("next", time(schedule.next_run_time.as_ref())),
        ("assets", selection.instance_ids.join(", ")),
        ("locations", selection.location_uuids.join(", ")),
        ("type", target_type(selection.target_type())),
        ("name pattern", selection.name_pattern.clone()),
        ("only changed", word(selection.only_changed)),
        ("new assets", word(schedule.include_new_assets.unwrap_or_default())),
        ("last", time(schedule.last_run_time.as_ref())),
        ("last task", schedule.last_task_uuid.clone()),
        ("note", schedule.last_run_note.clone()),
    ])
}

/// A cadence in words.
fn cadence(cadence: &Cadence) -> String {
    let unit = match cadence.unit() {
        Unit::Hours => "hours",
        Unit::Weeks => "weeks",
        Unit::Days | Unit::Unspecified => "days",
    };
    let days: Vec<String> =
        cadence.days().map(|day: Day| constant(day.as_str_name(), "DAY_").to_lowercase()).collect();
    let on = if days.is_empty() { String::new() } else { format!(" on {}", days.join(", ")) };
    format!("{} {unit}{on} at {} {}", cadence.count, cadence.start, cadence.time_zone)
}

/// A webhook that was just made, with its secret.
pub fn new_webhook(answer: &CreateAgentlessWebhookResponse) -> String {
    let webhook = answer.webhook.clone().unwrap_or_default();
    sheet([
        ("uuid", webhook.uuid.clone()),
        ("url", webhook.url.clone()),
        ("events", events(&webhook)),
        ("secret", answer.secret.clone()),
    ])
}

/// One line per webhook.
pub fn webhooks(webhooks: &[AgentlessWebhook]) -> String {
    let row = |webhook: &AgentlessWebhook| {
        let last = webhook.last_delivery.clone().unwrap_or_default();
        [
            webhook.url.clone(),
            webhook.uuid.clone(),
            events(webhook),
            constant(last.state().as_str_name(), "STATE_"),
            time(last.create_time.as_ref()),
            last.trouble,
        ]
    };
    table(["URL", "UUID", "EVENTS", "LAST", "LAST EVENT", "TROUBLE"], webhooks.iter().map(row))
}

fn events(webhook: &AgentlessWebhook) -> String {
    let words: Vec<String> =
        webhook.events().map(|event| constant(event.as_str_name(), "AGENTLESS_EVENT_")).collect();
    words.join(", ")
}

/// One line per delivery.
pub fn deliveries(deliveries: &[AgentlessDelivery]) -> String {
    let row = |delivery: &AgentlessDelivery| {
        let subject =
            if delivery.subtask_uuid.is_empty() { &delivery.task_uuid } else { &delivery.subtask_uuid };
        [
            time(delivery.create_time.as_ref()),
            constant(delivery.event().as_str_name(), "AGENTLESS_EVENT_"),
            subject.clone(),
            constant(delivery.state().as_str_name(), "STATE_"),
            delivery.tries.to_string(),
            if delivery.last_status == 0 { String::new() } else { delivery.last_status.to_string() },
            time(delivery.next_time.as_ref()),
            delivery.trouble.clone(),
        ]
    };
    let header = ["EVENT TIME", "EVENT", "OF", "STATE", "TRIES", "HTTP", "NEXT TRY", "TROUBLE"];
    table(header, deliveries.iter().map(row))
}

/// One line per finding.
pub fn findings(findings: &[AgentlessFinding]) -> String {
    let row = |finding: &AgentlessFinding| {
        [
            finding.name.clone(),
            constant(finding.urgency().as_str_name(), "URGENCY_"),
            finding.score.map(|score| format!("{score:.1}")).unwrap_or_default(),
            finding.package.clone(),
            finding.version.clone(),
            finding.fixed_version.clone(),
            finding.target_name.clone(),
            finding.instance_id.clone(),
        ]
    };
    let header = ["NAME", "URGENCY", "SCORE", "PACKAGE", "VERSION", "FIXED", "ASSET", "ID"];
    table(header, findings.iter().map(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_a_line() {
        let task = AgentlessTask {
            uuid: "0193-a".to_owned(),
            display_name: "nightly".to_owned(),
            status: Status::TimedOut.into(),
            progress: 50,
            subtask_count: 2,
            timed_out_count: 1,
            create_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            ..Default::default()
        };
        let expected = "\
            NAME     UUID    STATUS     PROGRESS  ASSETS  NOT SCANNED  CREATED               ENDED\n\
            nightly  0193-a  TIMED_OUT  50 %      2       1            2023-11-14T22:13:20Z  -";
        assert_eq!(tasks(&[task]), expected);
    }

    #[test]
    fn the_scan_of_a_device_awaits_its_snapshot() {
        let snapshot = AgentlessSnapshot { state: State::Awaited.into(), ..Default::default() };
        let mut subtask = AgentlessSubtask {
            target_name: "0193-a/0193-b.tar.zst".to_owned(),
            device_name: "web-1".to_owned(),
            status: Status::Running.into(),
            snapshot: Some(snapshot),
            ..Default::default()
        };
        let shown = subtasks(std::slice::from_ref(&subtask));
        assert!(shown.contains("web-1") && shown.contains("AWAITS_SNAPSHOT"), "{shown}");
        subtask.status = Status::Failed.into();
        assert_eq!(status(&subtask), "FAILED");
    }

    #[test]
    fn a_cadence_is_said_in_words() {
        let weekly = Cadence {
            count: 2,
            unit: Unit::Weeks.into(),
            days: vec![Day::Monday.into(), Day::Friday.into()],
            start: "03:00".to_owned(),
            time_zone: "Europe/Vienna".to_owned(),
            first_day: String::new(),
        };
        assert_eq!(cadence(&weekly), "2 weeks on monday, friday at 03:00 Europe/Vienna");
    }
}
