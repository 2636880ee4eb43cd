use guardhouse_contract::{
    agentless::{ListAgentlessTaskResponse, PageInfo},
    json,
};
use guardhouse_model::agentless::Tally;
use prost::Message as _;
use prost_reflect::DynamicMessage;
use serde_json::json;

use super::*;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).expect("in range")
}

/// What the documented sample shows, as the store would keep it.
fn sample() -> AgentlessSubtask {
    AgentlessSubtask {
        id: Uuid::from_u128(0x1538_0000_0000_0000_0000_0000_0000_0001),
        task: Uuid::from_u128(1),
        task_name: "AGENTLESS_SCAN".to_owned(),
        instance_id: "49e25e0f-bb51-4a5a-a1b3-13a4ddaa0000".to_owned(),
        location: Uuid::from_u128(2),
        target_type: 2,
        target_name: "hkdevt0000".to_owned(),
        instance_name: "sql-test-00000".to_owned(),
        internet_ip: "192.0.2.1".to_owned(),
        intranet_ip: "172.25.0.1".to_owned(),
        size_bytes: 1 << 30,
        status: TaskStatus::Done,
        is_cancelled: false,
        worker: "cellar".to_owned(),
        progress: 60,
        progress_by_project: r#"{"scaVul":100,"vul":100}"#.to_owned(),
        start_time: at(1_672_741_657_897),
        begin_time: Some(at(1_672_741_657_898)),
        end_time: Some(at(1_678_895_999_999)),
        attempts: 0,
        reason: String::new(),
        // 154.11 MiB
        measure_bytes: 161_596_047,
        report_status: ReportStatus::Success,
    }
}

fn links() -> ReportLinks {
    let link = |format| format!("https://guard.example.com/report.{format}");
    ReportLinks { html: link("html"), json: link("json") }
}

/// The answer as it travels.
fn written(row: AgentlessTaskRow) -> Value {
    let answer = ListAgentlessTaskResponse {
        request_id: "1A975D03-5F49-5354-B2CB-3918D5DA0000".to_owned(),
        page_info: Some(PageInfo { current_page: 1, page_size: 20, total_count: 55 }),
        list: vec![row],
    };
    let descriptor = guardhouse_contract::descriptors::pool()
        .get_message_by_name("alibaba.sas.v20181203.ListAgentlessTaskResponse")
        .expect("is in the contract");
    let message = DynamicMessage::decode(descriptor, answer.encode_to_vec().as_slice()).expect("decodes");
    let text = json::write_with_numbers(&message).expect("is written");
    serde_json::from_slice(&text).expect("is JSON")
}

/// Names, types and places of the documented sample; beyond it are fields that newer clients know.
#[test]
fn a_row_has_the_fields_of_the_documented_sample() {
    let expected = json!({
        "RequestId": "1A975D03-5F49-5354-B2CB-3918D5DA0000",
        "PageInfo": { "CurrentPage": 1, "PageSize": 20, "TotalCount": 55 },
        "List": [{
            "TaskId": "15380000000000000000000000000001",
            "TaskName": "AGENTLESS_SCAN",
            "TargetType": 2,
            "Status": 2,
            "Progress": 60,
            "StartTime": 1_672_741_657_897_i64,
            "EndTime": 1_678_895_999_999_i64,
            "Result": "True",
            "Uuid": "49e25e0f-bb51-4a5a-a1b3-13a4ddaa0000",
            "InternetIp": "192.0.2.1",
            "IntranetIp": "172.25.0.1",
            "InstanceName": "sql-test-00000",
            "TargetName": "hkdevt0000",
            "ProgressByProject": "{\"scaVul\":100,\"vul\":100}",
            "ReportStatus": "SUCCESS",
            "ReportDownloadUrl": "https://guard.example.com/report.html",
            "MeasureSpace": 154.11,
            "InstanceId": "49e25e0f-bb51-4a5a-a1b3-13a4ddaa0000",
            "Extension": { "reportJsonDownloadUrl": "https://guard.example.com/report.json" },
        }],
    });
    assert_eq!(written(subtask(&sample(), &[], Some(links()))), expected);
}

