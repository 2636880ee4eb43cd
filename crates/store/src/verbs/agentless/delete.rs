//! Tasks that go, with everything that was found for them alone.

use guardhouse_model::Timestamp;
use uuid::Uuid;

use super::{roots, snapshots};
use crate::{
    Lease, Store, StoreError,
    engine::{Transaction, values},
    verbs::leases,
};

impl Store {
    /// Removes a task with its subtasks, their results and reports. A worker that has one of them hears that it lost its
    /// lease; snapshots that were taken for them are not wanted any more. False: there is no such task.
    pub async fn agentless_task_delete(&self, task: Uuid) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                let Some(root) = roots::lock_one(transaction, task)? else { return Ok(false) };
                remove(transaction, root.id)?;
                Ok(true)
            })
            .await
    }

    /// Removes tasks that were over before `before`, the oldest first, until they had `limit` subtasks. Answers how many
    /// tasks went; 0: there are none left.
    ///
    /// # Errors
    /// As of every verb, and [`StoreError::LeaseLost`].
    pub async fn agentless_tasks_expire(
        &self,
        lease: Lease,
        before: Timestamp,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let found = self
            .engine
            .read(move |transaction| {
                let sql = "select uuid, subtasks from agentless_tasks where end_time < $1
                    order by end_time, uuid limit $2";
                transaction
                    .list(sql, values![before, limit], |row| Ok((row.get::<Uuid>(0)?, row.get::<u64>(1)?)))
            })
            .await?;
        let mut subtasks = 0;
        let few = found.into_iter().take_while(|(_, more)| {
            let is_next = subtasks < limit as u64;
            subtasks += more;
            is_next
        });
        let few: Vec<Uuid> = few.map(|(task, _)| task).collect();
        if few.is_empty() {
            return Ok(0);
        }
        self.engine
            .write(move |transaction| {
                leases::hold(transaction, lease)?;
                // One that is tried again in this moment stays.
                let old = roots::lock(transaction, few)?;
                let old = old.iter().filter(|root| root.end_time.is_some_and(|end| end < before));
                old.map(|root| remove(transaction, root.id)).sum()
            })
            .await
    }
}

/// Removes a task that is locked; answers how many that were.
fn remove(transaction: &Transaction<'_>, task: Uuid) -> Result<usize, StoreError> {
    if let Transaction::Postgres(_) = transaction {
        let sql = "select 1 from agentless_subtasks where task_uuid = $1 order by uuid for update";
        transaction.execute(sql, values![task])?;
    }
    snapshots::leave(transaction, task)?;
    let which = match transaction {
        Transaction::Sqlite(_) => "in (select uuid from agentless_subtasks where task_uuid = $1)",
        // As an array the few are looked up; as a set they would be joined with all reports.
        Transaction::Postgres(_) => "= any(array(select uuid from agentless_subtasks where task_uuid = $1))",
    };
    let sql = format!("delete from agentless_reports where owner_uuid {which}");
    transaction.execute(&sql, values![task])?;
    transaction.execute("delete from agentless_reports where owner_uuid = $1", values![task])?;
    transaction.execute("delete from agentless_tasks where uuid = $1", values![task])
}
