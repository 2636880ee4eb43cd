//! The verbs of malicious files, sensitive files and checks.

use guardhouse_model::agentless::{
    CheckStatus, MaliciousLevel, MaliciousOperation, MaliciousType, RiskLevel, SensitiveStatus,
};

use super::{
    Plans,
    agentless::task,
    support::{Fixture, at},
};
use crate::{
    AgentlessResult, AssetFilter, CheckFilter, CheckItem, Likeness, MaliciousFileFilter, MaliciousRuleChange,
    NewCheck, NewMaliciousFile, NewSensitiveFile, PageNumber, SensitiveFileFilter, SubtaskEnd,
    SubtaskOutcome, TakeSubtasks,
};

const PAGE: PageNumber = PageNumber { skip: 20, size: 20 };
const ALL: PageNumber = PageNumber { skip: 0, size: 20 };

/// Carries all of them out.
pub async fn all(plans: &mut Plans, f: &Fixture) {
    ends(plans, f).await;
    malicious_files(plans, f).await;
    rules(plans, f).await;
    sensitive_files(plans, f).await;
    checks(plans, f).await;
}

fn result(path: &str) -> AgentlessResult {
    let item = CheckItem {
        check_id: 7,
        item: path.to_owned(),
        level: RiskLevel::High,
        kind: String::new(),
        risk_id: 1,
        risk_name: String::new(),
        risk_type: String::new(),
        alias: String::new(),
        description: String::new(),
        advice: String::new(),
    };
    let passed = |check_id| NewCheck {
        item: CheckItem { check_id, ..item.clone() },
        passed: true,
        prompt: String::new(),
    };
    let malicious = |path: &str| NewMaliciousFile {
        md5: "a".to_owned(),
        sha256: "b".to_owned(),
        path: path.to_owned(),
        partition: String::new(),
        name: "name".to_owned(),
        kind: MaliciousType::Software,
        level: MaliciousLevel::Serious,
        highlight: String::new(),
        details: String::new(),
    };
    let sensitive = |path: &str| NewSensitiveFile {
        rule_key: "pem".to_owned(),
        risk_level: RiskLevel::High,
        path: path.to_owned(),
        md5: "a".to_owned(),
        prompt: String::new(),
    };
    AgentlessResult {
        expire_time: at(9),
        malicious_files: vec![malicious("/same"), malicious(path)],
        sensitive_files: vec![sensitive("/same"), sensitive(path)],
        checks: vec![passed(7), passed(if path == "/a" { 8 } else { 9 })],
        ..AgentlessResult::default()
    }
}

/// Results over results: some findings are there again, some are new, and some are gone.
async fn ends(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    for (what, path) in
        [("agentless_subtask_end, with findings", "/a"), ("agentless_subtask_end, with other findings", "/b")]
    {
        store.agentless_task_add(task(f, &["f-1"])).await.expect("writes");
        let take = TakeSubtasks {
            worker: "worker".to_owned(),
            limit: 1,
            now: at(1),
            until: at(60),
            time_limit: Default::default(),
        };
        let taken = store.agentless_subtasks_take(take).await.expect("writes").pop().expect("is queued");
        plans.forget();
        let outcome = SubtaskOutcome::Done(result(path));
        let end = SubtaskEnd { lease: taken.lease, now: at(2), outcome, measure_bytes: 0 };
        assert!(plans.of(what, store.agentless_subtask_end(end)).await);
    }
}

