//! Rows of agentless scans, as each version kept them, and how they look through the verbs of today.

use guardhouse_model::{
    Timestamp,
    agentless::{ReportStatus, TaskStatus},
};
use guardhouse_store::{AgentlessEvent, AgentlessTotals, ReportFormat, Store};
use uuid::Uuid;

use super::rows::Dialect;

const LOCATION: u128 = 0xa0;
const TASK: u128 = 0xa1;
const SUBTASK: u128 = 0xa2;
/// The version with schedules and webhooks.
pub const SCHEDULES: usize = 15;
const SCHEDULE: u128 = 0xa3;
const WEBHOOK: u128 = 0xa4;
const DELIVERY: u128 = 0xa5;

/// What fills the tables that were new in version 11.
pub fn rows(dialect: &Dialect) -> Vec<String> {
    let Dialect { id, bytes } = dialect;
    let (location, task, subtask) = (id(LOCATION), id(TASK), id(SUBTASK));
    vec![
        format!(
            "insert into agentless_locations (uuid, name, address, sealed_credentials, target_type, create_time,
                 look_time, trouble)
             values ({location}, 'shelf', {}, {}, 3, 1700000003000000, 1700000004000000, 'text')",
            bytes(&[40]),
            bytes(&[41])
        ),
        format!(
            "insert into agentless_assets (instance_id, location_uuid, name, target_type, size_bytes, version, platform,
                 seen_time, gone)
             values ('s-1', {location}, 'disk.qcow2', 3, 7, 'v1', 'Debian', 1700000004000000, 0)"
        ),
        format!(
            "insert into agentless_tasks (uuid, name, target_type, account_uuid, schedule_uuid, client_token, options,
                 status, start_time, end_time, subtasks, done, failed, timed_out, cancelled, progress_sum,
                 measure_bytes, report_status, report_due)
             values ({task}, 'scan', 3, {}, null, 'token', {}, 2, 1700000003000000, 1700000005000000, 1, 1, 0, 0, 0,
                 100, 9, 1, 1700000005000000)",
            id(0x40),
            bytes(&[42])
        ),
        format!(
            "insert into agentless_subtasks (uuid, task_uuid, position, instance_id, location_uuid, target_type,
                 target_name, instance_name, internet_ip, intranet_ip, size_bytes, state, status, cancel, progress,
                 progress_by_project, start_time, queue_time, begin_time, end_time, attempts, fence, worker,
                 lease_expire_time, deadline, reason, measure_bytes, report_status, report_due)
             values ({subtask}, {task}, 0, 's-1', {location}, 3, 'disk.qcow2', 'web-1', '192.0.2.1', '10.0.0.1', 7, 3, 2,
                 0, 100, '{{\"vul\":100}}', 1700000003000000, 1700000003000000, 1700000004000000, 1700000005000000, 1, 2,
                 'worker', null, null, '', 9, 3, null)"
        ),
        format!(
            "insert into agentless_results (instance_id, subtask_uuid, target_type, scan_time, expire_time, cve, sys, sca,
                 baseline, malicious, sensitive)
             values ('s-1', {subtask}, 3, 1700000005000000, 1800000000000000, 1, 2, 3, 4, 5, 6)"
        ),
        format!(
            "insert into agentless_reports (owner_uuid, format, position, content)
             values ({subtask}, 'json', 0, {})",
            bytes(&[43])
        ),
    ]
}

/// What fills the tables of schedules and webhooks, which were new in version [`SCHEDULES`].
pub fn schedule_rows(dialect: &Dialect) -> Vec<String> {
    let Dialect { id, bytes } = dialect;
    vec![
        format!(
            "insert into agentless_schedules (uuid, name, selection, new_assets, options, cadence, version, create_time,
                 next_time, last_time, last_task_uuid, last_note)
             values ({}, 'nightly', {}, 1, {}, {}, 3, 1700000003000000, 1700000009000000, 1700000004000000, {}, 'text')",
            id(SCHEDULE),
            bytes(&[44]),
            bytes(&[45]),
            bytes(&[46]),
            id(TASK)
        ),
        format!(
            "insert into agentless_webhooks (uuid, url, sealed_secret, events, create_time)
             values ({}, 'https://hooks.example.com/', {}, 2, 1700000003000000)",
            id(WEBHOOK),
            bytes(&[47])
        ),
        format!(
            "insert into agentless_deliveries (uuid, webhook_uuid, event, task_uuid, task_name, subtask_uuid, instance_id,
                 status, reason, create_time, state, tries, next_time, end_time, last_status, trouble)
             values ({}, {}, 2, {}, 'scan', {}, 's-1', 3, 'text', 1700000005000000, 1, 2, 1700000006000000, null, 500,
                 'words')",
            id(DELIVERY),
            id(WEBHOOK),
            id(TASK),
            id(SUBTASK)
        ),
    ]
}

