//! Malicious files, sensitive files and checks through the API for agentless detection, over a store in which scans have
//! found some: nothing that looks for them is built yet.

use std::time::Duration;

use guardhouse_model::{
    Environment, Timestamp,
    agentless::{MaliciousLevel, MaliciousType, RiskLevel},
};
use guardhouse_store::{
    AgentlessResult, CheckItem, NewAgentlessSubtask, NewAgentlessTask, NewCheck, NewMaliciousFile,
    NewSensitiveFile, Store, SubtaskEnd, SubtaskOutcome, TakeSubtasks,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Api, Server};

const PYTHON: &str = "AlibabaCloud (Linux; x86_64) Python/3.11.7 Core/0.4.3 TeaDSL/2";
const GO: &str = "AlibabaCloud (linux; amd64) Golang/1.22.1 Core/0.01 TeaDSL/1";
const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// What a scan found.
fn result() -> AgentlessResult {
    let malicious = |path: &str, kind| NewMaliciousFile {
        md5: MD5.to_owned(),
        sha256: "0".repeat(64),
        path: path.to_owned(),
        partition: "/dev/vda1".to_owned(),
        name: "Backdoor".to_owned(),
        kind,
        level: MaliciousLevel::Serious,
        highlight: r#"{"highlight":{"events":[[1,2]]}}"#.to_owned(),
        details: r#"[{"Name":"Rule","NameKey":"rule","Type":"text","Value":"r1"}]"#.to_owned(),
    };
    let check = |check_id, passed| NewCheck {
        item: CheckItem {
            check_id,
            item: format!("Check {check_id}"),
            level: RiskLevel::High,
            kind: "Passwords".to_owned(),
            risk_id: 3,
            risk_name: "Debian".to_owned(),
            risk_type: "cis".to_owned(),
            alias: "CIS".to_owned(),
            description: "what".to_owned(),
            advice: "change it".to_owned(),
        },
        passed,
        prompt: "root has none".to_owned(),
    };
    let sensitive = NewSensitiveFile {
        rule_key: "pem".to_owned(),
        risk_level: RiskLevel::Medium,
        path: "/etc/key.pem".to_owned(),
        md5: MD5.to_owned(),
        prompt: "BEGIN".to_owned(),
    };
    AgentlessResult {
        expire_time: Timestamp::from_second(4_000_000_000).expect("in range"),
        malicious_files: vec![
            malicious("/srv/ä.php", MaliciousType::WebShell),
            malicious("/bin/x", MaliciousType::Software),
        ],
        sensitive_files: vec![sensitive],
        checks: vec![check(1, false), check(2, true)],
        ..AgentlessResult::default()
    }
}

/// A server whose store has results of a snapshot and an image, and when they were scanned, in Unix milliseconds.
async fn start() -> (Server, Api, i64) {
    // Of today: the server forgets what is old.
    let now = Environment::system().now();
    let soon = now.saturating_add(Duration::from_secs(60)).expect("in range");
    let mut server = Server::start(&["--region", "cellar-1"]).await;
    server.stop().await;
    let store = Store::open(&server.data()).expect("opens");
    let target = |number: u128, id: &str, target_type| NewAgentlessSubtask {
        id: Uuid::from_u128(number),
        instance_id: id.to_owned(),
        target_type,
        target_name: format!("{id}.qcow2"),
        instance_name: "web-1".to_owned(),
        internet_ip: "192.0.2.1".to_owned(),
        intranet_ip: "10.0.0.1".to_owned(),
        size_bytes: 1,
        ..NewAgentlessSubtask::default()
    };
    let task = NewAgentlessTask {
        id: Uuid::from_u128(9),
        name: "scan".to_owned(),
        target_type: 3,
        start_time: now,
        targets: vec![target(1, "s-1", 3), target(2, "m-2", 4)],
        ..NewAgentlessTask::default()
    };
    store.agentless_task_add(task).await.expect("writes");
    let take = TakeSubtasks {
        worker: "worker".to_owned(),
        limit: 2,
        now,
        until: soon,
        time_limit: Default::default(),
    };
    for taken in store.agentless_subtasks_take(take).await.expect("writes") {
        let outcome = SubtaskOutcome::Done(result());
        let end = SubtaskEnd { lease: taken.lease, now, outcome, measure_bytes: 1 };
        assert!(store.agentless_subtask_end(end).await.expect("writes"));
    }
    drop(store);
    server.restart().await;
    let api = server.admin().await;
    (server, api, now.as_millisecond())
}

