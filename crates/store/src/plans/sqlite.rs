//! What SQLite says of a statement.

use rusqlite::Connection;

use super::Plan;
use crate::engine::sqlite::MIGRATIONS;

/// What may be read from its first row to its last: the results of `with`, literals, and tables that stay
/// small however many devices there are, or are only counted. The queue is read from its head, as far as it is taken, and so
/// are the snapshots whose archives are to be removed; those that are wanted are all looked at, to find one that is lost. Lists
/// of findings and of assets, which are filtered by anything, as far as the page, and as a whole to be counted.
const SHORT: [&str; 28] = [
    "finding",
    "item",
    "asset",
    "old",
    "agent_releases",
    "agentless_locations",
    "agentless_malicious_files",
    "agentless_malicious_rules",
    "agentless_sensitive_files",
    "agentless_snapshots_unwanted",
    "agentless_snapshots_wanted",
    "agentless_subtasks_queued",
    "agentless_webhooks",
    "(subquery-3)",
    "placed",
    "kinds",
    "names",
    "ranked",
    "page",
    "counted",
    "subtree",
    "above",
    "scope",
    "accounts",
    "device_groups",
    "dynamic_groups",
    "CONSTANT",
    "task_templates",
];

/// A database without rows: there are no statistics on which a plan could depend.
pub struct Sqlite(Connection);

impl Sqlite {
    pub fn new() -> Self {
        let schema = Connection::open_in_memory().expect("opens");
        for migration in MIGRATIONS {
            schema.execute_batch(migration).expect("applies");
        }
        Self(schema)
    }

    pub fn plan(&self, sql: &str) -> Plan {
        let steps = steps(&self.0, sql);
        let is_long = |step: &&String| {
            let table = step.trim_start().strip_prefix("SCAN ");
            table.is_some_and(|table| !table.split(' ').any(|word| SHORT.contains(&word)))
        };
        let long_scans = steps.iter().filter(is_long).cloned().collect();
        Plan { steps, long_scans }
    }
}

/// The steps of a plan, each indented by its depth.
fn steps(schema: &Connection, sql: &str) -> Vec<String> {
    let mut statement = schema.prepare(&format!("explain query plan {sql}")).expect("a statement");
    let mut rows = statement.raw_query();
    let (mut path, mut steps) = (vec![0_i64], Vec::new());
    while let Some(row) = rows.next().expect("a step") {
        let (id, above): (i64, i64) = (row.get(0).expect("id"), row.get(1).expect("parent"));
        while path.last().is_some_and(|&last| last != above) {
            path.pop();
        }
        let step: String = row.get(3).expect("detail");
        steps.push(format!("{:indent$}{step}", "", indent = 2 * path.len().saturating_sub(1)));
        path.push(id);
    }
    steps
}
