//! What is not to be scanned any more.

use guardhouse_model::{
    Timestamp,
    agentless::{TaskStatus, queue},
};
use uuid::Uuid;

use super::{retry, roots, snapshots};
use crate::{
    Store, StoreError,
    engine::{Transaction, values},
};

impl Store {
    /// Ends a subtask, or all those of a task that are not over: `id` is of either. What waits or is queued is over at once,
    /// and so is the run that takes a snapshot for it; what a worker has is marked, and its worker hears so when it says next
    /// how far it is. Answers how many subtasks these were; `None`: there is no such task.
    pub async fn agentless_task_cancel(&self, id: Uuid, now: Timestamp) -> Result<Option<u64>, StoreError> {
        self.engine
            .write(move |transaction| {
                let (task, column) = match retry::task_of(transaction, id)? {
                    None => (id, "task_uuid"),
                    Some(task) => (task, "uuid"),
                };
                let which = format!("{column} = $1");
                let Some(mut root) = roots::lock_one(transaction, task)? else { return Ok(None) };
                if let Transaction::Postgres(_) = transaction {
                    let sql = format!(
                        "select 1 from agentless_subtasks where {which} and status = 1
                         order by uuid for no key update"
                    );
                    transaction.execute(&sql, values![id])?;
                }
                // Both conditions: by the status the databases find the index.
                let sql = format!(
                    "update agentless_subtasks set state = 3, status = $2, reason = $3, end_time = $4
                     where {which} and status = 1 and state < 2"
                );
                let status = TaskStatus::Cancelled;
                let ended = transaction.execute(&sql, values![id, status as i32, queue::CANCELLED, now])?;
                let sql = format!(
                    "update agentless_subtasks set cancel = 1 where {which} and status = 1 and state = 2"
                );
                let asked = transaction.execute(&sql, values![id])?;
                snapshots::stop(transaction, column, id, now)?;
                for _ in 0..ended {
                    root.over.add(status, 0);
                }
                root.keep(transaction, now)?;
                Ok(Some((ended + asked) as u64))
            })
            .await
    }
}
