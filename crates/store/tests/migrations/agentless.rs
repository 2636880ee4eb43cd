//! Rows of agentless scans, as each version kept them, and how they look through the verbs of today.

use guardhouse_model::{
    Timestamp,
    agentless::{ReportStatus, TaskStatus},
};
use guardhouse_store::{AgentlessTotals, ReportFormat, Store};
use uuid::Uuid;

use super::rows::Dialect;

const LOCATION: u128 = 0xa0;
const TASK: u128 = 0xa1;
const SUBTASK: u128 = 0xa2;

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
