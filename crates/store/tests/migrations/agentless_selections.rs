//! Rows of selections, as each version kept them, and how they look through the verbs of today.

use guardhouse_store::{AgentlessSelection, Store};

use super::rows::Dialect;

/// Its key.
pub const KEY: i64 = 0xc0;

/// What fills the tables that were new in version 14.
pub fn rows(dialect: &Dialect) -> Vec<String> {
    let account = (dialect.id)(0x40);
    vec![
        format!(
            "insert into agentless_selections (selection_key, has_all, platform, account_uuid, client_token, create_time)
             values ({KEY}, 0, 'debian', {account}, 'token', 1700000003000000)"
        ),
        format!(
            "insert into agentless_selection_types (business_type, selection_key)
             values ('AGENTLESS_SCAN_ONCE_TASK_1', {KEY})"
        ),
        format!(
            "insert into agentless_selection_targets (selection_key, instance_id) values ({KEY}, 's-1')"
        ),
    ]
}

/// What fills the columns that were new in version 17.
pub fn whitelists() -> Vec<String> {
    vec![
        format!("update agentless_malicious_rules set selection_key = {KEY}"),
        format!("update agentless_vulnerability_whitelist set everywhere = 0, selection_key = {KEY}"),
    ]
}

/// Looks at what was written for versions up to `version`.
pub async fn check(store: &Store, version: usize) {
    let selection = store.agentless_selection_find("AGENTLESS_SCAN_ONCE_TASK_1".to_owned()).await;
    let size = store.agentless_selection_size(KEY).await.expect("reads");
    let kept = AgentlessSelection { key: KEY, has_all: false, platform: "debian".to_owned() };
    let is_kept = version >= 14;
    assert_eq!(selection.expect("reads"), is_kept.then_some(kept));
    assert_eq!(size, is_kept.then_some(7), "its asset came with version 11");
}
