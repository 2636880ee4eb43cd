//! Results that are too old.

use guardhouse_model::Timestamp;
use uuid::Uuid;

use super::{end, reports};
use crate::{
    Lease, Store, StoreError,
    engine::{Transaction, Value, values},
    verbs::leases,
};

impl Store {
    /// Removes up to `limit` results that are kept until `now` at most, and the reports of their subtasks. Answers how
    /// many.
    ///
    /// # Errors
    /// As of every verb, and [`StoreError::LeaseLost`].
    pub async fn agentless_results_expire(
        &self,
        lease: Lease,
        now: Timestamp,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let old: Vec<Uuid> = self
            .engine
            .read(move |transaction| {
                let sql = "select subtask_uuid from agentless_results where expire_time <= $1
                    order by expire_time, instance_id limit $2";
                transaction.list(sql, values![now, limit], |row| row.get(0))
            })
            .await?;
        if old.is_empty() {
            return Ok(0);
        }
        self.engine
            .write(move |transaction| {
                leases::hold(transaction, lease)?;
                end::lock(transaction, old.clone())?;
                // What was scanned anew meanwhile has another subtask.
                let gone = delete(transaction, &old)?;
                reports::forget(transaction, &gone)?;
                Ok(gone.len())
            })
            .await
    }
}

/// Removes the results of subtasks; answers whose there were.
fn delete(transaction: &Transaction<'_>, subtasks: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    if let Transaction::Postgres(_) = transaction {
        let sql = "delete from agentless_results where subtask_uuid = any($1) returning subtask_uuid";
        return transaction.list(sql, &[Value::Ids(subtasks)], |row| row.get(0));
    }
    let sql = "delete from agentless_results where subtask_uuid = $1 returning subtask_uuid";
    let gone = subtasks.iter().map(|&subtask| transaction.find(sql, values![subtask], |row| row.get(0)));
    gone.filter_map(Result::transpose).collect()
}
