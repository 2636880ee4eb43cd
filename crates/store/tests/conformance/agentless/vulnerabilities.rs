use std::slice;

use guardhouse_model::agentless::{Necessity, VulnerabilityKind};
use guardhouse_store::{
    AgentlessTotals, AgentlessVulnerability, MissingResults, NewVulnerability, NewWhitelistedVulnerability,
    PageNumber, Paged, VulnerabilityFilter, VulnerabilityGroup, WhitelistChanged, WhitelistScope,
    WhitelistTarget, WhitelistedVulnerability,
};
use uuid::Uuid;

use crate::{
    agentless_support::{ALL, failed, found_vulnerabilities, vulnerability},
    support::{Fixture, at},
};

const KIND: VulnerabilityKind = VulnerabilityKind::Cve;

impl Fixture {
    /// Scans an asset, on which these are found.
    async fn scanned(&self, asset: &str, second: i64, vulnerabilities: &[NewVulnerability]) {
        self.scan(&[asset], second).await;
        let lease = self.take_one(second).await.lease;
        assert!(self.end(lease, found_vulnerabilities(vulnerabilities), second).await);
    }

    async fn vulnerabilities(&self, filter: VulnerabilityFilter) -> Vec<AgentlessVulnerability> {
        let found = self.store.agentless_vulnerabilities_list(filter, ALL).await.expect("reads");
        assert_eq!(found.total, found.rows.len() as u64);
        found.rows
    }

    /// The names of what a filter asks for, each with the asset.
    async fn names(&self, filter: VulnerabilityFilter) -> Vec<String> {
        let found = self.vulnerabilities(filter).await;
        found.into_iter().map(|one| format!("{} {}", one.found.name, one.asset.instance_id)).collect()
    }

    async fn groups(&self, filter: VulnerabilityFilter) -> Vec<VulnerabilityGroup> {
        let found = self.store.agentless_vulnerability_groups(filter, ALL).await.expect("reads");
        assert_eq!(found.total, found.rows.len() as u64);
        found.rows
    }

    async fn whitelist(&self, kind: VulnerabilityKind, name: &str, assets: Option<&[&str]>) {
        let added = self.store.agentless_vulnerability_whitelist_add(vec![entry(kind, name, assets)]).await;
        assert_eq!(added.expect("writes"), WhitelistChanged::Changed);
    }

    async fn whitelisted(&self, alias: &str) -> Vec<WhitelistedVulnerability> {
        let found = self.store.agentless_vulnerability_whitelist_list(alias.to_owned(), ALL).await;
        let found = found.expect("reads");
        assert_eq!(found.total, found.rows.len() as u64);
        found.rows
    }

    async fn totals(&self) -> AgentlessTotals {
        self.store.agentless_results_count(None, None, at(500)).await.expect("reads")
    }
}

fn entry(kind: VulnerabilityKind, name: &str, assets: Option<&[&str]>) -> NewWhitelistedVulnerability {
    NewWhitelistedVulnerability {
        kind,
        name: name.to_owned(),
        alias: format!("About {name}"),
        target: WhitelistTarget {
            text: format!("{assets:?}"),
            scope: assets.map_or(WhitelistScope::All, |ids| {
                WhitelistScope::Assets(ids.iter().map(|&id| id.to_owned()).collect())
            }),
        },
        reason: "it is not reachable".to_owned(),
    }
}

fn any() -> VulnerabilityFilter {
    VulnerabilityFilter::default()
}

