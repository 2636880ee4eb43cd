//! New tasks.

use std::collections::HashSet;

use guardhouse_model::{Timestamp, agentless::queue};
use uuid::Uuid;

use crate::{
    AgentlessTaskAdded, NewAgentlessSubtask, NewAgentlessTask, Store, StoreError,
    engine::{Gate, Transaction, Value, values},
};

/// Columns of subtasks that differ between those of a new task, in the order of [`insert`].
const COLUMNS: &str =
    "uuid, position, instance_id, location_uuid, target_type, target_name, instance_name, internet_ip,
     intranet_ip, size_bytes, queue_time";

/// Those that do not: the task is `$1`, and it starts at `$2`.
const REST: &str =
    "task_uuid, start_time, state, status, cancel, progress, progress_by_project, attempts, fence, worker,
     reason, measure_bytes, report_status, asset_version";
const REST_VALUES: &str = "$1, $2, 1, 1, 0, 0, '', 0, 0, '', '', 0, 0";

/// What the content of an asset is now; its id follows.
const VERSION: &str = "select version from agentless_assets asset where asset.instance_id";

impl Store {
    /// How many assets [`AgentlessTaskAdded::Busy`] names at most.
    pub const AGENTLESS_BUSY: usize = 100;

    /// Queues a scan: the task and all its subtasks, or nothing. An asset that is named twice is scanned once.
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
    insert_root(transaction, task, targets.len())?;
    insert(transaction, task, &targets)?;
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
    targets: &[&NewAgentlessSubtask],
) -> Result<(), StoreError> {
    if let Transaction::Postgres(_) = transaction {
        return insert_as_arrays(transaction, task, targets);
    }
    let sql = format!(
        "insert into agentless_subtasks ({COLUMNS}, {REST})
         values ($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, {REST_VALUES}, coalesce(({VERSION} = $5), ''))"
    );
    for (position, target) in targets.iter().enumerate() {
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
                &target.target_name,
                &target.instance_name,
                &target.internet_ip,
                &target.intranet_ip,
                target.size_bytes,
                queue::turn(task.start_time, position),
            ],
        )?;
    }
    Ok(())
}

/// On PostgreSQL a statement costs a journey: all subtasks travel in one.
fn insert_as_arrays(
    transaction: &Transaction<'_>,
    task: &NewAgentlessTask,
    targets: &[&NewAgentlessSubtask],
) -> Result<(), StoreError> {
    let ids = |of: fn(&NewAgentlessSubtask) -> Uuid| -> Vec<Uuid> {
        targets.iter().map(|target| of(target)).collect()
    };
    fn texts<'a>(targets: &[&'a NewAgentlessSubtask], of: fn(&NewAgentlessSubtask) -> &str) -> Vec<&'a str> {
        targets.iter().map(|target| of(target)).collect()
    }
    let positions: Vec<i64> = (0..).take(targets.len()).collect();
    let types: Vec<i64> = targets.iter().map(|target| target.target_type.into()).collect();
    let sizes: Vec<i64> =
        targets.iter().map(|target| i64::try_from(target.size_bytes).unwrap_or(i64::MAX)).collect();
    let turns: Vec<i64> = (0..targets.len())
        .map(|position| queue::turn(task.start_time, position))
        .map(Timestamp::as_microsecond)
        .collect();
    let sql = format!(
        "insert into agentless_subtasks ({COLUMNS}, {REST})
         select new.*, {REST_VALUES}, coalesce(({VERSION} = new.asset), '') from unnest($3::uuid[], $4::bigint[], $5::text[], $6::uuid[], $7::bigint[],
             $8::text[], $9::text[], $10::text[], $11::text[], $12::bigint[], $13::bigint[])
             as new (id, place, asset)"
    );
    transaction.execute(
        &sql,
        &[
            task.id.into(),
            task.start_time.into(),
            Value::Ids(&ids(|target| target.id)),
            Value::Integers(&positions),
            Value::Texts(&texts(targets, |target| &target.instance_id)),
            Value::Ids(&ids(|target| target.location)),
            Value::Integers(&types),
            Value::Texts(&texts(targets, |target| &target.target_name)),
            Value::Texts(&texts(targets, |target| &target.instance_name)),
            Value::Texts(&texts(targets, |target| &target.internet_ip)),
            Value::Texts(&texts(targets, |target| &target.intranet_ip)),
            Value::Integers(&sizes),
            Value::Integers(&turns),
        ],
    )?;
    Ok(())
}
