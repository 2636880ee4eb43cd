//! New tasks.

use std::{borrow::Cow, collections::HashSet};

use guardhouse_model::{Timestamp, agentless::queue};
use uuid::Uuid;

use super::snapshots::{self, Waiting};
use crate::{
    AgentlessTaskAdded, NewAgentlessSubtask, NewAgentlessTask, Store, StoreError,
    engine::{Gate, Transaction, Value, values},
};

/// Columns of subtasks that differ between those of a new task, in the order of [`insert`].
const COLUMNS: &str =
    "uuid, position, instance_id, location_uuid, target_type, target_name, instance_name, internet_ip,
     intranet_ip, size_bytes, queue_time, state";

/// Those that do not: the task is `$1`, and it starts at `$2`.
const REST: &str =
    "task_uuid, start_time, status, cancel, progress, progress_by_project, attempts, fence, worker,
     reason, measure_bytes, report_status, asset_version";
const REST_VALUES: &str = "$1, $2, 1, 0, 0, '', 0, 0, '', '', 0, 0";

/// What the content of an asset is now; its id follows.
const VERSION: &str = "select version from agentless_assets asset where asset.instance_id";

/// A subtask as it begins.
struct New<'a> {
    target: &'a NewAgentlessSubtask,
    target_name: Cow<'a, str>,
    /// 0: it waits for the snapshot of its device; 1: it is queued.
    state: i64,
}

impl<'a> New<'a> {
    fn of(target: &'a NewAgentlessSubtask, waiting: Option<&Waiting>) -> Self {
        match waiting {
            Some(waiting) => Self { target, target_name: waiting.target_name().into(), state: 0 },
            None => Self { target, target_name: target.target_name.as_str().into(), state: 1 },
        }
    }
}

impl Store {
    /// How many assets [`AgentlessTaskAdded::Busy`] names at most.
    pub const AGENTLESS_BUSY: usize = 100;

    /// Queues a scan: the task and all its subtasks, or nothing. An asset that is named twice is scanned once. Snapshots of
    /// devices are ordered, and what is to scan them waits for them.
    ///
    /// # Errors
    /// As of every verb, and when a target is a device and there is no order.
    pub async fn agentless_task_add(&self, task: NewAgentlessTask) -> Result<AgentlessTaskAdded, StoreError> {
        self.engine
            .write(move |transaction| {
                // Assets become busy behind this gate alone, so two tasks never wait for an asset of each other.
                transaction.pass_alone(Gate::AgentlessAssets)?;
                add(transaction, &task)
            })
            .await
    }

    /// Queues a scan of those assets that are not in a subtask which is not over; of none of them only where all are.
    ///
    /// # Errors
    /// As of [`Store::agentless_task_add`].
    pub async fn agentless_task_add_idle(
        &self,
        mut task: NewAgentlessTask,
    ) -> Result<AgentlessTaskAdded, StoreError> {
        self.engine
            .write(move |transaction| {
                transaction.pass_alone(Gate::AgentlessAssets)?;
                if let Some(earlier) = repeated(transaction, &task)? {
                    return Ok(AgentlessTaskAdded::Repeated(earlier));
                }
                let mut busy = drop_busy(transaction, &mut task)?;
                if task.targets.is_empty() {
                    busy.truncate(Self::AGENTLESS_BUSY);
                    return Ok(AgentlessTaskAdded::Busy(busy));
                }
                add(transaction, &task)
            })
            .await
    }
}

/// Queues a scan, behind the gate of the assets.
pub fn add(transaction: &Transaction<'_>, task: &NewAgentlessTask) -> Result<AgentlessTaskAdded, StoreError> {
    if let Some(earlier) = repeated(transaction, task)? {
        return Ok(AgentlessTaskAdded::Repeated(earlier));
    }
    let mut seen = HashSet::new();
    let targets: Vec<&NewAgentlessSubtask> =
        task.targets.iter().filter(|target| seen.insert(target.instance_id.as_str())).collect();
    let assets: Vec<&str> = targets.iter().map(|target| target.instance_id.as_str()).collect();
    let busy = busy(transaction, &assets, Store::AGENTLESS_BUSY)?;
    if !busy.is_empty() {
        return Ok(AgentlessTaskAdded::Busy(busy));
    }
    let of = |target: &&NewAgentlessSubtask| {
        snapshots::waiting(task.order.as_ref(), target.id, target.location, &target.instance_id)
    };
    let waiting: Vec<Option<Waiting>> = targets.iter().map(of).collect::<Result<_, _>>()?;
    let new = std::iter::zip(&targets, &waiting).map(|(target, waiting)| New::of(target, waiting.as_ref()));
    insert_root(transaction, task, targets.len())?;
    insert(transaction, task, &new.collect::<Vec<New<'_>>>())?;
    let waiting: Vec<Waiting> = waiting.into_iter().flatten().collect();
    snapshots::order(transaction, task.order.as_ref(), &waiting, task.start_time)?;
    Ok(AgentlessTaskAdded::Added)
}

/// Leaves out the targets whose assets are in a subtask which is not over, behind the gate of the assets. Answers which.
pub fn drop_busy(
    transaction: &Transaction<'_>,
    task: &mut NewAgentlessTask,
) -> Result<Vec<String>, StoreError> {
    let assets: Vec<&str> = task.targets.iter().map(|target| target.instance_id.as_str()).collect();
    let busy = busy(transaction, &assets, assets.len())?;
    task.targets.retain(|target| busy.binary_search(&target.instance_id).is_err());
    Ok(busy)
}

/// The task that the account asked for with the same token.
fn repeated(transaction: &Transaction<'_>, task: &NewAgentlessTask) -> Result<Option<Uuid>, StoreError> {
    let Some(account) = task.account.filter(|_| !task.client_token.is_empty()) else { return Ok(None) };
    // `<> ''`: by that the databases know the index.
    let sql = "select uuid from agentless_tasks
        where account_uuid = $1 and client_token = $2 and client_token <> ''";
    transaction.find(sql, values![account, &task.client_token], |row| row.get(0))
}

/// Those of the assets that are in a subtask which is not over, up to `limit`, in the order of their ids.
pub fn busy(transaction: &Transaction<'_>, assets: &[&str], limit: usize) -> Result<Vec<String>, StoreError> {
    if let Transaction::Postgres(_) = transaction {
        let sql = "select instance_id from agentless_subtasks
            where instance_id = any($1) and state < 3 order by instance_id limit $2";
        return transaction.list(sql, &[Value::Texts(assets), limit.into()], |row| row.get(0));
    }
    let mut found = Vec::new();
    for asset in assets {
        let sql = "select 1 from agentless_subtasks where instance_id = $1 and state < 3";
        if transaction.exists(sql, values![*asset])? {
            found.push((*asset).to_owned());
        }
    }
    found.sort_unstable();
    found.truncate(limit);
    Ok(found)
}

fn insert_root(
    transaction: &Transaction<'_>,
    task: &NewAgentlessTask,
    subtasks: usize,
) -> Result<(), StoreError> {
    // A task without targets is over at once.
    let is_over = subtasks == 0;
    transaction.execute(
        "insert into agentless_tasks (uuid, name, target_type, account_uuid, schedule_uuid, client_token, options,
             status, start_time, end_time, subtasks, done, failed, timed_out, cancelled, progress_sum,
             measure_bytes, report_status)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0, 0, 0, 0, 0, 0)",
        values![
            task.id,
            &task.name,
            task.target_type,
            task.account,
            task.schedule,
            &task.client_token,
            &task.options,
            if is_over { 2 } else { 1 },
            task.start_time,
            is_over.then_some(task.start_time),
            subtasks,
        ],
    )?;
    Ok(())
}