pub async fn a_finding_keeps_its_number_and_when_it_came(f: &Fixture) {
    let (one, two, three) = (vulnerability(1, "CVE-1"), vulnerability(2, "CVE-2"), vulnerability(3, "CVE-3"));
    f.scanned("s-1", 10, &[one.clone(), two]).await;
    let first = f.vulnerabilities(any()).await;
    let numbers: Vec<i64> = first.iter().map(|row| row.id).collect();
    assert_eq!(numbers, [1, 2]);
    let row = &first[0];
    assert_eq!((&row.found, row.is_whitelisted), (&one, false));
    assert_eq!((row.first_time, row.scan_time), (at(10), at(10)));
    let asset = &row.asset;
    assert_eq!((asset.instance_id.as_str(), asset.target_type), ("s-1", 3));
    assert_eq!((asset.target_name.as_str(), asset.instance_name.as_str()), ("s-1.qcow2", "Host of s-1"));
    assert_eq!((asset.internet_ip.as_str(), asset.intranet_ip.as_str()), ("192.0.2.1", "10.0.0.1"));

    let updated = NewVulnerability { version: "1.1".to_owned(), fixed: "3".to_owned(), ..one };
    f.scanned("s-1", 20, &[three, updated.clone()]).await;
    f.scanned("s-2", 30, slice::from_ref(&updated)).await;
    let rows = f.vulnerabilities(any()).await;
    let shown: Vec<_> =
        rows.iter().map(|row| (row.id, row.first_time, row.scan_time, row.found.name.as_str())).collect();
    let expected = [(1, at(10), at(20), "CVE-1"), (3, at(20), at(20), "CVE-3"), (4, at(30), at(30), "CVE-1")];
    assert_eq!(shown, expected, "what is gone is gone, and its number is given to nobody else");
    assert_eq!(rows[0].found, updated);
}

pub async fn vulnerabilities_are_listed_the_worst_first(f: &Fixture) {
    let later =
        NewVulnerability { necessity: Necessity::Later, score: Some(53), ..vulnerability(2, "CVE-2") };
    let low = NewVulnerability {
        necessity: Necessity::Nntf,
        score: None,
        fixed: String::new(),
        alias: "100%_Sure".to_owned(),
        ..vulnerability(3, "CVE-3")
    };
    let several =
        NewVulnerability { related: "CVE-7,CVE-8".to_owned(), score: Some(71), ..vulnerability(4, "RHSA-1") };
    let sca = NewVulnerability { kind: VulnerabilityKind::Sca, ..vulnerability(5, "CVE-2") };
    f.scanned("s-1", 0, &[low, later.clone(), vulnerability(1, "CVE-1")]).await;
    f.scanned("s-2", 1, &[several, sca, later]).await;
    let all = ["CVE-1 s-1", "CVE-2 s-2", "RHSA-1 s-2", "CVE-2 s-1", "CVE-2 s-2", "CVE-3 s-1"];
    assert_eq!(f.names(any()).await, all);
    let list = |skip, size| f.store.agentless_vulnerabilities_list(any(), PageNumber { skip, size });
    let page = list(2, 2).await.expect("reads");
    let names: Vec<_> = page.rows.iter().map(|row| row.found.name.as_str()).collect();
    assert_eq!((names.as_slice(), page.total), (["RHSA-1", "CVE-2"].as_slice(), 6));
    assert_eq!(list(9, 2).await.expect("reads"), Paged { rows: vec![], total: 6 });

    let text = |text: &str| text.to_owned();
    let by = |necessities: &[Necessity]| VulnerabilityFilter { necessities: necessities.to_vec(), ..any() };
    let cve = || VulnerabilityFilter { kind: Some(KIND), ..any() };
    let of = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect::<Vec<_>>();
    let table: Vec<(VulnerabilityFilter, &[usize])> = vec![
        (cve(), &[0, 2, 3, 4, 5]),
        (VulnerabilityFilter { kind: Some(VulnerabilityKind::Sys), ..any() }, &[]),
        (by(&[Necessity::Later]), &[3, 4]),
        (by(&[Necessity::Nntf, Necessity::Later]), &[3, 4, 5]),
        (by(&[Necessity::Nntf, Necessity::Asap]), &[0, 1, 2, 5]),
        (by(&Necessity::ALL), &[0, 1, 2, 3, 4, 5]),
        (VulnerabilityFilter { name: text("CVE-2"), ..cve() }, &[3, 4]),
        (VulnerabilityFilter { name: text("CVE"), ..any() }, &[]),
        (VulnerabilityFilter { alias: text("about cve-2"), ..any() }, &[1, 3, 4]),
        (VulnerabilityFilter { alias: text("0%_s"), ..any() }, &[5]),
        (VulnerabilityFilter { alias: text("0_s"), ..any() }, &[]),
        (VulnerabilityFilter { cve: text("CVE-8"), ..any() }, &[2]),
        (VulnerabilityFilter { cve: text("CVE-2"), ..any() }, &[1, 3, 4]),
        (VulnerabilityFilter { cve: text("CVE-_"), ..any() }, &[]),
        (VulnerabilityFilter { cve: text("CVE-7,CVE-8"), ..any() }, &[2]),
        (VulnerabilityFilter { instance_ids: Some(of(&["s-2", "s-9"])), ..any() }, &[1, 2, 4]),
        (VulnerabilityFilter { instance_ids: Some(vec![]), ..any() }, &[]),
        (VulnerabilityFilter { target_types: Some(vec![3, 4]), ..any() }, &[0, 1, 2, 3, 4, 5]),
        (VulnerabilityFilter { target_types: Some(vec![1, 2, 4]), ..any() }, &[]),
        (VulnerabilityFilter { target_types: Some(vec![]), ..any() }, &[]),
        (VulnerabilityFilter { is_fixable: true, ..any() }, &[0, 1, 2, 3, 4]),
        (VulnerabilityFilter { is_whitelisted: true, ..any() }, &[]),
        (VulnerabilityFilter { name: text("\0"), ..any() }, &[]),
        (VulnerabilityFilter { instance_ids: Some(of(&["\0"])), ..any() }, &[]),
    ];
    for (filter, expected) in table {
        let expected: Vec<&str> = expected.iter().map(|&place| all[place]).collect();
        assert_eq!(f.names(filter.clone()).await, expected, "{filter:?}");
    }
}

