//! Whitelists that are about the assets of a selection.

use std::collections::BTreeSet;

use guardhouse_model::agentless::{Handling, VulnerabilityKind};
use guardhouse_store::{
    AgentlessLocation, AgentlessResult, FoundAsset, LocationLook, MaliciousFileFilter, MaliciousRuleChange,
    MaliciousRuleRefusal, NewAgentlessSelection, NewWhitelistedVulnerability, RuleScope, SelectionAdded,
    SelectionChanged, SubtaskOutcome, VulnerabilityFilter, WhitelistChanged, WhitelistScope, WhitelistTarget,
};

use crate::{
    agentless_malicious_files::file,
    agentless_support::{ALL, vulnerability},
    support::{Fixture, at},
};

const KEY: i64 = 77;
const TYPE: &str = "AGENTLESS_WHITE_LIST_1";

impl Fixture {
    /// A location with assets.
    async fn two_assets(&self) {
        let location = AgentlessLocation {
            id: self.id(),
            name: "images".to_owned(),
            address: vec![],
            sealed_credentials: None,
            target_type: 3,
            create_time: at(0),
            look_time: None,
            trouble: String::new(),
        };
        let id = location.id;
        assert!(self.store.agentless_location_add(location).await.expect("writes"));
        let found = ["s-1", "s-2"].map(|asset| FoundAsset {
            instance_id: asset.to_owned(),
            name: asset.to_owned(),
            size_bytes: 1,
            version: "v1".to_owned(),
        });
        let look = LocationLook { time: at(1), found: Ok(found.into()), forget: at(0) };
        assert!(self.store.agentless_assets_looked(id, look).await.expect("writes"));
    }

    /// A selection that has no assets yet, for those of a platform.
    async fn selection(&self, key: i64, platform: &str) {
        let selection = NewAgentlessSelection {
            key,
            business_type: TYPE.to_owned(),
            has_all: false,
            platform: platform.to_owned(),
            account: self.id(),
            client_token: String::new(),
            create_time: at(0),
        };
        let added = self.store.agentless_selection_add(selection).await.expect("writes");
        assert_eq!(added, SelectionAdded::Added);
    }

    /// Takes assets into the selection, and out of it.
    async fn take_in(&self, add: &[&str], remove: &[&str]) {
        let set = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect::<BTreeSet<_>>();
        let changed = self.store.agentless_selection_change(KEY, set(add), set(remove), at(90)).await;
        assert_eq!(changed.expect("writes"), SelectionChanged::Changed);
    }

    /// Scans an asset: it has a malicious file, a vulnerability, and this system.
    async fn find_both(&self, asset: &str, platform: &str, second: i64) {
        self.scan(&[asset], second).await;
        let lease = self.take_one(second).await.lease;
        let result = AgentlessResult {
            platform: platform.to_owned(),
            expire_time: at(1_000_000),
            vulnerabilities: vec![vulnerability(1, "CVE-1")],
            malicious_files: vec![file("a", "/a")],
            ..Default::default()
        };
        assert!(self.end(lease, SubtaskOutcome::Done(result), second).await);
    }

    /// The assets whose file is whitelisted; the others count.
    async fn good_files(&self) -> Vec<String> {
        let files = self.store.agentless_malicious_files_list(MaliciousFileFilter::default(), ALL).await;
        let (good, open): (Vec<_>, Vec<_>) =
            files.expect("reads").rows.into_iter().partition(|file| file.handling == Handling::Whitelisted);
        let totals = self.store.agentless_results_count(None, None, at(0)).await.expect("reads");
        assert_eq!(totals.malicious, open.len() as u64);
        let mut good: Vec<_> = good.into_iter().map(|file| file.asset.instance_id).collect();
        good.sort();
        good
    }

    /// The assets whose vulnerability somebody lives with; the others count.
    async fn lived_with(&self) -> Vec<String> {
        let filter = VulnerabilityFilter { is_whitelisted: true, ..Default::default() };
        let list = self.store.agentless_vulnerabilities_list(filter, ALL).await.expect("reads").rows;
        let open = self.store.agentless_vulnerabilities_list(VulnerabilityFilter::default(), ALL).await;
        let totals = self.store.agentless_results_count(None, None, at(0)).await.expect("reads");
        assert_eq!(totals.cve, open.expect("reads").total);
        let mut list: Vec<_> = list.into_iter().map(|one| one.asset.instance_id).collect();
        list.sort();
        list
    }

    async fn rule(&self, id: Option<i64>, scope: RuleScope) -> Result<i64, MaliciousRuleRefusal> {
        let change =
            MaliciousRuleChange { id, md5: Some(file("a", "").md5), scope: Some(scope), remark: None };
        let made = self.store.agentless_malicious_rules_change(vec![change], at(60)).await.expect("writes");
        made.map(|rules| {
            assert_eq!(rules[0].says.scope, scope);
            rules[0].id
        })
    }

    async fn live_with(&self, scope: WhitelistScope) -> WhitelistChanged {
        let entry = NewWhitelistedVulnerability {
            kind: VulnerabilityKind::Cve,
            name: "CVE-1".to_owned(),
            alias: String::new(),
            target: WhitelistTarget { text: format!("{scope:?}"), scope },
            reason: String::new(),
        };
        self.store.agentless_vulnerability_whitelist_add(vec![entry]).await.expect("writes")
    }
}

