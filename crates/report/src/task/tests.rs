use serde_json::{Value, json};

use super::*;

/// What an image may have for a name.
const HOSTILE: &str = "evil\u{1b}[2J<script>alert('1')</script>\"&\u{202e}";

fn moment(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn report() -> TaskReport {
    let task = Task {
        id: "0192".to_owned(),
        name: "AGENTLESS_SCAN".to_owned(),
        started: moment(1_700_000_000),
        ended: Some(moment(1_700_000_100)),
    };
    let projects = [("binary", false), ("vul", true)];
    let projects = projects.map(|(name, run)| ProjectReport { name: name.to_owned(), run });
    TaskReport::new("1.2.3", task, projects.to_vec())
}

fn line(name: &str, ending: Ending, found: Option<Found>) -> AssetLine {
    AssetLine {
        instance_id: format!("m-{name}"),
        name: name.to_owned(),
        scan: "0193".to_owned(),
        ending,
        reason: String::new(),
        ended: Some(moment(1_700_000_050)),
        bytes_read: 1 << 20,
        found,
    }
}

/// As the report of an asset has it, with texts that no line shows.
fn asset() -> Value {
    let finding = |level: &str, fixed: Value, suppressed: Value| {
        json!({ "system": 0, "package": 0, "advisory": "CVE-1", "references": ["https://example.com"],
            "severity": { "level": level, "score": 9.8, "vector": "", "word": "" },
            "fixed": fixed, "suppressed": suppressed })
    };
    json!({
        "schemaVersion": 1,
        "target": { "name": "disk", "kind": "raw", "size": 1, "notes": [] },
        "projects": [{ "name": "vul", "run": true }],
        "volumes": [],
        "systems": [
            { "place": "", "osId": "debian", "osName": "Debian GNU/Linux 12", "packages": [{}, {}], "notes": [] },
            { "place": "partition 2", "osId": "", "osName": "", "packages": [{}], "notes": [] },
        ],
        "findings": [
            finding("critical", json!("1.2"), Value::Null),
            finding("low", Value::Null, Value::Null),
            finding("critical", json!("1.2"), json!({ "by": "rule" })),
        ],
        "problems": [{ "kind": "LIMIT" }],
        "advisories": [{ "name": "debian" }],
    })
}

#[test]
fn a_digest_has_the_numbers_of_a_report() {
    let (found, projects) = digest(asset().to_string().as_bytes()).expect("a report");
    let levels = Levels { critical: 1, low: 1, ..Levels::default() };
    let vulnerabilities = Vulnerabilities { total: 2, levels, fixable: 1, suppressed: 1 };
    let systems = vec!["Debian GNU/Linux 12".to_owned()];
    assert_eq!(found, Found { systems, packages: 3, vulnerabilities, problems: 1, not_compared: false });
    assert_eq!(projects.len(), 1);
    digest(&b"{}"[..]).expect_err("no report");
    digest(&asset().to_string().as_bytes()[..100]).expect_err("half a report");
}

#[test]
fn sums_are_of_all_assets() {
    let (found, _) = digest(asset().to_string().as_bytes()).expect("a report");
    let mut report = report();
    for line in [
        line("a", Ending::Done, Some(found.clone())),
        line("b", Ending::Done, Some(found)),
        line("c", Ending::Done, Some(Found::default())),
        line("d", Ending::Failed, None),
        line("e", Ending::TimedOut, None),
        line("f", Ending::Cancelled, None),
        line("g", Ending::Done, None),
    ] {
        report.add(line);
    }
    let mut written = Vec::new();
    report.write_json(&mut written).expect("a vector takes everything");
    let written: Value = serde_json::from_slice(&written).expect("JSON");
    let vulnerabilities = json!({ "total": 4, "critical": 2, "high": 0, "medium": 0, "low": 2, "negligible": 0,
        "unknown": 0, "fixable": 2, "suppressed": 2 });
    let totals = json!({ "assets": 7, "done": 4, "failed": 1, "timedOut": 1, "cancelled": 1, "vulnerable": 2,
        "withProblems": 2, "vulnerabilities": vulnerabilities, "bytesRead": 7 << 20 });
    assert_eq!(written["totals"], totals);
    assert_eq!(written["assets"][0]["ending"], "DONE");
    assert_eq!(
        written["assets"][3],
        json!({ "instanceId": "m-d", "name": "d", "scan": "0193", "ending": "FAILED",
        "reason": "", "ended": "2023-11-14T22:14:10Z", "bytesRead": 1 << 20 })
    );
}

#[test]
fn a_page_says_what_was_not_scanned_and_leads_nowhere() {
    let (found, _) = digest(asset().to_string().as_bytes()).expect("a report");
    let mut report = report();
    let systems = vec![HOSTILE.to_owned()];
    report.add(AssetLine { reason: HOSTILE.to_owned(), ..line(HOSTILE, Ending::Failed, None) });
    report.add(line(HOSTILE, Ending::Done, Some(Found { systems, ..found })));
    report.add(line("old", Ending::Done, None));
    let mut page = Vec::new();
    html::write(&report, &mut page).expect("a vector takes everything");
    let page = String::from_utf8(page).expect("UTF-8");
    for expected in [
        "Not run: binary",
        "Not scanned: 1 asset",
        "2 vulnerabilities in 2 assets",
        "1 critical",
        "not kept any more",
        "not scanned wholly: 1 problem",
        "Content-Security-Policy",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    for unwanted in ["<script", "\u{1b}", "\u{202e}", "<a ", "http:", "https:", "src="] {
        assert!(!page.contains(unwanted), "{unwanted}");
    }
}