pub async fn of_each_asset_the_worst_is_shown(f: &Fixture) {
    let later = NewVulnerability { necessity: Necessity::Later, ..vulnerability(2, "CVE-2") };
    f.scanned("s-1", 0, &[later.clone(), vulnerability(1, "CVE-1")]).await;
    f.scanned("s-2", 1, &[later]).await;
    f.scanned("s-3", 2, &[]).await;
    let list = async |filter, skip, size| {
        let page = PageNumber { skip, size };
        let found = f.store.agentless_vulnerabilities_by_asset(filter, page).await.expect("reads");
        let names = found.rows.into_iter().map(|row| format!("{} {}", row.found.name, row.asset.instance_id));
        (names.collect::<Vec<_>>(), found.total)
    };
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    assert_eq!(list(any(), 0, 9).await, (owned(&["CVE-1 s-1", "CVE-2 s-2"]), 2));
    assert_eq!(list(any(), 1, 1).await, (owned(&["CVE-2 s-2"]), 2));
    let later = VulnerabilityFilter { necessities: vec![Necessity::Later], ..any() };
    assert_eq!(list(later, 0, 9).await, (owned(&["CVE-2 s-1", "CVE-2 s-2"]), 2));
    let nothing = VulnerabilityFilter { target_types: Some(vec![]), ..any() };
    assert_eq!(list(nothing, 0, 9).await, (vec![], 0));
    let of = |kind| VulnerabilityFilter { kind: Some(kind), ..any() };
    assert_eq!(list(of(KIND), 1, 9).await, (owned(&["CVE-2 s-2"]), 2));
    assert_eq!(list(of(VulnerabilityKind::Sca), 0, 9).await, (vec![], 0));
    assert_eq!(list(of(VulnerabilityKind::Sys), 0, 9).await, (vec![], 0));
    f.whitelist(KIND, "CVE-2", None).await;
    assert_eq!(list(of(KIND), 0, 9).await, (owned(&["CVE-1 s-1"]), 1));
    let on = VulnerabilityFilter { is_whitelisted: true, ..of(KIND) };
    assert_eq!(list(on, 0, 9).await, (owned(&["CVE-2 s-1", "CVE-2 s-2"]), 2));
}

