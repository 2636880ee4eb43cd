//! Forward-only schema changes, one file each, numbered like those of SQLite. The table `schema_version` counts those
//! that were applied.

use super::Session;
use crate::{
    StoreError,
    engine::transaction::{Gate, Transaction},
};

/// Every migration, oldest first. Append only: what was released is never edited. A replica of the version before
/// must go on working on what they leave: columns and tables are added in one release and removed in a later one.
pub const MIGRATIONS: &[&str] = &[
    include_str!("../../../migrations/postgres/0001_initial.sql"),
    include_str!("../../../migrations/postgres/0002_leases.sql"),
    include_str!("../../../migrations/postgres/0003_responses.sql"),
    include_str!("../../../migrations/postgres/0004_policies.sql"),
    include_str!("../../../migrations/postgres/0005_device_policies.sql"),
    include_str!("../../../migrations/postgres/0006_dynamic_groups.sql"),
    include_str!("../../../migrations/postgres/0007_run_outcomes.sql"),
    include_str!("../../../migrations/postgres/0008_identity.sql"),
    include_str!("../../../migrations/postgres/0009_agent_releases.sql"),
    include_str!("../../../migrations/postgres/0010_access_keys.sql"),
    include_str!("../../../migrations/postgres/0011_agentless.sql"),
    include_str!("../../../migrations/postgres/0012_vulnerabilities.sql"),
    include_str!("../../../migrations/postgres/0013_agentless_findings.sql"),
    include_str!("../../../migrations/postgres/0014_agentless_selections.sql"),
    include_str!("../../../migrations/postgres/0015_agentless_schedules.sql"),
    include_str!("../../../migrations/postgres/0016_agentless_snapshots.sql"),
    include_str!("../../../migrations/postgres/0017_whitelist_selections.sql"),
];

/// Makes the table that counts them.
pub const VERSION_TABLE: &str = "create table if not exists schema_version (applied bigint not null)";

/// Applies what is missing, each step in a transaction of its own.
pub fn migrate(session: &Session, migrations: &[&'static str]) -> Result<(), StoreError> {
    session.connect()?;
    while session.transaction("begin", |transaction| step(session, transaction, migrations))? {}
    Ok(())
}

/// Applies the next migration; false: there is none.
fn step(
    session: &Session,
    transaction: &Transaction<'_>,
    migrations: &[&'static str],
) -> Result<bool, StoreError> {
    // The lock comes before the look: two replicas that start at once must not both apply a step.
    transaction.pass_alone(Gate::Schema)?;
    session.batch(VERSION_TABLE)?;
    let applied = transaction.find("select applied from schema_version", &[], |row| row.get::<u32>(0))?;
    let known = u32::try_from(migrations.len()).expect("a handful");
    let done = applied.unwrap_or(0);
    if done > known {
        return Err(StoreError::NewerSchema { found: done, known });
    }
    let Some(next) = migrations.get(done as usize) else { return Ok(false) };
    session.batch(next)?;
    session.batch(match applied {
        None => "insert into schema_version values (1)",
        Some(_) => "update schema_version set applied = applied + 1",
    })?;
    Ok(true)
}