async fn malicious_files(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let listed = store.agentless_malicious_files_list(MaliciousFileFilter::default(), ALL).await;
    let file = listed.expect("reads").rows[0].id;
    plans.forget();
    let any = MaliciousFileFilter::default;
    let on = |asset| MaliciousFileFilter { asset, ..any() };
    let filters = [
        ("", any()),
        (", by id", MaliciousFileFilter { id: Some(file), ..any() }),
        (", like one by type", MaliciousFileFilter { like: Some((file, Likeness::Type)), ..any() }),
        (", like one by md5", MaliciousFileFilter { like: Some((file, Likeness::Md5)), ..any() }),
        (", by md5", MaliciousFileFilter { md5: "a".to_owned(), ..any() }),
        (", of an asset", on(AssetFilter { instance_ids: vec!["f-1".to_owned()], ..AssetFilter::default() })),
        (", by asset", on(AssetFilter { remark: "x".to_owned(), ..AssetFilter::default() })),
        (
            ", by everything else",
            MaliciousFileFilter {
                name: "n".to_owned(),
                kind: Some(MaliciousType::Software),
                levels: vec![MaliciousLevel::Serious],
                is_handled: Some(false),
                ..on(AssetFilter { target_types: Some(vec![3]), ..AssetFilter::default() })
            },
        ),
    ];
    for (what, filter) in filters {
        let page = if filter.id.is_some() { ALL } else { PAGE };
        let list = store.agentless_malicious_files_list(filter, page);
        plans.of(&format!("agentless_malicious_files_list{what}"), list).await;
    }
    plans.of("agentless_malicious_samples_list", store.agentless_malicious_samples_list(any(), PAGE)).await;
    let note = store.agentless_malicious_note_add(file, "a note".to_owned(), at(3));
    plans.of("agentless_malicious_note_add", note).await;
    plans.of("agentless_malicious_note_remove", store.agentless_malicious_note_remove(1)).await;
    for operation in [MaliciousOperation::AddWhitelist, MaliciousOperation::OffWhitelist] {
        let handle = store.agentless_malicious_files_handle(vec![file], operation, at(4));
        plans.of(&format!("agentless_malicious_files_handle, {}", operation.word()), handle).await;
    }
    for likeness in [Likeness::Type, Likeness::Md5] {
        let (types, operation) = (Some(vec![3]), MaliciousOperation::Ignore);
        let handle = store.agentless_malicious_files_handle_like(file, likeness, types, operation, at(5));
        plans.of(&format!("agentless_malicious_files_handle_like, {likeness:?}"), handle).await;
    }
}

async fn rules(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let change = |id| MaliciousRuleChange { id, md5: Some("a".to_owned()), ..Default::default() };
    let make = store.agentless_malicious_rules_change(vec![change(None)], at(6));
    let made = plans.of("agentless_malicious_rules_change, a new one", make).await;
    let id = made.expect("nothing is in the way")[0].id;
    let change = store.agentless_malicious_rules_change(vec![change(Some(id))], at(6));
    plans.of("agentless_malicious_rules_change", change).await.expect("nothing is in the way");
    plans.of("agentless_malicious_rule_get", store.agentless_malicious_rule_get(id)).await;
    plans.of("agentless_malicious_rules_list", store.agentless_malicious_rules_list(None, PAGE)).await;
    let remove = store.agentless_malicious_rules_remove(vec![id], at(7));
    plans.of("agentless_malicious_rules_remove", remove).await;
}

async fn sensitive_files(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let any = SensitiveFileFilter::default;
    let on = |asset| SensitiveFileFilter { asset, ..any() };
    for (what, filter) in [
        ("agentless_sensitive_files_list", any()),
        ("agentless_sensitive_files_list, by rule", SensitiveFileFilter { rule_key: "pem".into(), ..any() }),
        (
            "agentless_sensitive_files_list, of an asset",
            on(AssetFilter { instance_ids: vec!["f-1".to_owned()], ..AssetFilter::default() }),
        ),
        (
            "agentless_sensitive_files_list, by everything else",
            SensitiveFileFilter {
                status: Some(SensitiveStatus::Open),
                ..on(AssetFilter {
                    remark: "x".to_owned(),
                    target_types: Some(vec![3]),
                    ..AssetFilter::default()
                })
            },
        ),
    ] {
        plans.of(what, store.agentless_sensitive_files_list(filter, PAGE)).await;
    }
}

async fn checks(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let any = CheckFilter::default;
    let one = || CheckFilter { check_id: Some(7), ..any() };
    let here = AssetFilter { instance_ids: vec!["f-1".to_owned()], ..AssetFilter::default() };
    let everything = CheckFilter {
        item: "x".to_owned(),
        level: Some(RiskLevel::High),
        kind: "y".to_owned(),
        risk_type: "z".to_owned(),
        statuses: vec![CheckStatus::Failed],
        settled_since: Some(at(0)),
        ..any()
    };
    plans.of("agentless_checks_summarize", store.agentless_checks_summarize(any(), ALL)).await;
    let summarize = store.agentless_checks_summarize(CheckFilter { asset: here.clone(), ..any() }, ALL);
    plans.of("agentless_checks_summarize, of an asset", summarize).await;
    let summarize = store.agentless_checks_summarize(everything, ALL);
    plans.of("agentless_checks_summarize, by everything else", summarize).await;
    plans.of("agentless_checks_list, of a check", store.agentless_checks_list(one(), PAGE)).await;
    let list = store.agentless_checks_list(CheckFilter { asset: here, ..one() }, PAGE);
    plans.of("agentless_checks_list, of a check and an asset", list).await;
}