fn insert(
    transaction: &Transaction<'_>,
    task: &NewAgentlessTask,
    subtasks: &[New<'_>],
) -> Result<(), StoreError> {
    if let Transaction::Postgres(_) = transaction {
        return insert_as_arrays(transaction, task, subtasks);
    }
    let sql = format!(
        "insert into agentless_subtasks ({COLUMNS}, {REST})
         values ($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, {REST_VALUES}, coalesce(({VERSION} = $5), ''))"
    );
    for (position, New { target, target_name, state }) in subtasks.iter().enumerate() {
        transaction.execute(
            &sql,
            values![
                task.id,
                task.start_time,
                target.id,
                position,
                &target.instance_id,
                target.location,
                target.target_type,
                target_name.as_ref(),
                &target.instance_name,
                &target.internet_ip,
                &target.intranet_ip,
                target.size_bytes,
                queue::turn(task.start_time, position),
                *state,
            ],
        )?;
    }
    Ok(())
}

/// On PostgreSQL a statement costs a journey: all subtasks travel in one.
fn insert_as_arrays(
    transaction: &Transaction<'_>,
    task: &NewAgentlessTask,
    subtasks: &[New<'_>],
) -> Result<(), StoreError> {
    let ids = |of: fn(&NewAgentlessSubtask) -> Uuid| -> Vec<Uuid> {
        subtasks.iter().map(|new| of(new.target)).collect()
    };
    fn texts<'a>(subtasks: &[New<'a>], of: fn(&NewAgentlessSubtask) -> &str) -> Vec<&'a str> {
        subtasks.iter().map(|new| of(new.target)).collect()
    }
    let positions: Vec<i64> = (0..).take(subtasks.len()).collect();
    let types: Vec<i64> = subtasks.iter().map(|new| new.target.target_type.into()).collect();
    let names: Vec<&str> = subtasks.iter().map(|new| new.target_name.as_ref()).collect();
    let sizes: Vec<i64> =
        subtasks.iter().map(|new| i64::try_from(new.target.size_bytes).unwrap_or(i64::MAX)).collect();
    let turns: Vec<i64> = (0..subtasks.len())
        .map(|position| queue::turn(task.start_time, position))
        .map(Timestamp::as_microsecond)
        .collect();
    let states: Vec<i64> = subtasks.iter().map(|new| new.state).collect();
    let sql = format!(
        "insert into agentless_subtasks ({COLUMNS}, {REST})
         select new.*, {REST_VALUES}, coalesce(({VERSION} = new.asset), '') from unnest($3::uuid[], $4::bigint[], $5::text[], $6::uuid[], $7::bigint[],
             $8::text[], $9::text[], $10::text[], $11::text[], $12::bigint[], $13::bigint[], $14::bigint[])
             as new (id, place, asset)"
    );
    transaction.execute(
        &sql,
        &[
            task.id.into(),
            task.start_time.into(),
            Value::Ids(&ids(|target| target.id)),
            Value::Integers(&positions),
            Value::Texts(&texts(subtasks, |target| &target.instance_id)),
            Value::Ids(&ids(|target| target.location)),
            Value::Integers(&types),
            Value::Texts(&names),
            Value::Texts(&texts(subtasks, |target| &target.instance_name)),
            Value::Texts(&texts(subtasks, |target| &target.internet_ip)),
            Value::Texts(&texts(subtasks, |target| &target.intranet_ip)),
            Value::Integers(&sizes),
            Value::Integers(&turns),
            Value::Integers(&states),
        ],
    )?;
    Ok(())
}