/// Clients break on null, and some on a member that is missing.
#[test]
fn every_row_has_every_field_whatever_its_state() {
    let all = written(subtask(&sample(), &[], Some(links())));
    let names = |answer: &Value| -> Vec<String> {
        let row = answer["List"][0].as_object().expect("a row");
        row.iter()
            .inspect(|(name, value)| assert!(!value.is_null(), "{name}"))
            .map(|(name, _)| name.clone())
            .collect()
    };
    let queued = AgentlessSubtask {
        status: TaskStatus::Running,
        progress: 0,
        begin_time: None,
        end_time: None,
        report_status: ReportStatus::None,
        progress_by_project: String::new(),
        measure_bytes: 0,
        ..sample()
    };
    let queued = written(subtask(&queued, &["vul"], None));
    assert_eq!(names(&queued), names(&all));
    let row = &queued["List"][0];
    assert_eq!((&row["EndTime"], &row["Result"], &row["ReportStatus"]), (&json!(0), &json!(""), &json!("")));
    assert_eq!(row["ProgressByProject"], r#"{"vul":0}"#);
    assert_eq!(names(&written(task(&root(Tally::default(), TaskStatus::Done), &["vul"], None))), names(&all));
}

fn root(tally: Tally, status: TaskStatus) -> AgentlessTask {
    AgentlessTask {
        id: Uuid::from_u128(1),
        name: "AGENTLESS_SCAN".to_owned(),
        target_type: 4,
        account: None,
        schedule: None,
        options: Vec::new(),
        status,
        start_time: at(1_672_741_657_897),
        end_time: None,
        tally,
        measure_bytes: 0,
        report_status: ReportStatus::None,
    }
}

#[test]
fn a_result_says_what_went_wrong() {
    let tally = |failed, timed_out| Tally { subtasks: 10, failed, timed_out, ..Tally::default() };
    for (status, tally, expected) in [
        (TaskStatus::Running, tally(2, 0), ""),
        (TaskStatus::Done, tally(0, 0), "True"),
        (TaskStatus::Failed, tally(2, 0), "2 of 10 assets failed"),
        (TaskStatus::Failed, tally(2, 1), "2 of 10 assets failed, 1 took too long"),
        (TaskStatus::Failed, Tally { subtasks: 1, failed: 1, ..Tally::default() }, "1 of 1 asset failed"),
        (TaskStatus::TimedOut, tally(0, 3), "3 of 10 assets took too long"),
        (TaskStatus::Cancelled, tally(0, 0), "cancelled"),
    ] {
        assert_eq!(task(&root(tally, status), &[], None).result, expected, "{status:?}");
    }
    let failed =
        AgentlessSubtask { status: TaskStatus::Failed, reason: "no such file".to_owned(), ..sample() };
    assert_eq!(subtask(&failed, &[], None).result, "no such file");
    let ended = subtask(&AgentlessSubtask { status: TaskStatus::Cancelled, ..failed }, &[], None);
    assert_eq!((ended.result.as_str(), ended.status), ("cancelled", 3), "that API has no number for it");
}

/// An object of JSON in a text, written once.
#[test]
fn the_projects_of_a_task_are_as_far_as_the_task() {
    let tally = Tally { subtasks: 3, progress_sum: 299, ..Tally::default() };
    let row = task(&root(tally, TaskStatus::Running), &["vul", "scaVul"], None);
    assert_eq!(row.progress, 99);
    let projects: Value = serde_json::from_str(&row.progress_by_project).expect("JSON");
    assert_eq!(projects, json!({ "vul": 99, "scaVul": 99 }));
}

#[test]
fn the_projects_of_a_subtask_are_done_when_it_is() {
    let shown = |status, progress, said: &str| {
        let progress_by_project = said.to_owned();
        subtask(&AgentlessSubtask { status, progress, progress_by_project, ..sample() }, &["vul"], None)
            .progress_by_project
    };
    let half = r#"{"scaVul":50}"#;
    for (status, progress, said, expected) in [
        (TaskStatus::Running, 0, "", r#"{"vul":0}"#),
        (TaskStatus::Running, 50, half, half),
        (TaskStatus::Failed, 50, half, half),
        (TaskStatus::Done, 100, half, r#"{"scaVul":100}"#),
        (TaskStatus::Done, 100, "", r#"{"vul":100}"#),
    ] {
        assert_eq!(shown(status, progress, said), expected, "{status:?} {said}");
    }
}

#[test]
fn space_has_two_decimals_at_most() {
    for (bytes, shown) in [
        (0, "0.0"),
        (1, "0.01"),
        (10_485, "0.01"),
        (10_486, "0.02"),
        (1 << 20, "1.0"),
        (161_596_047, "154.11"),
        (u64::from(u32::MAX), "4096.0"),
        (1 << 50, "1073741824.0"),
    ] {
        assert_eq!(json!(mebibytes(bytes)).to_string(), shown, "{bytes}");
    }
}

/// A link to a report that is not there would lead nowhere.
#[test]
fn links_are_shown_once_the_report_is_there() {
    for status in ReportStatus::ALL {
        let row = subtask(&AgentlessSubtask { report_status: status, ..sample() }, &[], Some(links()));
        let is_there = status == ReportStatus::Success;
        assert_eq!((!row.report_download_url.is_empty(), !row.extension.is_empty()), (is_there, is_there));
        assert_eq!(row.report_status, status.word());
    }
}
