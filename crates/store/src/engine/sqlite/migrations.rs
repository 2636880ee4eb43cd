//! Forward-only schema changes, one file each. `pragma user_version` counts those that were applied.

use rusqlite::{Connection, TransactionBehavior};

use crate::StoreError;

/// Every migration, oldest first. Append only: what was released is never edited.
pub const MIGRATIONS: &[&str] = &[
    include_str!("../../../migrations/sqlite/0001_initial.sql"),
    include_str!("../../../migrations/sqlite/0002_leases.sql"),
    include_str!("../../../migrations/sqlite/0003_responses.sql"),
    include_str!("../../../migrations/sqlite/0004_policies.sql"),
    include_str!("../../../migrations/sqlite/0005_device_policies.sql"),
    include_str!("../../../migrations/sqlite/0006_dynamic_groups.sql"),
    include_str!("../../../migrations/sqlite/0007_run_outcomes.sql"),
    include_str!("../../../migrations/sqlite/0008_identity.sql"),
    include_str!("../../../migrations/sqlite/0009_agent_releases.sql"),
    include_str!("../../../migrations/sqlite/0010_access_keys.sql"),
    include_str!("../../../migrations/sqlite/0011_agentless.sql"),
    include_str!("../../../migrations/sqlite/0012_vulnerabilities.sql"),
    include_str!("../../../migrations/sqlite/0013_agentless_findings.sql"),
    include_str!("../../../migrations/sqlite/0014_agentless_selections.sql"),
    include_str!("../../../migrations/sqlite/0015_agentless_schedules.sql"),
    include_str!("../../../migrations/sqlite/0016_agentless_snapshots.sql"),
    include_str!("../../../migrations/sqlite/0017_whitelist_selections.sql"),
];

/// `pragma application_id` of a database of Guardhouse ("Guar"), set by the first migration.
pub const APPLICATION_ID: u32 = 0x4775_6172;

/// Applies what is missing, each step in a transaction of its own.
pub fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<(), StoreError> {
    loop {
        // The lock comes before the look: two processes that start at once must not both apply a step.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let applied: u32 = transaction.query_row("pragma user_version", [], |row| row.get(0))?;
        let known = u32::try_from(migrations.len()).expect("a handful");
        if applied > known {
            return Err(StoreError::NewerSchema { found: applied, known });
        }
        let Some(next) = migrations.get(applied as usize) else { return Ok(()) };
        transaction.execute_batch(next)?;
        transaction.pragma_update(None, "user_version", applied + 1)?;
        transaction.commit()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_applied_once_and_newer_schemas_are_refused() {
        let mut connection = Connection::open_in_memory().expect("opens");
        migrate(&mut connection, &["create table a (x)"]).expect("first step");
        migrate(&mut connection, &["create table a (x)", "create table b (x)"]).expect("second step only");
        assert!(matches!(
            migrate(&mut connection, &["create table a (x)"]),
            Err(StoreError::NewerSchema { found: 2, known: 1 })
        ));
    }

    #[test]
    fn a_failing_step_leaves_nothing_behind() {
        let mut connection = Connection::open_in_memory().expect("opens");
        migrate(&mut connection, &["create table a (x); create table a (x);"])
            .expect_err("second line fails");
        migrate(&mut connection, &["create table a (x)"]).expect("the first line was undone");
    }
}
