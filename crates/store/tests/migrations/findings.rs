//! Rows of malicious files, sensitive files and checks, as each version kept them, and how they look through the verbs of
//! today.

use guardhouse_model::{
    Timestamp,
    agentless::{CheckStatus, Handling, MaliciousLevel, MaliciousOperation, MaliciousType, RiskLevel},
};
use guardhouse_store::{
    CheckFilter, MaliciousFileFilter, MaliciousNoteAdded, PageNumber, RuleScope, SensitiveFileFilter, Store,
};

use super::agentless_selections::KEY;

/// What fills the tables that were new in version 13.
pub fn rows() -> Vec<String> {
    [
        "insert into agentless_counters (name, last) values ('malicious_note', 4)",
        "insert into agentless_malicious_files (id, instance_id, md5, sha256, path, disk_partition, name, type, level,
             highlight, details, first_time, latest_time, handling, operation, operate_time, rule_id)
         values (2, 's-1', 'aa', 'bb', '/srv/a', '/dev/vda1', 'Trojan', 2, 1, '{}', '[]', 1700000003000000,
             1700000004000000, 2, 'addWhitelist', 1700000005000000, 3)",
        "insert into agentless_malicious_notes (id, file_id, note, create_time)
         values (4, 2, 'a note', 1700000003000000)",
        "insert into agentless_malicious_rules (id, md5, remark, create_time, update_time)
         values (3, 'aa', 'why', 1700000003000000, 1700000004000000)",
        "insert into agentless_malicious_samples (sha256, create_time) values ('bb', 1700000003000000)",
        "insert into agentless_sensitive_files (id, instance_id, rule_key, risk_level, path, md5, prompt, status,
             first_time, latest_time)
         values (5, 's-1', 'pem', 1, '/etc/a', 'aa', 'BEGIN', 0, 1700000003000000, 1700000004000000)",
        "insert into agentless_check_items (check_id, item, level, type, risk_id, risk_name, risk_type, alias,
             description, advice)
         values (6, 'Check', 3, 'Passwords', 7, 'Debian', 'cis', 'CIS', 'text', 'advice')",
        "insert into agentless_checks (instance_id, check_id, status, prompt, first_time, latest_time)
         values ('s-1', 6, 8, 'found', 1700000003000000, 1700000004000000)",
    ]
    .map(str::to_owned)
    .into()
}

/// Looks at what was written for versions up to `version`.
pub async fn check(store: &Store, version: usize) {
    const ALL: PageNumber = PageNumber { skip: 0, size: 10 };
    let at = |second: i64| Timestamp::from_second(1_700_000_000 + second).expect("in range");
    let files =
        store.agentless_malicious_files_list(MaliciousFileFilter::default(), ALL).await.expect("reads");
    let rules = store.agentless_malicious_rules_list(None, ALL).await.expect("reads");
    let sensitive = store.agentless_sensitive_files_list(SensitiveFileFilter::default(), ALL).await;
    let sensitive = sensitive.expect("reads");
    let checks = store.agentless_checks_list(CheckFilter::default(), ALL).await.expect("reads");
    if version < 13 {
        assert_eq!((files.total, rules.total, sensitive.total, checks.total), (0, 0, 0, 0));
        return;
    }
    let file = &files.rows[0];
    assert_eq!((file.id, file.found.path.as_str(), file.found.name.as_str()), (2, "/srv/a", "Trojan"));
    assert_eq!((file.found.kind, file.found.level), (MaliciousType::Software, MaliciousLevel::Serious));
    assert_eq!((file.first_time, file.latest_time, file.handling), (at(3), at(4), Handling::Whitelisted));
    assert_eq!(file.operated, Some((MaliciousOperation::AddWhitelist, at(5))));
    assert_eq!((file.asset.instance_id.as_str(), file.notes[0].note.as_str()), ("s-1", "a note"));
    let added = store.agentless_malicious_note_add(2, "another".to_owned(), at(6)).await.expect("writes");
    assert_eq!(added, MaliciousNoteAdded::Added, "ids go on where they were");
    let rule = &rules.rows[0];
    assert_eq!((rule.id, rule.says.md5.as_str(), rule.says.remark.as_str()), (3, "aa", "why"));
    let scope = if version < 17 { RuleScope::All } else { RuleScope::Selection(KEY) };
    assert_eq!(rule.says.scope, scope);
    let file = &sensitive.rows[0];
    assert_eq!((file.id, file.found.rule_key.as_str(), file.found.risk_level), (5, "pem", RiskLevel::High));
    let check = &checks.rows[0];
    assert_eq!(
        (check.item.check_id, check.item.advice.as_str(), check.status),
        (6, "advice", CheckStatus::Fixed)
    );
    assert_eq!((check.first_time, check.prompt.as_str()), (at(3), "found"));
}
