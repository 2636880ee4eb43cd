use guardhouse_store::{AgentlessCounts, PageNumber, RiskFilter};

use crate::{
    agentless_support::{ALL, found_vulnerabilities, vulnerability},
    support::{Fixture, at},
};

pub async fn assets_are_listed_by_what_was_found(f: &Fixture) {
    f.scan(&["s-1", "s-2", "s-3"], 0).await;
    for (leased, second) in f.take(3, 0).await.into_iter().zip([10, 30, 20]) {
        let found = match leased.instance_id.as_str() {
            "s-2" => vec![],
            _ => vec![vulnerability(1, "CVE-1"), vulnerability(2, "CVE-2")],
        };
        assert!(f.end(leased.lease, found_vulnerabilities(&found), second).await);
    }
    let any = RiskFilter::default;
    let text = |text: &str| text.to_owned();
    let table: Vec<(RiskFilter, &[&str])> = vec![
        (any(), &["s-2", "s-3", "s-1"]),
        (RiskFilter { is_at_risk: Some(true), ..any() }, &["s-3", "s-1"]),
        (RiskFilter { is_at_risk: Some(false), ..any() }, &["s-2"]),
        (RiskFilter { target_type: Some(3), ..any() }, &["s-2", "s-3", "s-1"]),
        (RiskFilter { target_type: Some(4), ..any() }, &[]),
        (RiskFilter { instance_id: text("s-1"), ..any() }, &["s-1"]),
        (RiskFilter { machine_names: [text("HOST"), text("s-3")], ..any() }, &["s-3"]),
        (RiskFilter { target_name: text("3.QCOW"), ..any() }, &["s-3"]),
        (RiskFilter { target_name: text("%"), ..any() }, &[]),
        (RiskFilter { internet_ip: text("192.0.2.1"), is_at_risk: Some(false), ..any() }, &["s-2"]),
        (RiskFilter { internet_ip: text("192.0.2"), ..any() }, &[]),
        (RiskFilter { intranet_ip: text("10.0.0.1"), ..any() }, &["s-2", "s-3", "s-1"]),
        (RiskFilter { intranet_ip: text("\0"), ..any() }, &[]),
    ];
    for (filter, expected) in table {
        let found = f.store.agentless_risks_list(filter.clone(), ALL).await.expect("reads");
        let ids: Vec<_> = found.rows.iter().map(|risk| risk.asset.instance_id.as_str()).collect();
        assert_eq!((ids.as_slice(), found.total), (expected, expected.len() as u64), "{filter:?}");
    }
    let page = f.store.agentless_risks_list(any(), PageNumber { skip: 1, size: 1 }).await.expect("reads");
    let counts = AgentlessCounts { cve: 2, ..Default::default() };
    let risk = &page.rows[0];
    assert_eq!((risk.asset.instance_id.as_str(), risk.counts, risk.scan_time), ("s-3", counts, at(20)));
    assert_eq!((risk.asset.instance_name.as_str(), page.rows.len(), page.total), ("Host of s-3", 1, 3));

    let of = async |ids: &[&str], target_type| {
        let ids = ids.iter().map(|&id| id.to_owned()).collect();
        let mut found = f.store.agentless_counts_of(ids, target_type).await.expect("reads");
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        found
    };
    let two = vec![(text("s-1"), counts), (text("s-2"), AgentlessCounts::default())];
    assert_eq!(of(&["s-2", "s-9", "\0", "s-1"], None).await, two);
    assert_eq!((of(&["s-1"], Some(3)).await.len(), of(&["s-1"], Some(4)).await), (1, vec![]));
}