pub async fn groups_count_each_vulnerability(f: &Fixture) {
    let low = NewVulnerability { necessity: Necessity::Nntf, score: None, ..vulnerability(2, "CVE-2") };
    let unfixed = NewVulnerability { fixed: String::new(), ..low.clone() };
    let twice = NewVulnerability { path: "/other".to_owned(), ..vulnerability(9, "CVE-1") };
    f.scanned("s-1", 10, &[vulnerability(1, "CVE-1"), twice, unfixed]).await;
    f.scanned("s-2", 20, &[NewVulnerability { score: Some(99), ..vulnerability(1, "CVE-1") }]).await;
    let groups = f.groups(any()).await;
    let expected = VulnerabilityGroup {
        kind: KIND,
        name: "CVE-1".to_owned(),
        alias: "About CVE-1".to_owned(),
        related: "CVE-1".to_owned(),
        counts: [3, 0, 0],
        score: Some(99),
        is_fixable: true,
        first_time: at(10),
        scan_time: at(20),
    };
    assert_eq!(groups[0], expected);
    let second = &groups[1];
    assert_eq!((second.name.as_str(), second.counts, second.score), ("CVE-2", [0, 0, 1], None));
    assert_eq!((second.is_fixable, second.scan_time, groups.len()), (false, at(10), 2));

    let of_first = VulnerabilityFilter { instance_ids: Some(vec!["s-1".to_owned()]), ..any() };
    let groups = f.groups(of_first).await;
    assert_eq!((groups[0].counts, groups[0].score, groups[0].scan_time), ([2, 0, 0], Some(98), at(10)));
    let page = PageNumber { skip: 1, size: 1 };
    let page = f.store.agentless_vulnerability_groups(any(), page).await.expect("reads");
    assert_eq!((page.rows[0].name.as_str(), page.rows.len(), page.total), ("CVE-2", 1, 2));
    f.scanned("s-3", 30, &[NewVulnerability { kind: VulnerabilityKind::Sca, ..vulnerability(1, "CVE-1") }])
        .await;
    assert_eq!(f.groups(any()).await.len(), 3, "packages of languages are groups of their own");
}

