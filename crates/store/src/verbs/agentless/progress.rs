//! How far subtasks are, as their workers say it, which renews the leases.

use std::collections::BTreeMap;

use guardhouse_model::{Timestamp, agentless::queue};
use uuid::Uuid;

use crate::{
    LeaseAnswer, Store, StoreError, SubtaskProgress,
    engine::{Row, Transaction, Value, values},
};

/// A subtask that a worker has.
struct Held {
    fence: i64,
    is_cancelled: bool,
    deadline: Timestamp,
}

impl Store {
    /// Keeps how far subtasks are, and renews their leases until `until`; of several words about one the last counts.
    /// Answers each in its place.
    ///
    /// Their tasks are not touched: how far a task is is added up when somebody asks.
    pub async fn agentless_subtasks_progress(
        &self,
        progress: Vec<SubtaskProgress>,
        until: Timestamp,
    ) -> Result<Vec<LeaseAnswer>, StoreError> {
        if progress.is_empty() {
            return Ok(Vec::new());
        }
        self.engine
            .write(move |transaction| {
                let ids: Vec<Uuid> = progress.iter().map(|said| said.lease.subtask).collect();
                let held = hold(transaction, &ids)?;
                let answers: Vec<LeaseAnswer> =
                    progress.iter().map(|said| answer(held.get(&said.lease.subtask), said)).collect();
                let renewed: BTreeMap<Uuid, &SubtaskProgress> = std::iter::zip(&progress, &answers)
                    .filter(|(_, answer)| **answer == LeaseAnswer::Renewed)
                    .map(|(said, _)| (said.lease.subtask, said))
                    .collect();
                keep(transaction, &held, &renewed, until)?;
                Ok(answers)
            })
            .await
    }
}

fn answer(held: Option<&Held>, said: &SubtaskProgress) -> LeaseAnswer {
    match held {
        Some(held) if held.fence == said.lease.fence && held.is_cancelled => LeaseAnswer::Cancelled,
        Some(held) if held.fence == said.lease.fence => LeaseAnswer::Renewed,
        _ => LeaseAnswer::Lost,
    }
}

/// Those of the subtasks that a worker has, locked.
fn hold(transaction: &Transaction<'_>, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Held>, StoreError> {
    let columns = "select uuid, fence, cancel, deadline from agentless_subtasks where state = 2 and uuid";
    let read = |row: &Row<'_>| {
        let held = Held { fence: row.get(1)?, is_cancelled: row.get(2)?, deadline: row.get(3)? };
        Ok((row.get::<Uuid>(0)?, held))
    };
    if let Transaction::Postgres(_) = transaction {
        let sql = format!("{columns} = any($1) order by uuid for no key update");
        return Ok(transaction.list(&sql, &[Value::Ids(ids)], read)?.into_iter().collect());
    }
    let sql = format!("{columns} = $1");
    let found = ids.iter().map(|&id| transaction.find(&sql, values![id], read));
    found.filter_map(Result::transpose).collect()
}

fn keep(
    transaction: &Transaction<'_>,
    held: &BTreeMap<Uuid, Held>,
    renewed: &BTreeMap<Uuid, &SubtaskProgress>,
    until: Timestamp,
) -> Result<(), StoreError> {
    let end = |id: &Uuid| held.get(id).map_or(until, |held| queue::lease_end(until, held.deadline));
    if let Transaction::Postgres(_) = transaction {
        let ids: Vec<Uuid> = renewed.keys().copied().collect();
        let ends: Vec<i64> = renewed.keys().map(|id| end(id).as_microsecond()).collect();
        let percent: Vec<i64> = renewed.values().map(|said| said.progress.min(100).into()).collect();
        let words: Vec<&str> = renewed.values().map(|said| said.progress_by_project.as_str()).collect();
        transaction.execute(
            "update agentless_subtasks set progress = greatest(progress, said), progress_by_project = words,
                 lease_expire_time = until
             from unnest($1, $2, $3, $4) as word (id, said, words, until) where uuid = id",
            &[Value::Ids(&ids), Value::Integers(&percent), Value::Texts(&words), Value::Integers(&ends)],
        )?;
        return Ok(());
    }
    for (id, said) in renewed {
        let percent = u32::from(said.progress.min(100));
        transaction.execute(
            "update agentless_subtasks set progress = max(progress, $1), progress_by_project = $2,
                 lease_expire_time = $3
             where uuid = $4",
            values![percent, &said.progress_by_project, end(id), *id],
        )?;
    }
    Ok(())
}