/// Calls an action; answers the status and the body.
async fn call(api: &Api, action: &str, user_agent: &str, parameters: &[(&str, &str)]) -> (StatusCode, Value) {
    let request = api
        .raw(Method::POST, "/")
        .query(parameters)
        .header("x-acs-action", action)
        .header("x-acs-version", "2018-12-03")
        .header("x-acs-bearer-token", api.token())
        .header("user-agent", user_agent);
    let response = request.send().await.expect("an answer");
    let status = response.status();
    (status, serde_json::from_slice(&response.bytes().await.expect("a body")).expect("JSON"))
}

async fn done(api: &Api, action: &str, parameters: &[(&str, &str)]) -> Value {
    let (status, body) = call(api, action, PYTHON, parameters).await;
    assert_eq!(status, StatusCode::OK, "{action}: {body}");
    body
}

#[tokio::test]
async fn malicious_files_are_shown_and_handled() {
    let (_server, api, scanned) = start().await;
    let page = [("CurrentPage", "1"), ("PageSize", "1"), ("Lang", "en")];
    let first = done(&api, "ListAgentlessMaliciousFiles", &page).await;
    assert_eq!(first["PageInfo"], json!({"Count": 1, "CurrentPage": 1, "PageSize": 1, "TotalCount": 4}));
    let row = &first["List"][0];
    let id = row["Id"].as_i64().expect("a number").to_string();
    let expected = json!({
        "Id": row["Id"], "Level": "serious", "MaliciousName": "Backdoor", "MaliciousType": "Malicious Software",
        "MaliciousMd5": MD5, "FilePath": "/bin/x", "Partition": "/dev/vda1", "FirstScanTimestamp": scanned,
        "LatestScanTimestamp": scanned, "Uuid": row["Uuid"], "InstanceName": "web-1", "InternetIp": "192.0.2.1",
        "IntranetIp": "10.0.0.1", "TargetId": row["Uuid"], "TargetName": row["TargetName"], "TargetType": row["TargetType"],
        "OperateResult": "", "OperateTimestamp": "", "DownloadUrl": "",
        "HighLight": r#"{"highlight":{"events":[[1,2]]}}"#,
        "Details": [
            {"Name": "File path", "NameKey": "file_path", "Type": "text", "Value": "/bin/x"},
            {"Name": "MD5", "NameKey": "md5", "Type": "text", "Value": MD5},
            {"Name": "SHA-256", "NameKey": "sha256", "Type": "text", "Value": "0".repeat(64)},
            {"Name": "Rule", "NameKey": "rule", "Type": "text", "Value": "r1"},
        ],
        "Notes": [],
    });
    assert_eq!(row, &expected);
    let (_, of_go) = call(&api, "ListAgentlessMaliciousFiles", GO, &page).await;
    assert_eq!(
        (of_go["List"][0].get("FilePath"), &of_go["List"][0]["Details"][0]["Value"]),
        (None, &json!("/bin/x"))
    );

    let image = [
        ("CurrentPage", "1"),
        ("PageSize", "20"),
        ("ScanRange.1", "ecs_image"),
        ("MaliciousType", "WebShell"),
    ];
    let of_image = done(&api, "ListAgentlessMaliciousFiles", &image).await;
    let (path, kind) = (&of_image["List"][0]["FilePath"], &of_image["List"][0]["TargetType"]);
    assert_eq!((&of_image["PageInfo"]["Count"], path, kind), (&json!(1), &json!("/srv/ä.php"), &json!("2")));

    let like = [("CurrentPage", "1"), ("PageSize", "20"), ("EventId", id.as_str())];
    let alike = done(&api, "ListAgentlessRelateMalicious", &like).await;
    assert_eq!(
        (&alike["PageInfo"]["TotalCount"], &alike["List"][0]["FilePath"]),
        (&json!(2), &json!("/bin/x"))
    );
    assert_eq!(
        (alike["List"][0].get("Notes"), &alike["List"][0]["MaliciousType"]),
        (None, &json!("恶意软件"))
    );

    done(&api, "CreateMaliciousNote", &[("EventId", &id), ("Note", "a note")]).await;
    let noted =
        done(&api, "ListAgentlessMaliciousFiles", &[&page[..], &[("EventId", id.as_str())]].concat()).await;
    let note = &noted["List"][0]["Notes"][0];
    assert_eq!((&note["Note"], note["NoteTime"].as_str().map(str::len)), (&json!("a note"), Some(19)));
    let note_id = note["NoteId"].as_str().expect("a text");
    done(&api, "DeleteMaliciousNote", &[("NoteId", note_id)]).await;

    let handled =
        done(&api, "HandleMaliciousFiles", &[("FileIdList.1", id.as_str()), ("Operation", "addWhitelist")])
            .await;
    assert_eq!(
        (&handled["Success"], &handled["Code"], &handled["HttpStatusCode"]),
        (&json!(true), &json!("200"), &json!(200))
    );
    let dealt = [("CurrentPage", "1"), ("PageSize", "20"), ("Dealed", "Y")];
    let listed = done(&api, "ListAgentlessMaliciousFiles", &dealt).await;
    assert_eq!(
        (&listed["PageInfo"]["TotalCount"], &listed["List"][0]["OperateResult"]),
        (&json!(1), &json!("addWhitelist.USER.Success"))
    );
    assert_eq!(
        (&listed["List"][0]["Notes"], listed["List"][0]["OperateTimestamp"].as_str().map(str::len)),
        (&json!([]), Some(13))
    );

    let similar = [
        ("EventId", id.as_str()),
        ("Operation", "ignore"),
        ("Scenario", "same_file_md5"),
        ("ScanRange", "ecs_snapshot,ecs_image"),
    ];
    assert_eq!(done(&api, "HandleSimilarMaliciousFiles", &similar).await["Data"], json!(4));
    let grouped = done(&api, "DescribeGroupedMaliciousFiles", &page).await;
    let group = &grouped["GroupedMaliciousFileResponse"][0];
    assert_eq!(
        (&group["ImageCount"], &group["Status"], &group["MaliciousMd5"]),
        (&json!(2), &json!(1), &json!(MD5))
    );
    let counts = done(&api, "GetAgentlessTaskCount", &[]).await;
    assert_eq!(
        (&counts["MaliciousFile"], &counts["SensitiveFileCount"], &counts["BaselineCheckCount"]),
        (&json!(0), &json!(2), &json!(2))
    );
}