pub async fn groups_are_those_of_the_rows_that_are_asked_for(f: &Fixture) {
    let of = |number: u128, name: &str, necessity, score, fixed: &str| NewVulnerability {
        necessity,
        score,
        fixed: fixed.to_owned(),
        ..vulnerability(number, name)
    };
    let sca = |one: NewVulnerability| NewVulnerability { kind: VulnerabilityKind::Sca, ..one };
    let (asap, later, nntf) = (Necessity::Asap, Necessity::Later, Necessity::Nntf);
    let first = [
        of(1, "CVE-3", later, Some(99), "2"),
        of(2, "CVE-1", later, Some(50), ""),
        of(3, "CVE-2", nntf, None, ""),
        sca(of(4, "CVE-2", asap, Some(40), "2")),
        of(5, "CVE-9", asap, Some(70), "2"),
    ];
    // CVE-1 is urgent here, but not as bad as CVE-9; CVE-2 is worst where it need not be fixed.
    let second = [
        of(1, "CVE-1", asap, Some(10), "2"),
        of(2, "CVE-2", nntf, Some(100), "2"),
        sca(of(3, "CVE-9", later, None, "")),
        of(4, "CVE-9", asap, Some(70), "2"),
    ];
    f.scanned("s-1", 0, &first).await;
    f.scanned("s-2", 1, &second).await;
    f.whitelist(KIND, "CVE-9", Some(&["s-2"])).await;

    let filters = [
        any(),
        VulnerabilityFilter { kind: Some(KIND), ..any() },
        VulnerabilityFilter { kind: Some(VulnerabilityKind::Sys), ..any() },
        VulnerabilityFilter { is_whitelisted: true, ..any() },
        VulnerabilityFilter { is_fixable: true, ..any() },
        VulnerabilityFilter { necessities: vec![later], ..any() },
        VulnerabilityFilter { necessities: vec![asap, nntf], ..any() },
        VulnerabilityFilter { target_types: Some(vec![3, 4]), ..any() },
        VulnerabilityFilter { target_types: Some(vec![4]), ..any() },
        VulnerabilityFilter { target_types: Some(vec![]), ..any() },
        VulnerabilityFilter { name: "CVE-2".to_owned(), ..any() },
        VulnerabilityFilter { alias: "cve-2".to_owned(), ..any() },
        VulnerabilityFilter { cve: "CVE-9".to_owned(), ..any() },
        VulnerabilityFilter { instance_ids: Some(vec!["s-2".to_owned()]), ..any() },
        VulnerabilityFilter { name: "\0".to_owned(), ..any() },
    ];
    for filter in filters {
        // The first row of a group is the most urgent, and of those the worst.
        let mut expected: Vec<(Vec<AgentlessVulnerability>, _)> = Vec::new();
        for row in f.vulnerabilities(filter.clone()).await {
            let found = &row.found;
            let group = (found.kind, found.name.clone());
            match expected.iter_mut().find(|(_, (_, _, known))| *known == group) {
                Some((rows, _)) => rows.push(row),
                None => {
                    let rank = (found.necessity, -found.score.unwrap_or(-1), group);
                    expected.push((vec![row], rank));
                }
            }
        }
        expected.sort_by(|(_, one), (_, other)| one.cmp(other));
        let count = |rows: &[AgentlessVulnerability], of| {
            rows.iter().map(|row| u32::from(row.found.necessity == of)).sum::<u32>()
        };
        let expected: Vec<_> = expected
            .iter()
            .map(|(rows, (_, _, (kind, name)))| {
                let score = rows.iter().filter_map(|row| row.found.score).max();
                (*kind, name.clone(), Necessity::ALL.map(|of| count(rows, of)), score)
            })
            .collect();
        let shown = |groups: &[VulnerabilityGroup]| -> Vec<_> {
            groups.iter().map(|one| (one.kind, one.name.clone(), one.counts, one.score)).collect()
        };
        assert_eq!(shown(&f.groups(filter.clone()).await), expected, "{filter:?}");
        for skip in 0..=expected.len() {
            let page = PageNumber { skip: skip as u64, size: 2 };
            let page = f.store.agentless_vulnerability_groups(filter.clone(), page).await.expect("reads");
            let rest = &expected[skip..expected.len().min(skip + 2)];
            assert_eq!((shown(&page.rows).as_slice(), page.total), (rest, expected.len() as u64));
        }
    }
}

