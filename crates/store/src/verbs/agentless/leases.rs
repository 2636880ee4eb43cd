//! Subtasks whose workers say nothing any more.

use std::collections::BTreeMap;

use guardhouse_model::{
    Timestamp,
    agentless::queue::{self, Lapse},
};
use uuid::Uuid;

use super::{
    end::{self, Over},
    percentage, reports, roots, snapshots,
};
use crate::{
    Lease, Store, StoreError,
    engine::{Row, Transaction, Value, values},
    verbs::leases,
};

/// Subtasks whose lease ran out before `$1`, up to `$2`.
const LAPSED: &str = "select uuid, task_uuid from agentless_subtasks
    where state = 2 and lease_expire_time < $1 order by lease_expire_time, uuid limit $2";

/// A subtask whose lease ran out.
struct Lapsed {
    id: Uuid,
    task: Uuid,
    progress: u8,
    lapse: Lapse,
}

impl Store {
    /// Takes up to `limit` subtasks away from workers whose leases ran out before `now`: they are queued again, where they
    /// stood, or over. Answers how many.
    ///
    /// # Errors
    /// As of every verb, and [`StoreError::LeaseLost`].
    pub async fn agentless_leases_expire(
        &self,
        lease: Lease,
        now: Timestamp,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let found = self
            .engine
            .read(move |transaction| {
                let read = |row: &Row<'_>| Ok((row.get::<Uuid>(0)?, row.get::<Uuid>(1)?));
                transaction.list(LAPSED, values![now, limit], read)
            })
            .await?;
        if found.is_empty() {
            return Ok(0);
        }
        self.engine
            .write(move |transaction| {
                leases::hold(transaction, lease)?;
                let (subtasks, tasks): (Vec<Uuid>, Vec<Uuid>) = found.into_iter().unzip();
                let mut roots: BTreeMap<Uuid, _> =
                    roots::lock(transaction, tasks)?.into_iter().map(|root| (root.id, root)).collect();
                let lapsed = lapsed(transaction, subtasks, now)?;
                let queued: Vec<Uuid> =
                    lapsed.iter().filter(|one| one.lapse == Lapse::Queued).map(|one| one.id).collect();
                end::requeue(transaction, &queued, true)?;
                reports::remove(transaction, &queued)?;
                for one in &lapsed {
                    let Lapse::Over(status, reason) = one.lapse else { continue };
                    let Some(root) = roots.get_mut(&one.task) else { continue };
                    let progress = one.progress;
                    let over = Over { subtask: one.id, status, reason, progress, measure_bytes: 0 };
                    end::finish(transaction, root, &over, now)?;
                    snapshots::over(transaction, one.id, status, now)?;
                }
                for root in roots.values() {
                    root.keep(transaction, now)?;
                }
                Ok(lapsed.len())
            })
            .await
    }
}

/// Those of the subtasks whose leases have run out still, locked.
fn lapsed(transaction: &Transaction<'_>, ids: Vec<Uuid>, now: Timestamp) -> Result<Vec<Lapsed>, StoreError> {
    let columns = "select uuid, task_uuid, progress, attempts, deadline, cancel from agentless_subtasks
        where state = 2 and lease_expire_time < $1 and uuid";
    let read = |row: &Row<'_>| {
        Ok(Lapsed {
            id: row.get(0)?,
            task: row.get(1)?,
            progress: percentage(row, 2)?,
            lapse: queue::Lapse::of(row.get(3)?, row.get(4)?, row.get(5)?, now),
        })
    };
    if let Transaction::Postgres(_) = transaction {
        let sql = format!("{columns} = any($2) order by uuid for no key update");
        return transaction.list(&sql, &[now.into(), Value::Ids(&ids)], read);
    }
    let sql = format!("{columns} = $2");
    let found = ids.into_iter().map(|id| transaction.find(&sql, values![now, id], read));
    found.filter_map(Result::transpose).collect()
}
