use std::{io::Read as _, sync::Arc};

use guardhouse_contract::scans::ScanOptions;
use guardhouse_model::environment::{ManualClock, SeededEntropy};
use guardhouse_store::{
    AgentlessResult, AgentlessTaskAdded, NewAgentlessSubtask, NewAgentlessTask, ReportWriter, SubtaskEnd,
    SubtaskOutcome, TakeSubtasks,
};
use prost::Message as _;
use serde_json::{Value, json};

use super::*;

const TASK: Uuid = Uuid::from_u128(100);

/// A report of an asset with a vulnerability, as its worker keeps it.
fn report(name: &str) -> String {
    let package = json!({ "kind": "deb", "name": "openssl", "version": "3.0.1", "architecture": "amd64",
        "source": null, "origin": "installed", "licences": [], "vendor": "", "module": "", "inside": [],
        "purl": "pkg:deb/debian/openssl@3.0.1", "path": "/var/lib/dpkg/status", "format": "dpkg-status" });
    let finding = json!({ "system": 0, "package": 0, "advisory": "CVE-2024-1", "aliases": [], "source": "debian",
        "summary": "bad", "severity": { "level": "high", "score": 7.5, "vector": "", "word": "" }, "fixed": "3.0.2",
        "affectedName": "openssl", "comparedVersion": "3.0.1", "references": [], "suppressed": null });
    json!({
        "schemaVersion": 1,
        "toolVersion": "1.2.3",
        "started": "2026-11-23T00:00:00Z",
        "ended": "2026-11-23T00:01:00Z",
        "target": { "name": name, "kind": "raw", "size": 1, "notes": [] },
        "projects": [{ "name": "vul", "run": true }],
        "volumes": [],
        "systems": [{ "place": "", "osId": "debian", "osVersion": "12", "osName": "Debian 12",
            "ecosystem": "Debian:12", "packages": [package], "notes": [] }],
        "findings": [finding],
        "problems": [],
        "advisories": [{ "name": "debian", "imported": "2026-11-22T00:00:00Z", "newest": null, "count": 1 }],
        "totals": { "files": 1, "bytes": 2, "bytesRead": 3 },
    })
    .to_string()
}

fn packed(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 0).expect("a vector takes everything")
}

struct House {
    maker: ReportMaker,
    clock: Arc<ManualClock>,
}

fn house() -> House {
    let clock = Arc::new(ManualClock::new(Timestamp::from_second(1_700_000_000).expect("in range")));
    let environment = Environment::new(clock.clone(), Arc::new(SeededEntropy::new(7)));
    House { maker: ReportMaker { store: Store::in_memory().expect("opens"), environment }, clock }
}

impl House {
    /// A task of some assets, each of which ends so: with a report, or with a reason.
    async fn task(&self, endings: &[Result<&str, &str>]) {
        let (store, now) = (&self.maker.store, self.maker.environment.now());
        let target = |number: usize| NewAgentlessSubtask {
            id: subtask(number),
            instance_id: format!("m-{number}"),
            location: Uuid::from_u128(1),
            target_type: 4,
            target_name: format!("disk-{number}"),
            size_bytes: 1,
            ..NewAgentlessSubtask::default()
        };
        let task = NewAgentlessTask {
            id: TASK,
            name: "AGENTLESS_SCAN".to_owned(),
            target_type: 4,
            options: ScanOptions::default().encode_to_vec(),
            start_time: now,
            targets: (0..endings.len()).map(target).collect(),
            ..NewAgentlessTask::default()
        };
        assert_eq!(store.agentless_task_add(task).await.expect("writes"), AgentlessTaskAdded::Added);
        let take = TakeSubtasks {
            worker: "w".to_owned(),
            limit: 1_000,
            now,
            until: Timestamp::MAX,
            time_limit: Default::default(),
        };
        for leased in store.agentless_subtasks_take(take).await.expect("writes") {
            let number = (0..endings.len()).find(|&number| subtask(number) == leased.lease.subtask);
            let outcome = match endings[number.expect("one of these")] {
                Ok(document) => {
                    let writer = ReportWriter::Worker(leased.lease);
                    let content = packed(document);
                    let kept = store.agentless_report_write(writer, ReportFormat::Json, 0, content);
                    assert!(kept.await.expect("writes"));
                    SubtaskOutcome::Done(AgentlessResult {
                        expire_time: Timestamp::MAX,
                        ..Default::default()
                    })
                }
                Err(reason) => SubtaskOutcome::Failed(reason.to_owned()),
            };
            let end = SubtaskEnd { lease: leased.lease, now, outcome, measure_bytes: 1 << 20 };
            assert!(store.agentless_subtask_end(end).await.expect("writes"));
        }
    }

    async fn make_all(&self) -> usize {
        let mut made = 0;
        while self.maker.make_one().await.expect("works") {
            made += 1;
        }
        made
    }

    async fn document(&self, owner: Uuid, format: ReportFormat) -> String {
        let mut packed = Vec::new();
        let part = async |position| self.maker.store.agentless_report_part(owner, format, position).await;
        for position in 0.. {
            match part(position).await.expect("reads") {
                Some(part) => packed.extend(part),
                None => break,
            }
        }
        let mut text = String::new();
        zstd::Decoder::new(&packed[..]).expect("a decoder").read_to_string(&mut text).expect("is whole");
        text
    }

    async fn task_status(&self) -> ReportStatus {
        self.maker.store.agentless_task_get(TASK).await.expect("reads").expect("is there").report_status
    }