pub async fn what_is_whitelisted_is_listed_apart_and_does_not_count(f: &Fixture) {
    let both = [vulnerability(1, "CVE-1"), vulnerability(2, "CVE-2")];
    f.scanned("s-1", 0, &both).await;
    f.scanned("s-2", 1, &both).await;
    let counted = async || (f.totals().await.cve, f.totals().await.risky);
    assert_eq!(counted().await, (4, 2));
    f.whitelist(KIND, "CVE-1", None).await;
    f.whitelist(VulnerabilityKind::Sca, "CVE-2", None).await;
    let on = || VulnerabilityFilter { is_whitelisted: true, ..any() };
    assert_eq!(f.names(any()).await, ["CVE-2 s-1", "CVE-2 s-2"]);
    assert_eq!(f.names(on()).await, ["CVE-1 s-1", "CVE-1 s-2"]);
    assert_eq!(f.groups(any()).await.len(), 1);
    assert_eq!(counted().await, (2, 2));

    // What comes later is whitelisted, too, and keeps its number.
    f.scanned("s-1", 10, &both).await;
    f.scanned("s-3", 11, &both[..1]).await;
    assert_eq!(f.names(on()).await, ["CVE-1 s-1", "CVE-1 s-2", "CVE-1 s-3"]);
    assert_eq!((counted().await, f.totals().await.scanned), ((2, 2), 3));

    f.whitelist(KIND, "CVE-1", Some(&["s-2", "s-9", "s-2"])).await;
    assert_eq!(f.names(on()).await, ["CVE-1 s-2"]);
    assert_eq!(counted().await, (4, 3));
    f.scanned("s-9", 12, &both[..1]).await;
    assert_eq!(f.names(on()).await, ["CVE-1 s-2", "CVE-1 s-9"]);

    let ids = f.whitelisted("").await.into_iter().map(|entry| entry.id).collect();
    assert_eq!(f.store.agentless_vulnerability_whitelist_remove(ids).await.expect("writes"), 2);
    assert_eq!(f.names(on()).await, [""; 0]);
    assert_eq!(counted().await, (6, 4));
}

pub async fn the_whitelist_is_listed_and_changed(f: &Fixture) {
    f.scanned("s-1", 0, &[vulnerability(1, "CVE-1")]).await;
    let add = vec![entry(KIND, "CVE-2", None), entry(KIND, "CVE-1", Some(&["s-2"]))];
    f.store.agentless_vulnerability_whitelist_add(add).await.expect("writes");
    let all = f.whitelisted("").await;
    let names: Vec<_> = all.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["CVE-2", "CVE-1"]);
    let expected = WhitelistedVulnerability {
        id: all[1].id,
        kind: KIND,
        name: "CVE-1".to_owned(),
        alias: "About CVE-1".to_owned(),
        target: "Some([\"s-2\"])".to_owned(),
        reason: "it is not reachable".to_owned(),
    };
    assert_eq!(all[1], expected);
    assert_eq!(f.whitelisted("ABOUT CVE-1").await, slice::from_ref(&expected));
    assert_eq!(f.whitelisted("\0").await, []);
    assert_eq!(f.names(any()).await, ["CVE-1 s-1"]);

    f.whitelist(KIND, "CVE-1", Some(&["s-3"])).await;
    let again = f.whitelisted("CVE-1").await;
    assert_eq!((again[0].id, again[0].target.as_str(), again.len()), (expected.id, "Some([\"s-3\"])", 1));

    let update = |id, target, reason: Option<&str>| {
        f.store.agentless_vulnerability_whitelist_update(id, target, reason.map(str::to_owned))
    };
    let everywhere = WhitelistTarget { text: "ALL".to_owned(), scope: WhitelistScope::All };
    assert_eq!(update(expected.id, Some(everywhere), None).await.expect("writes"), WhitelistChanged::Changed);
    assert_eq!((f.names(any()).await.len(), f.totals().await.risky), (0, 0));
    let updated = update(expected.id, None, Some("why not")).await;
    assert_eq!(updated.expect("writes"), WhitelistChanged::Changed);
    let changed = &f.whitelisted("CVE-1").await[0];
    assert_eq!((changed.target.as_str(), changed.reason.as_str()), ("ALL", "why not"));
    assert_eq!(update(99, None, None).await.expect("works"), WhitelistChanged::NotFound);

    let remove = |ids| f.store.agentless_vulnerability_whitelist_remove(ids);
    assert_eq!(remove(vec![99]).await.expect("works"), 0);
    assert_eq!(remove(vec![99, expected.id, expected.id]).await.expect("writes"), 1);
    assert_eq!(f.names(any()).await, ["CVE-1 s-1"]);
}

