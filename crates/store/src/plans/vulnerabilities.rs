//! The verbs of vulnerabilities, and of what was found on assets.

use guardhouse_model::agentless::{Necessity, VulnerabilityKind};
use uuid::Uuid;

use super::{
    Plans,
    agentless::task,
    support::{Fixture, at},
};
use crate::{
    AgentlessResult, NewVulnerability, NewWhitelistedVulnerability, PageNumber, RiskFilter, SubtaskEnd,
    SubtaskOutcome, TakeSubtasks, VulnerabilityFilter, WhitelistScope, WhitelistTarget,
};

const KIND: VulnerabilityKind = VulnerabilityKind::Cve;
const PAGE: PageNumber = PageNumber { skip: 1, size: 10 };

/// Carries all of them out.
pub async fn all(plans: &mut Plans, f: &Fixture) {
    ends(plans, f).await;
    lists(plans, f).await;
    whitelist(plans, f).await;
    risks(plans, f).await;
}

fn found(number: u128) -> NewVulnerability {
    NewVulnerability {
        finding: Uuid::from_u128(number),
        kind: KIND,
        name: format!("CVE-{number}"),
        alias: "title".to_owned(),
        related: String::new(),
        necessity: Necessity::Asap,
        score: Some(98),
        package: "openssl".to_owned(),
        package_kind: "deb".to_owned(),
        version: "1".to_owned(),
        fixed: "2".to_owned(),
        path: String::new(),
        os: String::new(),
        os_release: String::new(),
    }
}

async fn ends(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    for (what, found) in [
        ("agentless_subtask_end, with vulnerabilities", [found(1), found(2)]),
        ("agentless_subtask_end, with others", [found(1), found(3)]),
    ] {
        store.agentless_task_add(task(f, &["v-1"])).await.expect("writes");
        let take = TakeSubtasks {
            worker: "worker".to_owned(),
            limit: 1,
            now: at(1),
            until: at(60),
            time_limit: Default::default(),
        };
        let taken = store.agentless_subtasks_take(take).await.expect("writes").pop().expect("is queued");
        plans.forget();
        let vulnerabilities = found.to_vec();
        let result = AgentlessResult { expire_time: at(9), vulnerabilities, ..Default::default() };
        let outcome = SubtaskOutcome::Done(result);
        let end = SubtaskEnd { lease: taken.lease, now: at(2), outcome, measure_bytes: 0 };
        plans.of(what, store.agentless_subtask_end(end)).await;
    }
}

async fn lists(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let any = || VulnerabilityFilter { kind: Some(KIND), ..Default::default() };
    let text = |text: &str| text.to_owned();
    let two = vec![Necessity::Asap, Necessity::Nntf];
    let filters = [
        ("", any()),
        (", of any kind", VulnerabilityFilter::default()),
        (", fixable", VulnerabilityFilter { is_fixable: true, ..any() }),
        (", by name", VulnerabilityFilter { name: text("CVE-1"), ..any() }),
        (", by necessity", VulnerabilityFilter { necessities: vec![Necessity::Later], ..any() }),
        (", by necessities", VulnerabilityFilter { necessities: two, ..any() }),
        (", of assets", VulnerabilityFilter { instance_ids: Some(vec![text("v-1"), text("v-2")]), ..any() }),
        (", of types", VulnerabilityFilter { target_types: Some(vec![3, 4]), ..any() }),
        (", of a task", VulnerabilityFilter { task: Some(f.id()), ..any() }),
        (", of a subtask", VulnerabilityFilter { subtask: Some(f.id()), ..any() }),
        (", by texts", VulnerabilityFilter { alias: text("title"), cve: text("CVE-1"), ..any() }),
    ];
    for (by, filter) in filters {
        let list = store.agentless_vulnerabilities_list(filter.clone(), PAGE);
        plans.of(&format!("agentless_vulnerabilities_list{by}"), list).await;
        let list = store.agentless_vulnerabilities_by_asset(filter.clone(), PAGE);
        plans.of(&format!("agentless_vulnerabilities_by_asset{by}"), list).await;
        let page = PageNumber { skip: 0, ..PAGE };
        let list = store.agentless_vulnerability_groups(filter, page);
        plans.of(&format!("agentless_vulnerability_groups{by}"), list).await;
    }
    let of_task = store.agentless_results_missing(Some(f.id()), None);
    plans.of("agentless_results_missing, of a task", of_task).await;
    let of_subtask = store.agentless_results_missing(None, Some(f.id()));
    plans.of("agentless_results_missing, of a subtask", of_subtask).await;
}

async fn whitelist(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let target =
        WhitelistTarget { text: String::new(), scope: WhitelistScope::Assets(vec!["v-1".to_owned()]) };
    let entry = NewWhitelistedVulnerability {
        kind: KIND,
        name: "CVE-1".to_owned(),
        alias: "title".to_owned(),
        target: target.clone(),
        reason: String::new(),
    };
    let add = store.agentless_vulnerability_whitelist_add(vec![entry]);
    plans.of("agentless_vulnerability_whitelist_add", add).await;
    for (what, alias) in [
        ("agentless_vulnerability_whitelist_list", ""),
        ("agentless_vulnerability_whitelist_list, by alias", "title"),
    ] {
        plans.of(what, store.agentless_vulnerability_whitelist_list(alias.to_owned(), PAGE)).await;
    }
    let page = PageNumber { skip: 0, ..PAGE };
    let entries = store.agentless_vulnerability_whitelist_list(String::new(), page).await.expect("reads");
    let id = entries.rows[0].id;
    plans.forget();
    let update = store.agentless_vulnerability_whitelist_update(id, Some(target), Some(String::new()));
    plans.of("agentless_vulnerability_whitelist_update", update).await;
    let remove = store.agentless_vulnerability_whitelist_remove(vec![id]);
    plans.of("agentless_vulnerability_whitelist_remove", remove).await;
}

async fn risks(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let ids = vec!["v-1".to_owned()];
    plans.of("agentless_counts_of", store.agentless_counts_of(ids, Some(3))).await;
    let text = |text: &str| text.to_owned();
    let any = RiskFilter::default;
    for (by, filter) in [
        ("", any()),
        (", of a type at risk", RiskFilter { target_type: Some(3), is_at_risk: Some(true), ..any() }),
        (", of an asset", RiskFilter { instance_id: text("v-1"), ..any() }),
        (", by names", RiskFilter { machine_names: [text("a"), text("b")], target_name: text("c"), ..any() }),
        (", by addresses", RiskFilter { internet_ip: text("a"), intranet_ip: text("b"), ..any() }),
    ] {
        plans.of(&format!("agentless_risks_list{by}"), store.agentless_risks_list(filter, PAGE)).await;
    }
}