#[tokio::test]
async fn sensitive_files_and_checks_are_shown() {
    let (_server, api, scanned) = start().await;
    let one = [
        ("SensitiveFileKey", "pem"),
        ("ImageUuid", "s-1"),
        ("ScanRange", r#"["ecs_snapshot"]"#),
        ("Remark", "WEB"),
    ];
    let found = done(&api, "DescribeAgentlessSensitiveFileByKey", &one).await;
    let row = json!({
        "FilePath": "/etc/key.pem", "FirstScanTime": scanned, "Id": found["SensitiveFileList"][0]["Id"],
        "InstanceName": "web-1", "InternetIp": "192.0.2.1", "IntranetIp": "10.0.0.1", "LastScanTime": scanned,
        "Md5": MD5, "Prompt": "BEGIN", "RiskLevel": "medium", "SensitiveFileKey": "pem", "Status": 0,
        "TargetName": "s-1.qcow2", "Uuid": "s-1",
    });
    assert_eq!((&found["SensitiveFileList"], &found["Success"]), (&json!([row]), &json!(true)));
    let other = [("ImageUuid", "s-1"), ("InstanceId", "m-2")];
    assert_eq!(
        done(&api, "DescribeAgentlessSensitiveFileByKey", &other).await["SensitiveFileList"],
        json!([])
    );

    let failed = [("Source", "agentless"), ("CheckWarningStatus", "1"), ("CheckItemFuzzy", "check")];
    let summary = done(&api, "ListCheckItemWarningSummary", &failed).await;
    let row = json!({
        "Advice": "change it", "AffiliatedRiskTypes": ["cis"], "AffiliatedRisks": ["Debian"], "Alias": "CIS", "CheckId": 1,
        "CheckItem": "Check 1", "CheckLevel": "high", "CheckType": "Passwords", "ContainerCheckItem": false,
        "Description": "what", "EnableRisks": ["Debian"], "RiskType": "cis", "Status": 1, "WarningMachineCount": 2,
    });
    assert_eq!(summary["List"], json!([row]));
    let grouped = [("Source", "agentless"), ("GroupId", "1")];
    assert_eq!(done(&api, "ListCheckItemWarningSummary", &grouped).await["List"], json!([]));

    let machine = [("Source", "agentless"), ("CheckId", "1"), ("UuidList.1", "m-2")];
    let machines = done(&api, "ListCheckItemWarningMachine", &machine).await;
    let row = json!({
        "FixList": [], "FixStatus": 1, "InstanceId": "m-2", "InstanceName": "web-1", "InternetIp": "192.0.2.1",
        "IntranetIp": "10.0.0.1", "LastScanTime": scanned, "Prompt": "root has none", "RegionId": "cellar-1",
        "Status": 1, "TargetId": "m-2", "TargetName": "m-2.qcow2", "TargetType": "ECS_IMAGE", "Uuid": "m-2",
        "WarningRiskList": [{"RiskId": 3, "RiskName": "Debian"}],
    });
    assert_eq!(machines["List"], json!([row]));
    assert_eq!(machines["PageInfo"], json!({"Count": 1, "CurrentPage": 1, "PageSize": 20, "TotalCount": 1}));
}