pub async fn a_rule_is_about_the_assets_of_a_selection(f: &Fixture) {
    f.two_assets().await;
    f.selection(KEY, "all").await;
    f.find_both("s-1", "Debian", 10).await;
    f.find_both("s-2", "Debian", 12).await;
    assert_eq!(f.rule(None, RuleScope::Selection(99)).await, Err(MaliciousRuleRefusal::NoSelection(0)));
    assert_eq!(f.good_files().await, [""; 0]);
    let rule = f.rule(None, RuleScope::Selection(KEY)).await.expect("is made");
    assert_eq!(f.good_files().await, [""; 0], "it has no asset yet");
    f.take_in(&["s-1"], &[]).await;
    assert_eq!(f.good_files().await, ["s-1"]);
    f.find_both("s-1", "Debian", 20).await;
    f.find_both("s-2", "Debian", 22).await;
    assert_eq!(f.good_files().await, ["s-1"], "scans decide the same");
    f.take_in(&["s-2"], &["s-1"]).await;
    assert_eq!(f.good_files().await, ["s-2"]);
    f.rule(Some(rule), RuleScope::All).await.expect("is changed");
    assert_eq!(f.good_files().await, ["s-1", "s-2"]);
    f.rule(Some(rule), RuleScope::Selection(KEY)).await.expect("is changed");
    assert_eq!(f.good_files().await, ["s-2"]);
    let removed = f.store.agentless_malicious_rules_remove(vec![rule], at(70)).await.expect("writes");
    assert_eq!((removed, f.good_files().await), (vec![], vec![]));
}

pub async fn an_entry_is_about_the_assets_of_a_selection(f: &Fixture) {
    f.two_assets().await;
    f.selection(KEY, "all").await;
    f.find_both("s-1", "Debian", 10).await;
    f.find_both("s-2", "Debian", 12).await;
    assert_eq!(f.live_with(WhitelistScope::Selection(99)).await, WhitelistChanged::NoSelection);
    assert_eq!(f.live_with(WhitelistScope::Selection(KEY)).await, WhitelistChanged::Changed);
    assert_eq!(f.lived_with().await, [""; 0], "it has no asset yet");
    f.take_in(&["s-1"], &[]).await;
    assert_eq!(f.lived_with().await, ["s-1"]);
    f.find_both("s-1", "Debian", 20).await;
    f.find_both("s-2", "Debian", 22).await;
    assert_eq!(f.lived_with().await, ["s-1"], "scans decide the same");
    f.take_in(&["s-2"], &["s-1"]).await;
    assert_eq!(f.lived_with().await, ["s-2"]);
    let entries = f.store.agentless_vulnerability_whitelist_list(String::new(), ALL).await.expect("reads");
    let update = async |scope| {
        let target = WhitelistTarget { text: String::new(), scope };
        let id = entries.rows[0].id;
        f.store.agentless_vulnerability_whitelist_update(id, Some(target), None).await.expect("writes")
    };
    assert_eq!(update(WhitelistScope::Selection(99)).await, WhitelistChanged::NoSelection);
    assert_eq!(f.lived_with().await, ["s-2"], "nothing was changed");
    assert_eq!(update(WhitelistScope::Assets(vec!["s-1".to_owned()])).await, WhitelistChanged::Changed);
    assert_eq!(f.lived_with().await, ["s-1"]);
    assert_eq!(update(WhitelistScope::Selection(KEY)).await, WhitelistChanged::Changed);
    assert_eq!(f.lived_with().await, ["s-2"]);
    assert_eq!(f.live_with(WhitelistScope::All).await, WhitelistChanged::Changed);
    assert_eq!(f.lived_with().await, ["s-1", "s-2"]);
}

pub async fn a_selection_has_the_assets_of_its_platform(f: &Fixture) {
    f.two_assets().await;
    f.selection(KEY, "debian").await;
    f.take_in(&["s-1", "s-2"], &[]).await;
    f.rule(None, RuleScope::Selection(KEY)).await.expect("is made");
    assert_eq!(f.live_with(WhitelistScope::Selection(KEY)).await, WhitelistChanged::Changed);
    f.find_both("s-1", "Debian", 10).await;
    f.find_both("s-2", "Alpine", 12).await;
    assert_eq!(
        (f.good_files().await, f.lived_with().await),
        (vec!["s-1".to_owned()], vec!["s-1".to_owned()])
    );
    // Another system is on the disk now.
    f.find_both("s-1", "Alpine", 20).await;
    f.find_both("s-2", "Debian", 22).await;
    assert_eq!(
        (f.good_files().await, f.lived_with().await),
        (vec!["s-2".to_owned()], vec!["s-2".to_owned()])
    );
}

pub async fn a_selection_stays_while_a_whitelist_is_about_it(f: &Fixture) {
    f.selection(KEY, "all").await;
    f.selection(KEY + 1, "linux").await;
    f.selection(KEY + 2, "windows").await;
    f.rule(None, RuleScope::Selection(KEY)).await.expect("is made");
    assert_eq!(f.live_with(WhitelistScope::Selection(KEY + 1)).await, WhitelistChanged::Changed);
    let lease = f.lease().await;
    let expired = f.store.agentless_selections_expire(lease, TYPE, at(1_000), 10).await;
    assert_eq!(expired.expect("writes"), 1);
    let is_there = async |key| f.store.agentless_selection_get(key).await.expect("reads").is_some();
    assert_eq!((is_there(KEY).await, is_there(KEY + 1).await, is_there(KEY + 2).await), (true, true, false));
}
