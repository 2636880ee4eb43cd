use guardhouse_model::agentless::VulnerabilityKind;
use guardhouse_store::{NewWhitelistedVulnerability, PageNumber, VulnerabilityFilter, WhitelistTarget};

use crate::{
    agentless_support::{found_vulnerabilities, vulnerability},
    arena::{Arena, ROUNDS, at_once},
    support::at,
};

fn entry(name: &str) -> NewWhitelistedVulnerability {
    NewWhitelistedVulnerability {
        kind: VulnerabilityKind::Cve,
        name: name.to_owned(),
        alias: String::new(),
        target: WhitelistTarget::default(),
        reason: String::new(),
    }
}

/// Whoever changes the whitelist while scans end misses none of their findings.
pub async fn what_is_found_meanwhile_is_whitelisted(a: &Arena) {
    const ASSETS: [&str; 6] = ["s-1", "s-2", "s-3", "s-4", "s-5", "s-6"];
    let both = [vulnerability(1, "CVE-1"), vulnerability(2, "CVE-2")];
    for round in 0..ROUNDS {
        let second = i64::try_from(round).expect("few") * 10;
        a.scan(&ASSETS, second).await;
        let leased = a.take(ASSETS.len(), second).await;
        let ends = leased.into_iter().enumerate().map(|(n, leased)| {
            let (store, outcome) = (a.replica(n), found_vulnerabilities(&both));
            let end = guardhouse_store::SubtaskEnd {
                lease: leased.lease,
                now: at(second + 1),
                outcome,
                measure_bytes: 0,
            };
            async move { assert!(store.agentless_subtask_end(end).await.expect("writes")) }
        });
        let (store, other) = (a.replica(round), a.replica(round + 1));
        let adding = store.agentless_vulnerability_whitelist_add(vec![entry("CVE-2"), entry("CVE-1")]);
        let again = other.agentless_vulnerability_whitelist_add(vec![entry("CVE-1"), entry("CVE-2")]);
        let (_, added, again) = tokio::join!(at_once(ends), adding, again);
        added.expect("writes");
        again.expect("writes");
        let totals = a.store.agentless_results_count(None, None, at(second)).await.expect("reads");
        assert_eq!((totals.scanned, totals.risky, totals.cve), (ASSETS.len() as u64, 0, 0));
        let page = PageNumber { skip: 0, size: 100 };
        let open = a.store.agentless_vulnerabilities_list(VulnerabilityFilter::default(), page).await;
        assert_eq!(open.expect("reads").total, 0);
        let entries =
            a.store.agentless_vulnerability_whitelist_list(String::new(), page).await.expect("reads");
        let ids = entries.rows.into_iter().map(|entry| entry.id).collect();
        assert_eq!(a.store.agentless_vulnerability_whitelist_remove(ids).await.expect("writes"), 2);
        let totals = a.store.agentless_results_count(None, None, at(second)).await.expect("reads");
        assert_eq!(totals.cve, 2 * ASSETS.len() as u64);
    }
}
