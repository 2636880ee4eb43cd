//! What the newest scan of each asset found, in numbers.

use guardhouse_model::{Timestamp, agentless::TaskStatus};
use uuid::Uuid;

use crate::{
    AgentlessResult, AgentlessTotals, MissingResults, Store, StoreError,
    engine::{Transaction, Value, values},
    verbs::agentless::conditions::Conditions,
};

impl Store {
    /// What is known at `now` of all assets together, of those with a target type, or of one.
    pub async fn agentless_results_count(
        &self,
        target_type: Option<i32>,
        instance_id: Option<String>,
        now: Timestamp,
    ) -> Result<AgentlessTotals, StoreError> {
        self.engine
            .read(move |transaction| {
                let mut sql = "select count(*),
                        coalesce(sum(case when cve + sys + sca + baseline + malicious + sensitive > 0
                            then 1 else 0 end), 0),
                        cast(coalesce(sum(cve), 0) as bigint), cast(coalesce(sum(sys), 0) as bigint),
                        cast(coalesce(sum(sca), 0) as bigint), cast(coalesce(sum(baseline), 0) as bigint),
                        cast(coalesce(sum(malicious), 0) as bigint),
                        cast(coalesce(sum(sensitive), 0) as bigint), max(scan_time)
                    from agentless_results where expire_time > $1"
                    .to_owned();
                let mut values = values![now].to_vec();
                if let Some(target_type) = target_type {
                    values.push(target_type.into());
                    sql.push_str(&format!(" and target_type = ${}", values.len()));
                }
                if let Some(instance_id) = &instance_id {
                    values.push(instance_id.into());
                    sql.push_str(&format!(" and instance_id = ${}", values.len()));
                }
                let totals = transaction.find(&sql, &values, |row| {
                    Ok(AgentlessTotals {
                        scanned: row.get(0)?,
                        risky: row.get(1)?,
                        cve: row.get(2)?,
                        sys: row.get(3)?,
                        sca: row.get(4)?,
                        baseline: row.get(5)?,
                        malicious: row.get(6)?,
                        sensitive: row.get(7)?,
                        scan_time: row.get(8)?,
                    })
                })?;
                totals.ok_or_else(|| StoreError::Inconsistent("a sum without a row".to_owned()))
            })
            .await
    }
}

impl Store {
    /// Of how many subtasks there is no result: of a task, of a subtask, or of a subtask if it is of that task. `None`: there is
    /// no such task or subtask, or neither is named.
    pub async fn agentless_results_missing(
        &self,
        task: Option<Uuid>,
        subtask: Option<Uuid>,
    ) -> Result<Option<MissingResults>, StoreError> {
        self.engine
            .read(move |transaction| {
                if task.is_none() && subtask.is_none() {
                    return Ok(None);
                }
                let mut conditions = Conditions::new(transaction);
                if let Some(task) = task {
                    conditions.compares("s.task_uuid =", task);
                }
                if let Some(subtask) = subtask {
                    conditions.compares("s.uuid =", subtask);
                }
                let done = conditions.value(TaskStatus::Done as i32);
                let sql = format!(
                    "select count(*), count(case when s.status <> {done} then 1 end),
                         count(case when s.status = {done} and r.instance_id is null then 1 end)
                     from agentless_subtasks s left join agentless_results r on r.subtask_uuid = s.uuid
                     {}",
                    conditions.clause()
                );
                let counted = transaction.find(&sql, &conditions.values(&[]), |row| {
                    let all: i64 = row.get(0)?;
                    let missing = MissingResults { unscanned: row.get(1)?, superseded: row.get(2)? };
                    Ok((all > 0).then_some(missing))
                })?;
                Ok(counted.flatten())
            })
            .await
    }
}

/// The subtask that has the newest result of an asset.
pub fn subtask_of(transaction: &Transaction<'_>, asset: &str) -> Result<Option<Uuid>, StoreError> {
    let sql = "select subtask_uuid from agentless_results where instance_id = $1";
    transaction.find(sql, values![asset], |row| row.get(0))
}

/// Locks the results of assets, in the order of their ids.
pub fn lock(transaction: &Transaction<'_>, assets: &[&str]) -> Result<(), StoreError> {
    if let Transaction::Postgres(_) = transaction {
        let sql = "select 1 from agentless_results where instance_id = any($1) order by instance_id
            for no key update";
        transaction.execute(sql, &[Value::Texts(assets)])?;
    }
    Ok(())
}

/// Keeps the result of a subtask that is locked, in the place of an older one of its asset, and which system was found. Whoever
/// keeps the findings counts them there.
pub fn replace(
    transaction: &Transaction<'_>,
    subtask: Uuid,
    result: &AgentlessResult,
    now: Timestamp,
) -> Result<(), StoreError> {
    transaction.execute(
        "insert into agentless_results (instance_id, subtask_uuid, target_type, scan_time, expire_time, cve, sys, sca,
             baseline, malicious, sensitive)
         select instance_id, uuid, target_type, $2, $3, 0, 0, 0, 0, 0, 0 from agentless_subtasks where uuid = $1
         on conflict (instance_id) do update set subtask_uuid = excluded.subtask_uuid,
             target_type = excluded.target_type, scan_time = excluded.scan_time,
             expire_time = excluded.expire_time, cve = excluded.cve, sys = excluded.sys, sca = excluded.sca,
             baseline = excluded.baseline, malicious = excluded.malicious, sensitive = excluded.sensitive",
        values![subtask, now, result.expire_time],
    )?;
    transaction.execute(
        "update agentless_assets set platform = $2
         where instance_id = (select instance_id from agentless_subtasks where uuid = $1)",
        values![subtask, &result.platform],
    )?;
    Ok(())
}
