//! Scans without an agent: tasks and their subtasks, the queue that workers take them from, results and reports.
//!
//! On PostgreSQL rows are locked in one order: the gate of the assets, root tasks by their ids, subtasks by their ids,
//! and then what belongs to them. Only who takes subtasks from the queue passes over those that others have locked.

mod add;
mod asset_pages;
mod assets;
mod baseline_checks;
mod cancel;
pub mod conditions;
mod counters;
mod delete;
mod deliveries;
pub mod device_assets;
mod end;
mod expire;
pub mod filters;
mod findings;
mod leases;
mod lists;
mod locations;
mod malicious_files;
mod pages;
mod progress;
mod reports;
mod results;
mod retry;
mod risks;
mod roots;
mod schedules;
mod select;
mod selections;
mod sensitive_files;
mod snapshots;
mod subtasks;
mod take;
mod tasks;
mod vulnerabilities;
mod webhooks;

use guardhouse_model::agentless::{ReportStatus, TaskStatus};
use uuid::Uuid;

use crate::{
    StoreError,
    engine::{Row, Transaction, Value},
};

/// The status at `place`.
fn status(row: &Row<'_>, place: usize) -> Result<TaskStatus, StoreError> {
    let number: i32 = row.get(place)?;
    TaskStatus::numbered(number)
        .ok_or_else(|| StoreError::Inconsistent(format!("a task has the status {number}")))
}

/// The status of a report at `place`.
fn report_status(row: &Row<'_>, place: usize) -> Result<ReportStatus, StoreError> {
    let number: i32 = row.get(place)?;
    ReportStatus::numbered(number)
        .ok_or_else(|| StoreError::Inconsistent(format!("a report has the status {number}")))
}

/// A percentage at `place`.
fn percentage(row: &Row<'_>, place: usize) -> Result<u8, StoreError> {
    let number: u32 = row.get(place)?;
    u8::try_from(number).map_err(|_| StoreError::Inconsistent(format!("a progress is {number}")))
}

/// Carries out a statement whose last value is an id, for each of these.
///
/// `sql` ends with the column that is to be one of them: on PostgreSQL all travel in one statement.
fn for_each_of(
    transaction: &Transaction<'_>,
    sql: &str,
    values: &[Value<'_>],
    ids: &[Uuid],
) -> Result<(), StoreError> {
    let place = values.len() + 1;
    match transaction {
        Transaction::Postgres(_) => {
            let values = [values, &[Value::Ids(ids)]].concat();
            transaction.execute(&format!("{sql} = any(${place})"), &values)?;
        }
        Transaction::Sqlite(_) => {
            let sql = format!("{sql} = ${place}");
            for &id in ids {
                transaction.execute(&sql, &[values, &[id.into()]].concat())?;
            }
        }
    }
    Ok(())
}