/// Looks at what was written for them.
pub async fn check_schedules(store: &Store, version: usize) {
    let at = |second: i64| Timestamp::from_second(1_700_000_000 + second).expect("in range");
    let schedules = store.agentless_schedules_list(None, 9).await.expect("reads");
    let webhooks = store.agentless_webhooks_list(None, 9).await.expect("reads");
    let due = store.agentless_deliveries_due(at(6), 9).await.expect("reads");
    if version < SCHEDULES {
        assert_eq!((schedules.len(), webhooks.len(), due.len()), (0, 0, 0));
        return;
    }
    let [schedule] = &schedules[..] else { panic!("{schedules:?}") };
    assert_eq!(
        (schedule.name.as_str(), schedule.version, schedule.last_note.as_str()),
        ("nightly", 3, "text")
    );
    assert_eq!((schedule.next_time, schedule.last_time), (Some(at(9)), Some(at(4))));
    assert_eq!(
        (&schedule.selection[..], &schedule.options[..], &schedule.cadence[..]),
        (&[44][..], &[45][..], &[46][..])
    );
    assert_eq!(webhooks[0].events, [AgentlessEvent::SubtaskFailed]);
    let [due] = &due[..] else { panic!("{due:?}") };
    assert_eq!((due.url.as_str(), &due.sealed_secret[..]), ("https://hooks.example.com/", &[47][..]));
    let delivery = &due.delivery;
    assert_eq!((delivery.task, delivery.subtask), (Uuid::from_u128(TASK), Some(Uuid::from_u128(SUBTASK))));
    assert_eq!((delivery.tries, delivery.last_status, delivery.trouble.as_str()), (2, 500, "words"));
}

/// Looks at what was written for versions up to `version`.
pub async fn check(store: &Store, version: usize) {
    let at = |second: i64| Timestamp::from_second(1_700_000_000 + second).expect("in range");
    let task = store.agentless_task_get(Uuid::from_u128(TASK)).await.expect("reads");
    let subtask = store.agentless_subtask_get(Uuid::from_u128(SUBTASK)).await.expect("reads");
    let totals = store.agentless_results_count(Some(3), None, at(6)).await.expect("reads");
    let part = store.agentless_report_part(Uuid::from_u128(SUBTASK), ReportFormat::Json, 0).await;
    let part = part.expect("reads");
    if version < 11 {
        assert_eq!((task, subtask, totals, part), (None, None, AgentlessTotals::default(), None));
        return;
    }
    let (task, subtask) = (task.expect("is there"), subtask.expect("is there"));
    assert_eq!((task.name.as_str(), task.status, task.end_time), ("scan", TaskStatus::Done, Some(at(5))));
    assert_eq!((task.options.as_slice(), task.measure_bytes), ([42].as_slice(), 9));
    assert_eq!(
        (task.tally.done, task.tally.progress(), task.report_status),
        (1, 100, ReportStatus::Prepared)
    );
    assert_eq!((subtask.task, subtask.status, subtask.attempts), (task.id, TaskStatus::Done, 1));
    assert_eq!((subtask.worker.as_str(), subtask.progress_by_project.as_str()), ("worker", r#"{"vul":100}"#));
    assert_eq!((subtask.begin_time, subtask.report_status), (Some(at(4)), ReportStatus::Success));
    let found = AgentlessTotals {
        scanned: 1,
        risky: 1,
        cve: 1,
        sys: 2,
        sca: 3,
        baseline: 4,
        malicious: 5,
        sensitive: 6,
        scan_time: Some(at(5)),
    };
    assert_eq!((totals, part), (found, Some(vec![43])));
}
