use std::collections::BTreeSet;

use guardhouse_model::agentless::{Handling, MaliciousLevel, MaliciousType, VulnerabilityKind};
use guardhouse_store::{
    AgentlessLocation, AgentlessResult, FoundAsset, LocationLook, MaliciousFileFilter, MaliciousRuleChange,
    NewAgentlessSelection, NewMaliciousFile, NewWhitelistedVulnerability, PageNumber, RuleScope,
    SelectionChanged, SubtaskEnd, SubtaskOutcome, VulnerabilityFilter, WhitelistScope, WhitelistTarget,
};
use uuid::Uuid;

use crate::{
    agentless_support::vulnerability,
    arena::{Arena, ROUNDS, at_once},
    support::at,
};

const ASSETS: [&str; 4] = ["s-1", "s-2", "s-3", "s-4"];
const KEY: i64 = 7;
const ALL: PageNumber = PageNumber { skip: 0, size: 100 };

/// Assets, a selection for them, and whitelists that are about it.
async fn prepare(a: &Arena) {
    let id = Uuid::from_u128(1);
    let location = AgentlessLocation {
        id,
        name: "images".to_owned(),
        address: vec![],
        sealed_credentials: None,
        target_type: 3,
        create_time: at(0),
        look_time: None,
        trouble: String::new(),
    };
    assert!(a.store.agentless_location_add(location).await.expect("writes"));
    let found = ASSETS.map(|asset| FoundAsset {
        instance_id: asset.to_owned(),
        name: asset.to_owned(),
        size_bytes: 1,
        version: String::new(),
    });
    let look = LocationLook { time: at(1), found: Ok(found.into()), forget: at(0) };
    assert!(a.store.agentless_assets_looked(id, look).await.expect("writes"));
    let selection = NewAgentlessSelection {
        key: KEY,
        business_type: "AGENTLESS_WHITE_LIST_1".to_owned(),
        has_all: false,
        platform: "all".to_owned(),
        account: Uuid::nil(),
        client_token: String::new(),
        create_time: at(0),
    };
    a.store.agentless_selection_add(selection).await.expect("writes");
    let (md5, scope) = (Some("aa".to_owned()), Some(RuleScope::Selection(KEY)));
    let rule = MaliciousRuleChange { md5, scope, ..Default::default() };
    let made = a.store.agentless_malicious_rules_change(vec![rule], at(2)).await.expect("writes");
    made.expect("nothing is in the way");
    let entry = NewWhitelistedVulnerability {
        kind: VulnerabilityKind::Cve,
        name: "CVE-1".to_owned(),
        alias: String::new(),
        target: WhitelistTarget { text: String::new(), scope: WhitelistScope::Selection(KEY) },
        reason: String::new(),
    };
    a.store.agentless_vulnerability_whitelist_add(vec![entry]).await.expect("writes");
}

/// What every scan finds.
fn found() -> SubtaskOutcome {
    let file = NewMaliciousFile {
        md5: "aa".to_owned(),
        sha256: "aa".to_owned(),
        path: "/a".to_owned(),
        partition: String::new(),
        name: "Trojan".to_owned(),
        kind: MaliciousType::Software,
        level: MaliciousLevel::Serious,
        highlight: String::new(),
        details: String::new(),
    };
    SubtaskOutcome::Done(AgentlessResult {
        expire_time: at(1_000_000),
        vulnerabilities: vec![vulnerability(1, "CVE-1")],
        malicious_files: vec![file],
        ..Default::default()
    })
}

/// Whoever is taken into a selection while scans end is whitelisted, and whoever is taken out of it is not.
pub async fn what_a_selection_has_meanwhile_is_whitelisted(a: &Arena) {
    prepare(a).await;
    for round in 0..ROUNDS {
        let second = i64::try_from(round).expect("few") * 10;
        a.scan(&ASSETS, second).await;
        let leased = a.take(ASSETS.len(), second).await;
        let ends = leased.into_iter().enumerate().map(|(n, leased)| {
            let end =
                SubtaskEnd { lease: leased.lease, now: at(second + 1), outcome: found(), measure_bytes: 0 };
            let store = a.replica(n);
            async move { assert!(store.agentless_subtask_end(end).await.expect("writes")) }
        });
        let changes = (0..ASSETS.len()).map(|n| {
            let set = BTreeSet::from([ASSETS[n].to_owned()]);
            let (add, remove) =
                if (n + round) % 2 == 0 { (set, BTreeSet::new()) } else { (BTreeSet::new(), set) };
            let store = a.replica(n + round);
            async move {
                let changed = store.agentless_selection_change(KEY, add, remove, at(second)).await;
                assert_eq!(changed.expect("writes"), SelectionChanged::Changed);
            }
        });
        tokio::join!(at_once(ends), at_once(changes));

        let files = a.store.agentless_malicious_files_list(MaliciousFileFilter::default(), ALL).await;
        let good =
            files.expect("reads").rows.into_iter().filter(|file| file.handling == Handling::Whitelisted);
        let good: BTreeSet<String> = good.map(|file| file.asset.instance_id).collect();
        let filter = VulnerabilityFilter { is_whitelisted: true, ..Default::default() };
        let lived_with = a.store.agentless_vulnerabilities_list(filter, ALL).await.expect("reads").rows;
        let lived_with: BTreeSet<String> = lived_with.into_iter().map(|one| one.asset.instance_id).collect();
        let selected = (0..ASSETS.len()).filter(|n| (n + round) % 2 == 0).map(|n| ASSETS[n].to_owned());
        let selected: BTreeSet<String> = selected.collect();
        assert_eq!((&good, &lived_with), (&selected, &selected));
        let totals = a.store.agentless_results_count(None, None, at(second)).await.expect("reads");
        let open = (ASSETS.len() - selected.len()) as u64;
        assert_eq!((totals.malicious, totals.cve), (open, open));
    }
}
