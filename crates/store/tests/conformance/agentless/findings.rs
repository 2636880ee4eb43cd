use guardhouse_model::agentless::{CheckStatus, RiskLevel, SensitiveStatus};
use guardhouse_store::{
    AgentlessResult, AssetFilter, Check, CheckFilter, CheckItem, NewCheck, NewSensitiveFile, PageNumber,
    SensitiveFile, SensitiveFileFilter, SubtaskOutcome,
};

use crate::{
    agentless_malicious_files::scan,
    agentless_support::ALL,
    support::{Fixture, at},
};

fn sensitive(rule: &str, path: &str) -> NewSensitiveFile {
    NewSensitiveFile {
        rule_key: rule.to_owned(),
        risk_level: RiskLevel::High,
        path: path.to_owned(),
        md5: "0".repeat(32),
        prompt: "BEGIN ä".to_owned(),
    }
}

fn check(check_id: i64, passed: bool) -> NewCheck {
    let item = CheckItem {
        check_id,
        item: format!("Check {check_id}"),
        level: if check_id % 2 == 0 { RiskLevel::Low } else { RiskLevel::Medium },
        kind: "Passwords".to_owned(),
        risk_id: 7,
        risk_name: "Debian".to_owned(),
        risk_type: "cis".to_owned(),
        alias: "CIS".to_owned(),
        description: "what and why".to_owned(),
        advice: "change it".to_owned(),
    };
    NewCheck { item, passed, prompt: format!("found {passed}") }
}

fn with(sensitive_files: Vec<NewSensitiveFile>, checks: Vec<NewCheck>) -> SubtaskOutcome {
    let expire_time = at(1_000_000);
    SubtaskOutcome::Done(AgentlessResult { expire_time, sensitive_files, checks, ..Default::default() })
}

async fn files(f: &Fixture, filter: SensitiveFileFilter) -> Vec<SensitiveFile> {
    let page = f.store.agentless_sensitive_files_list(filter, ALL).await.expect("reads");
    assert_eq!(page.total, page.rows.len() as u64);
    page.rows
}

async fn checks(f: &Fixture, filter: CheckFilter) -> Vec<Check> {
    let page = f.store.agentless_checks_list(filter, ALL).await.expect("reads");
    assert_eq!(page.total, page.rows.len() as u64);
    page.rows
}

/// How many sensitive files and failed checks count.
async fn counts(f: &Fixture) -> (u64, u64) {
    let totals = f.store.agentless_results_count(None, None, at(0)).await.expect("reads");
    (totals.sensitive, totals.baseline)
}

pub async fn a_sensitive_file_that_is_found_again_is_the_same(f: &Fixture) {
    let twice = vec![sensitive("pem", "/a"), sensitive("ssh", "/a"), sensitive("pem", "/a")];
    scan(f, "s-1", 0, with(twice, vec![])).await;
    let first = files(f, SensitiveFileFilter::default()).await;
    let [ssh, pem] = &first[..] else { panic!("{first:?}") };
    assert_eq!((&pem.found, &ssh.found), (&sensitive("pem", "/a"), &sensitive("ssh", "/a")));
    assert_eq!((pem.status, pem.first_time, pem.latest_time), (SensitiveStatus::Open, at(1), at(1)));
    assert_eq!((pem.asset.instance_id.as_str(), counts(f).await), ("s-1", (2, 0)));

    let again = NewSensitiveFile { prompt: "a\0b".to_owned(), ..sensitive("pem", "/a") };
    let other = NewSensitiveFile { md5: "1".repeat(32), ..sensitive("ssh", "/a") };
    scan(f, "s-1", 10, with(vec![again, other], vec![])).await;
    let then = files(f, SensitiveFileFilter::default()).await;
    let [ssh_then, pem_then] = &then[..] else { panic!("{then:?}") };
    assert_eq!((pem_then.id, pem_then.first_time, pem_then.latest_time), (pem.id, at(1), at(11)));
    assert_eq!(pem_then.found.prompt, "a\u{fffd}b");
    assert!(ssh_then.id > ssh.id, "another content");
    scan(f, "s-1", 20, with(vec![], vec![])).await;
    assert_eq!((files(f, SensitiveFileFilter::default()).await, counts(f).await), (vec![], (0, 0)));
}

pub async fn sensitive_files_are_filtered_and_paged(f: &Fixture) {
    scan(f, "s-1", 0, with(vec![sensitive("pem", "/a"), sensitive("ssh", "/b")], vec![])).await;
    scan(f, "s-2", 2, with(vec![sensitive("pem", "/c")], vec![])).await;
    let any = SensitiveFileFilter::default;
    let asset = |asset| SensitiveFileFilter { asset, ..any() };
    let here = |ids: &[&str]| AssetFilter {
        instance_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        ..AssetFilter::default()
    };
    for (filter, paths) in [
        (any(), vec!["/c", "/b", "/a"]),
        (SensitiveFileFilter { rule_key: "pem".to_owned(), ..any() }, vec!["/c", "/a"]),
        (SensitiveFileFilter { rule_key: "PEM".to_owned(), ..any() }, vec![]),
        (SensitiveFileFilter { status: Some(SensitiveStatus::Open), ..any() }, vec!["/c", "/b", "/a"]),
        (SensitiveFileFilter { status: Some(SensitiveStatus::Ignored), ..any() }, vec![]),
        (asset(here(&["s-2", "s-9"])), vec!["/c"]),
        (asset(here(&["s-2\0"])), vec![]),
        (asset(AssetFilter { remark: "of s-1".to_owned(), ..here(&[]) }), vec!["/b", "/a"]),
        (asset(AssetFilter { target_types: Some(vec![1, 2, 4]), ..here(&[]) }), vec![]),
    ] {
        let what = format!("{filter:?}");
        let found: Vec<_> = files(f, filter).await.into_iter().map(|file| file.found.path).collect();
        assert_eq!(found, paths, "{what}");
    }
    let second = PageNumber { skip: 1, size: 1 };
    let page = f.store.agentless_sensitive_files_list(any(), second).await.expect("reads");
    assert_eq!((page.rows[0].found.path.as_str(), page.rows.len(), page.total), ("/b", 1, 3));
}