pub async fn vulnerabilities_go_with_their_result(f: &Fixture) {
    f.scanned("s-1", 0, &[vulnerability(1, "CVE-1")]).await;
    f.scanned("s-2", 10, &[vulnerability(1, "CVE-1")]).await;
    let lease = f.lease().await;
    let expired = f.store.agentless_results_expire(lease, at(1_000), 1).await.expect("writes");
    assert_eq!((expired, f.names(any()).await), (1, vec!["CVE-1 s-2".to_owned()]));
    let task = f.store.agentless_tasks_list(Default::default(), ALL).await.expect("reads").rows[0].id;
    assert!(f.store.agentless_task_delete(task).await.expect("writes"));
    assert_eq!(f.names(any()).await, [""; 0]);
    f.scanned("s-2", 20, &[vulnerability(1, "CVE-1")]).await;
    assert_eq!(f.vulnerabilities(any()).await[0].id, 3, "a number is not given twice");
}

pub async fn vulnerabilities_of_a_task_are_those_that_no_later_one_found(f: &Fixture) {
    let first = f.scan(&["s-1", "s-2", "s-3"], 0).await;
    for (leased, name) in f.take(2, 0).await.into_iter().zip(["CVE-1", "CVE-2"]) {
        assert!(f.end(leased.lease, found_vulnerabilities(&[vulnerability(1, name)]), 1).await);
    }
    let subtasks: Vec<Uuid> = f.subtasks(first).await.into_iter().map(|subtask| subtask.id).collect();
    let of = |task| VulnerabilityFilter { task: Some(task), ..any() };
    let one = |subtask: usize| VulnerabilityFilter { subtask: Some(subtasks[subtask]), ..any() };
    let missing =
        async |task, subtask| f.store.agentless_results_missing(task, subtask).await.expect("reads");
    let without = |unscanned, superseded| Some(MissingResults { unscanned, superseded });
    assert_eq!(f.names(of(first)).await, ["CVE-1 s-1", "CVE-2 s-2"]);
    assert_eq!(f.names(one(1)).await, ["CVE-2 s-2"]);
    assert_eq!(f.names(one(2)).await, [""; 0]);
    assert_eq!(f.groups(of(first)).await.len(), 2);
    assert_eq!(missing(Some(first), None).await, without(1, 0));
    assert_eq!(missing(None, Some(subtasks[2])).await, without(1, 0));

    let lease = f.take_one(2).await.lease;
    assert!(f.end(lease, failed(), 3).await);
    f.scanned("s-1", 10, &[vulnerability(3, "CVE-3")]).await;
    assert_eq!(f.names(of(first)).await, ["CVE-2 s-2"]);
    assert_eq!(f.names(VulnerabilityFilter { task: Some(first), ..one(0) }).await, [""; 0]);
    assert_eq!(missing(Some(first), None).await, without(1, 1));
    for (subtask, expected) in [(0, without(0, 1)), (1, without(0, 0)), (2, without(1, 0))] {
        assert_eq!(missing(None, Some(subtasks[subtask])).await, expected, "{subtask}");
        assert_eq!(missing(Some(first), Some(subtasks[subtask])).await, expected, "{subtask}");
    }
    let nobody = f.id();
    assert_eq!(f.names(of(nobody)).await, [""; 0]);
    for (task, subtask) in [(Some(nobody), None), (None, Some(nobody)), (Some(nobody), Some(subtasks[0]))] {
        assert_eq!(missing(task, subtask).await, None);
    }
    assert_eq!(missing(None, None).await, None);
}

pub async fn a_scan_may_find_very_much(f: &Fixture) {
    let many: Vec<_> = (0..3_000).map(|n| vulnerability(n, &format!("CVE-{}", n % 700))).collect();
    f.scanned("s-1", 0, &many).await;
    f.scanned("s-1", 1, &many[..2_500]).await;
    assert_eq!((f.totals().await.cve, f.groups(any()).await.len()), (2_500, 700));
}
