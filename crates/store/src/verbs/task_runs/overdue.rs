//! Runs of which nothing was heard for too long.

use guardhouse_model::device_runs::{CANCELLED, DELIVERY_TIMED_OUT, EXECUTION_TIMED_OUT};

use crate::{
    Lease, Overdue, Store, StoreError,
    engine::{Transaction, Value, values},
    verbs::leases,
};

/// Runs that were handed out, that nobody withdrew, and whose trigger expired before `$1`.
const UNDELIVERED: &str = "from task_runs where status = 1 and withdrawn = 0 and expire_time < $1";

/// Runs that began and were not heard of since `$1`.
const SILENT: &str = "from task_runs where status = 2 and heard_time < $1";

/// Runs that began at a replica of the version before, which notes no time.
const UNHEARD: &str = "from task_runs where status = 2 and heard_time is null";

impl Store {
    /// Ends runs of which nothing was heard for too long, up to `limit` that have not begun and as many that have;
    /// answers how many. The server only supposes these ends: the first that the device reports replaces them.
    ///
    /// # Errors
    /// As of every verb, and [`StoreError::LeaseLost`].
    pub async fn task_runs_time_out(
        &self,
        lease: Lease,
        overdue: Overdue,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let Overdue { expired_before, silent_since, now } = overdue;
        let found = self
            .engine
            .read(move |transaction| {
                let any = |which: &str, values: &[Value<'_>]| {
                    transaction.exists(&format!("select 1 {which} limit 1"), values)
                };
                Ok(any(UNDELIVERED, values![expired_before])?
                    || any(SILENT, values![silent_since])?
                    || any(UNHEARD, &[])?)
            })
            .await?;
        if !found {
            return Ok(0);
        }
        self.engine
            .write(move |transaction| {
                leases::hold(transaction, lease)?;
                let which = some_of(transaction, UNHEARD, "heard_time", "$2");
                let sql = format!("update task_runs set heard_time = $1 where {which} and status = 2");
                transaction.execute(&sql, values![now, limit])?;

                let which = some_of(transaction, UNDELIVERED, "expire_time", "$2");
                let sql = format!(
                    "update task_runs set status = 4, supposed = 1, reason_code = case
                             when cancel_time is null then $4 else $5 end,
                         reason = case when cancel_time is null then $6 else $7 end,
                         end_time = case when start_time > $3 then start_time else $3 end
                     where {which} and status = 1"
                );
                let undelivered = "the task expired before the device said that it began";
                let cancelled = "the task was cancelled, and the device never said that it had begun";
                let undelivered = transaction.execute(
                    &sql,
                    values![
                        expired_before,
                        limit,
                        now,
                        DELIVERY_TIMED_OUT,
                        CANCELLED,
                        undelivered,
                        cancelled
                    ],
                )?;

                let which = some_of(transaction, SILENT, "heard_time", "$2");
                let sql = format!(
                    "update task_runs set status = 4, supposed = 1, reason_code = $4, reason = $5, progress = null,
                         end_time = case when start_time > $3 then start_time else $3 end
                     where {which} and status = 2"
                );
                let silent = "the action began, and the device has not said for very long how it goes";
                let silent = transaction
                    .execute(&sql, values![silent_since, limit, now, EXECUTION_TIMED_OUT, silent])?;
                Ok(undelivered + silent)
            })
            .await
    }
}

/// A condition that holds for the first `limit` of runs in the order of `column`.
fn some_of(transaction: &Transaction<'_>, which: &str, column: &str, limit: &str) -> String {
    let first = format!("select uuid {which} order by {column}, uuid limit {limit}");
    match transaction {
        Transaction::Sqlite(_) => format!("uuid in ({first})"),
        // In one order with those who report of several runs.
        Transaction::Postgres(_) => format!(
            "uuid = any(array(select uuid from task_runs where uuid = any(array({first}))
                 order by uuid for no key update))"
        ),
    }
}
