//! Rows of vulnerabilities, as each version kept them, and how they look through the verbs of today.

use guardhouse_model::{
    Timestamp,
    agentless::{Necessity, VulnerabilityKind},
};
use guardhouse_store::{PageNumber, Store, VulnerabilityFilter};
use uuid::Uuid;

use super::rows::Dialect;

const FINDING: u128 = 0xb0;

/// What fills the tables that were new in version 12.
pub fn rows(dialect: &Dialect) -> Vec<String> {
    vec![
        "insert into agentless_counters (name, last) values ('vulnerability', 7), ('vulnerability_whitelist', 3)"
            .to_owned(),
        format!(
            "insert into agentless_vulnerabilities (id, instance_id, finding, target_type, kind, name, alias, related,
                 necessity, score, package, package_kind, version, fixed, fixable, path, os, os_release, whitelisted,
                 first_time)
             values (7, 's-1', {}, 3, 3, 'CVE-1', 'title', 'CVE-1', 2, 53, 'lodash', 'npm', '1', '2', 1, '/package.json',
                 'debian', '12', 1, 1700000004000000)",
            (dialect.id)(FINDING)
        ),
        "insert into agentless_vulnerability_whitelist (id, kind, name, alias, target, everywhere, reason)
         values (3, 3, 'CVE-1', 'title', 'target', 0, 'text')"
            .to_owned(),
        "insert into agentless_vulnerability_whitelist_assets (entry_id, instance_id) values (3, 's-1')".to_owned(),
    ]
}

/// Looks at what was written for versions up to `version`.
pub async fn check(store: &Store, version: usize) {
    let page = PageNumber { skip: 0, size: 9 };
    let filter = VulnerabilityFilter { is_whitelisted: true, ..Default::default() };
    let found = store.agentless_vulnerabilities_list(filter, page).await.expect("reads").rows;
    let entries =
        store.agentless_vulnerability_whitelist_list(String::new(), page).await.expect("reads").rows;
    if version < 12 {
        assert_eq!((found, entries), (vec![], vec![]));
        return;
    }
    let at = |second: i64| Timestamp::from_second(1_700_000_000 + second).expect("in range");
    let row = &found[0];
    assert_eq!((row.id, row.is_whitelisted, row.first_time, row.scan_time), (7, true, at(4), at(5)));
    assert_eq!(row.found.finding, Uuid::from_u128(FINDING));
    assert_eq!((row.found.kind, row.found.necessity), (VulnerabilityKind::Sca, Necessity::Later));
    assert_eq!((row.found.package.as_str(), row.found.fixed.as_str()), ("lodash", "2"));
    assert_eq!((entries[0].id, entries[0].name.as_str(), entries[0].reason.as_str()), (3, "CVE-1", "text"));
    assert_eq!(store.agentless_vulnerability_whitelist_remove(vec![3]).await.expect("writes"), 1);
    let open = store.agentless_vulnerabilities_list(VulnerabilityFilter::default(), page).await;
    assert_eq!(open.expect("reads").total, 1, "the whitelist is in force");
}