    async fn subtask_status(&self, number: usize) -> ReportStatus {
        let found = self.maker.store.agentless_subtask_get(subtask(number)).await.expect("reads");
        found.expect("is there").report_status
    }
}

fn subtask(number: usize) -> Uuid {
    Uuid::from_u128(200 + number as u128)
}

#[tokio::test]
async fn a_task_has_a_report_and_each_of_its_subtasks() {
    let house = house();
    let document = report("disk");
    house.task(&[Ok(&document), Err("no such file"), Ok(&document)]).await;
    assert_eq!(house.make_all().await, 3, "what failed has none");
    assert_eq!(house.task_status().await, ReportStatus::Success);
    for (number, status) in [(0, ReportStatus::Success), (1, ReportStatus::None), (2, ReportStatus::Success)]
    {
        assert_eq!(house.subtask_status(number).await, status, "{number}");
    }
    let page = house.document(subtask(0), ReportFormat::Html).await;
    assert!(page.contains("CVE-2024-1") && page.ends_with("</html>\n"), "{page}");
    assert_eq!(house.document(subtask(0), ReportFormat::Json).await, document, "as the worker kept it");

    let summary: Value = serde_json::from_str(&house.document(TASK, ReportFormat::Json).await).expect("JSON");
    assert_eq!(summary["totals"]["vulnerabilities"]["high"], 2);
    assert_eq!(summary["totals"]["failed"], 1);
    assert_eq!(summary["assets"][1]["reason"], "no such file");
    assert_eq!(summary["assets"][2]["found"]["systems"], json!(["Debian 12"]));
    assert_eq!(summary["projects"][0], json!({ "name": "scaVul", "run": true }));
    assert_eq!(summary["projects"][1], json!({ "name": "binary", "run": false }));
    let page = house.document(TASK, ReportFormat::Html).await;
    for expected in ["Not run: binary, baseline", "no such file", "2 vulnerabilities in 2 assets"] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
}

/// Longer than a part, and than what is read at a time.
#[tokio::test]
async fn a_task_of_many_assets_has_a_line_for_each() {
    let house = house();
    let document = report("disk");
    let endings: Vec<_> =
        (0..2 * STEP + 1).map(|number| if number % 5 == 0 { Err("no") } else { Ok(&*document) }).collect();
    house.task(&endings).await;
    house.make_all().await;
    let summary: Value = serde_json::from_str(&house.document(TASK, ReportFormat::Json).await).expect("JSON");
    let assets = summary["assets"].as_array().expect("a list");
    let names: Vec<_> = assets.iter().filter_map(|line| line["name"].as_str()).map(str::to_owned).collect();
    let expected: Vec<_> = (0..endings.len()).map(|number| format!("disk-{number}")).collect();
    assert_eq!(names, expected);
    assert_eq!(summary["totals"]["failed"], 81);
}

#[tokio::test]
async fn what_is_no_report_has_no_page() {
    let house = house();
    house.task(&[Ok("{}")]).await;
    house.make_all().await;
    assert_eq!(house.subtask_status(0).await, ReportStatus::Failed);
    assert_eq!(house.task_status().await, ReportStatus::Failed);
}

/// A process that dies in the middle leaves RUNNING behind.
#[tokio::test]
async fn what_somebody_began_and_never_finished_is_made_by_another() {
    let house = house();
    let document = report("disk");
    house.task(&[Ok(&document)]).await;
    let now = house.maker.environment.now();
    let begun = house.maker.store.agentless_reports_wanted(now, 9).await.expect("writes");
    assert_eq!(begun.len(), 2);
    assert_eq!(house.make_all().await, 0, "somebody is at it");
    assert_eq!(house.task_status().await, ReportStatus::Running);
    house.clock.advance(i64::try_from(Store::AGENTLESS_REPORT_LIMIT.as_secs()).expect("small"));
    assert_eq!(house.make_all().await, 2);
    assert_eq!(
        (house.task_status().await, house.subtask_status(0).await),
        (ReportStatus::Success, ReportStatus::Success)
    );
}

#[tokio::test]
async fn a_report_takes_its_time_and_no_more() {
    let house = house();
    let document = report("disk");
    house.task(&[Ok(&document)]).await;
    let now = house.maker.environment.now();
    let report = house.maker.store.agentless_reports_wanted(now, 1).await.expect("writes")[0];
    let desk = Desk {
        store: house.maker.store.clone(),
        environment: house.maker.environment.clone(),
        runtime: Handle::current(),
        deadline: now,
    };
    let late = tokio::task::spawn_blocking(move || make(&desk, report)).await.expect("no panic");
    assert_eq!(late.expect_err("too late").kind(), io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn nobody_writes_what_nobody_wants() {
    let house = house();
    let document = report("disk");
    house.task(&[Ok(&document)]).await;
    let now = house.maker.environment.now();
    let desk = Desk {
        store: house.maker.store.clone(),
        environment: house.maker.environment.clone(),
        runtime: Handle::current(),
        deadline: Timestamp::MAX,
    };
    assert!(house.maker.store.agentless_reports_wanted(now, 9).await.expect("writes").len() == 2);
    house.make_all().await;
    assert!(house.maker.store.agentless_task_delete(TASK).await.expect("writes"));
    for report in [ReportWanted::Task(TASK), ReportWanted::Subtask(subtask(0))] {
        let desk = desk.clone();
        let refused = tokio::task::spawn_blocking(move || make(&desk, report)).await.expect("no panic");
        refused.expect_err("it is gone");
    }
}