pub async fn a_check_remembers_that_it_failed(f: &Fixture) {
    scan(f, "s-1", 0, with(vec![], vec![check(1, false), check(2, true), check(3, true)])).await;
    let first = checks(f, CheckFilter::default()).await;
    assert_eq!(first[0].item, check(1, false).item);
    assert_eq!((first[0].prompt.as_str(), first[0].asset.instance_id.as_str()), ("found false", "s-1"));
    let how = |checks: &[Check]| -> Vec<_> {
        checks.iter().map(|check| (check.item.check_id, check.status)).collect()
    };
    assert_eq!(how(&first), [(1, CheckStatus::Failed), (2, CheckStatus::Passed), (3, CheckStatus::Passed)]);
    assert_eq!(counts(f).await, (0, 1));

    // What is not checked any more is gone; what is checked may be worded anew.
    let mut reworded = check(1, true);
    reworded.item.advice = "leave it".to_owned();
    scan(f, "s-1", 10, with(vec![], vec![reworded, check(2, false)])).await;
    let then = checks(f, CheckFilter::default()).await;
    assert_eq!(how(&then), [(1, CheckStatus::Fixed), (2, CheckStatus::Failed)]);
    assert_eq!((then[0].first_time, then[0].latest_time), (at(1), at(11)));
    assert_eq!(then[0].item.advice, "leave it");
    assert_eq!(counts(f).await, (0, 1));
    scan(f, "s-1", 20, with(vec![], vec![])).await;
    assert_eq!((checks(f, CheckFilter::default()).await, counts(f).await), (vec![], (0, 0)));
}

pub async fn checks_are_summed_up_and_filtered(f: &Fixture) {
    scan(f, "s-1", 0, with(vec![], vec![check(1, false), check(2, true)])).await;
    scan(f, "s-2", 2, with(vec![], vec![check(1, false), check(2, false)])).await;
    scan(f, "s-3", 4, with(vec![], vec![check(1, true)])).await;
    let any = CheckFilter::default;
    let summary = async |filter: CheckFilter, page| {
        let page = f.store.agentless_checks_summarize(filter, page).await.expect("reads");
        let rows = page.rows.into_iter().map(|row| (row.item.check_id, row.statuses));
        (rows.collect::<Vec<_>>(), page.total)
    };
    let (failed, passed) = (CheckStatus::Failed, CheckStatus::Passed);
    let (one, two) = ((1, vec![(failed, 2), (passed, 1)]), (2, vec![(failed, 1), (passed, 1)]));
    assert_eq!(summary(any(), ALL).await, (vec![one, two.clone()], 2));
    assert_eq!(summary(any(), PageNumber { skip: 1, size: 1 }).await, (vec![two], 2));
    let only = CheckFilter { statuses: vec![passed], ..any() };
    assert_eq!(summary(only, ALL).await, (vec![(1, vec![(passed, 1)]), (2, vec![(passed, 1)])], 2));
    let asset = |asset| CheckFilter { asset, ..any() };
    for (filter, found) in [
        (any(), vec![(1, "s-1"), (1, "s-2"), (1, "s-3"), (2, "s-1"), (2, "s-2")]),
        (CheckFilter { check_id: Some(2), ..any() }, vec![(2, "s-1"), (2, "s-2")]),
        (CheckFilter { item: "CHECK 2".to_owned(), ..any() }, vec![(2, "s-1"), (2, "s-2")]),
        (CheckFilter { level: Some(RiskLevel::Low), ..any() }, vec![(2, "s-1"), (2, "s-2")]),
        (CheckFilter { level: Some(RiskLevel::High), ..any() }, vec![]),
        (CheckFilter { kind: "passwords".to_owned(), ..any() }, vec![]),
        (CheckFilter { risk_type: "mlps".to_owned(), ..any() }, vec![]),
        (
            CheckFilter { statuses: vec![passed], kind: "Passwords".to_owned(), ..any() },
            vec![(1, "s-3"), (2, "s-1")],
        ),
        (
            CheckFilter { settled_since: Some(at(2)), risk_type: "cis".to_owned(), ..any() },
            vec![(1, "s-1"), (1, "s-2"), (1, "s-3"), (2, "s-2")],
        ),
        (asset(AssetFilter { instance_ids: vec!["s-3".to_owned()], ..Default::default() }), vec![(1, "s-3")]),
        (
            asset(AssetFilter {
                remark: "S-2".to_owned(),
                target_types: Some(vec![3]),
                ..Default::default()
            }),
            vec![(1, "s-2"), (2, "s-2")],
        ),
    ] {
        let what = format!("{filter:?}");
        let listed = checks(f, filter.clone()).await;
        let listed: Vec<_> =
            listed.iter().map(|check| (check.item.check_id, check.asset.instance_id.as_str())).collect();
        assert_eq!(listed, found, "{what}");
        let (_, total) = summary(filter, ALL).await;
        let mut ids: Vec<i64> = found.iter().map(|(id, _)| *id).collect();
        ids.dedup();
        assert_eq!(total, ids.len() as u64, "{what}");
    }
    let page = f.store.agentless_checks_list(any(), PageNumber { skip: 3, size: 1 }).await.expect("reads");
    assert_eq!((page.rows.len(), page.rows[0].item.check_id, page.total), (1, 2, 5));
}
