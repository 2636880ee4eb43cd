//! Workers take what is next in the queue.

use guardhouse_model::{Timestamp, agentless::queue};
use uuid::Uuid;

use crate::{
    LeasedSubtask, Store, StoreError, SubtaskLease, TakeSubtasks,
    engine::{Row, Transaction, Value, values},
};

/// What workers are told of subtasks that they have.
const LEASED: &str =
    "select subtask.uuid, subtask.fence, task_uuid, instance_id, location_uuid, subtask.target_type,
        target_name, size_bytes, options, deadline, address, sealed_credentials
    from agentless_subtasks subtask join agentless_tasks task on task.uuid = task_uuid
    left join agentless_locations location on location.uuid = location_uuid
    where subtask.uuid";

/// What changes in a subtask that is taken by `$1` at `$2`.
const TAKEN: &str = "state = 2, fence = fence + 1, worker = $1, begin_time = coalesce(begin_time, $2)";

/// A subtask that a worker is about to have.
struct Taken {
    id: Uuid,
    deadline: Timestamp,
    lease_end: Timestamp,
}

impl Store {
    /// Gives a worker up to `limit` of the subtasks that are queued, the first in the queue first. Two workers never get
    /// the same.
    pub async fn agentless_subtasks_take(
        &self,
        take: TakeSubtasks,
    ) -> Result<Vec<LeasedSubtask>, StoreError> {
        // Workers that ask often and in vain must not queue for the writer.
        let sql = "select 1 from agentless_subtasks where state = 1 limit 1";
        let is_waiting = self.engine.read(move |transaction| transaction.exists(sql, &[])).await?;
        if !is_waiting || take.limit == 0 {
            return Ok(Vec::new());
        }
        self.engine
            .write(move |transaction| {
                let first = "select uuid, size_bytes from agentless_subtasks
                    where state = 1 order by queue_time, uuid limit $1";
                let sql = transaction.locking(first, "for no key update skip locked");
                let taken = transaction.list(&sql, values![take.limit], |row| {
                    let deadline = take.time_limit.deadline(take.now, row.get(1)?);
                    let lease_end = queue::lease_end(take.until, deadline);
                    Ok(Taken { id: row.get(0)?, deadline, lease_end })
                })?;
                give(transaction, &take, &taken)
            })
            .await
    }
}

fn give(
    transaction: &Transaction<'_>,
    take: &TakeSubtasks,
    taken: &[Taken],
) -> Result<Vec<LeasedSubtask>, StoreError> {
    if let Transaction::Postgres(_) = transaction {
        let ids: Vec<Uuid> = taken.iter().map(|taken| taken.id).collect();
        let times = |of: fn(&Taken) -> Timestamp| -> Vec<i64> {
            taken.iter().map(|taken| of(taken).as_microsecond()).collect()
        };
        transaction.execute(
            &format!(
                "update agentless_subtasks set {TAKEN}, deadline = taken.deadline, lease_expire_time = taken.lease
                 from unnest($3, $4, $5) as taken (id, deadline, lease) where uuid = taken.id"
            ),
            &[
                Value::from(&take.worker),
                take.now.into(),
                Value::Ids(&ids),
                Value::Integers(&times(|taken| taken.deadline)),
                Value::Integers(&times(|taken| taken.lease_end)),
            ],
        )?;
        let sql = format!("{LEASED} = any($1) order by queue_time, subtask.uuid");
        return transaction.list(&sql, &[Value::Ids(&ids)], from_row);
    }
    let update = format!(
        "update agentless_subtasks set {TAKEN}, deadline = $3, lease_expire_time = $4 where uuid = $5"
    );
    let read = format!("{LEASED} = $1");
    let mut leased = Vec::with_capacity(taken.len());
    for taken in taken {
        let values = values![&take.worker, take.now, taken.deadline, taken.lease_end, taken.id];
        transaction.execute(&update, values)?;
        leased.extend(transaction.find(&read, values![taken.id], from_row)?);
    }
    Ok(leased)
}

fn from_row(row: &Row<'_>) -> Result<LeasedSubtask, StoreError> {
    Ok(LeasedSubtask {
        lease: SubtaskLease { subtask: row.get(0)?, fence: row.get(1)? },
        task: row.get(2)?,
        instance_id: row.get(3)?,
        location: row.get(4)?,
        target_type: row.get(5)?,
        target_name: row.get(6)?,
        size_bytes: row.get(7)?,
        options: row.get(8)?,
        deadline: row.get(9)?,
        address: row.get(10)?,
        sealed_credentials: row.get(11)?,
    })
}
