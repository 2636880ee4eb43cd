//! How many devices a task has in which state.

use std::collections::BTreeMap;

use guardhouse_model::{
    TaskId, Timestamp,
    device_runs::{DeviceRunState, LastRun, Missed, state},
    tasks::{RunStatus, may_begin},
};
use uuid::Uuid;

use super::{
    device_runs::{TargetGroups, ended, groups_of, triggers},
    list::known_status,
};
use crate::{
    RunTrigger, Store, StoreError,
    engine::{Row, Transaction, Value},
};

/// What the state of a device depends on, and how many devices have it.
struct Share {
    last: Option<(RunStatus, bool, Option<String>)>,
    /// 0: it missed nothing, 1: a trigger that may still begin, 2: the newest trigger, which is over.
    missed: i64,
    devices: u64,
}

impl Store {
    /// How many devices a task has in which state, the same devices that [`Store::device_runs_list`] lists: they are
    /// counted where they are kept. `None`: there never was such a task.
    pub async fn device_runs_count(
        &self,
        task: TaskId,
        now: Timestamp,
    ) -> Result<Option<BTreeMap<DeviceRunState, u64>>, StoreError> {
        self.engine
            .read(move |transaction| {
                let sql = "select 1 from tasks where uuid = $1";
                if !transaction.exists(sql, &[task.into()])? {
                    return Ok(None);
                }
                let triggers = triggers(transaction, task)?;
                let newest = triggers.first();
                let mut counts = BTreeMap::new();
                for Share { last, missed, devices } in shares(transaction, task, &triggers, now)? {
                    let last = last.as_ref().map(|(status, withdrawn, code)| LastRun {
                        status: *status,
                        withdrawn: *withdrawn,
                        code: code.as_deref(),
                    });
                    let missed = match missed {
                        0 => None,
                        1 => Some(Missed::Due),
                        _ => newest.map(ended),
                    };
                    if let Some(state) = state(last, missed) {
                        *counts.entry(state).or_default() += devices;
                    }
                }
                Ok(Some(counts))
            })
            .await
    }
}

fn shares(
    transaction: &Transaction<'_>,
    task: TaskId,
    triggers: &[RunTrigger],
    now: Timestamp,
) -> Result<Vec<Share>, StoreError> {
    let due = triggers.iter().filter(|trigger| may_begin(trigger.expire_time, now)).count();
    let newest = triggers.first();
    let values = [
        Value::from(task),
        Value::from(now),
        Value::from(due),
        Value::from(newest.map_or(Uuid::nil(), |newest| newest.id.0)),
        Value::from(newest.map(|newest| newest.create_time)),
    ];
    let read = |row: &Row<'_>| {
        let last = match row.get::<Option<i64>>(0)? {
            None => None,
            Some(number) => Some((known_status(number)?, row.get(1)?, row.get(2)?)),
        };
        Ok(Share { last, missed: row.get(3)?, devices: row.get(4)? })
    };
    let statement = |groups: &str, dynamic: &str, below: &str| {
        format!(
            "with recursive {below} targeted (device) as (
                select target from task_targets where task_uuid = $1 and kind = 1
                    and exists (select 1 from devices where devices.uuid = target)
                union select uuid from devices where group_uuid {groups}
                union select device_uuid from dynamic_members where group_uuid {dynamic}
            ),
            ranked as (
                select device_uuid, status, withdrawn, reason_code, start_time,
                    row_number() over (partition by device_uuid order by start_time desc, uuid desc) as place
                from task_runs where task_uuid = $1
            ),
            last as (select * from ranked where place = 1),
            met (device, number) as (
                select device_uuid, count(*) from task_triggers
                join task_runs on trigger_uuid = task_triggers.uuid
                where task_triggers.task_uuid = $1 and task_triggers.expire_time >= $2
                group by device_uuid
            ),
            newest (device) as (select device_uuid from task_runs where trigger_uuid = $4),
            facts as (
                select last.status, last.withdrawn, last.reason_code, case
                    when coalesce(met.number, 0) < $3 then cast(1 as bigint)
                    when newest.device is null and (last.start_time is null or last.start_time < $5) then 2
                    else 0 end as missed
                from targeted
                left join last on last.device_uuid = targeted.device
                left join met on met.device = targeted.device
                left join newest on newest.device = targeted.device
                union all
                select status, withdrawn, reason_code, 0 from last
                where device_uuid not in (select device from targeted)
            )
            select status, withdrawn, reason_code, missed, count(*) from facts
            group by status, withdrawn, reason_code, missed"
        )
    };
    if let Transaction::Postgres(_) = transaction {
        let TargetGroups { fixed, dynamic } = groups_of(transaction, task)?;
        let fixed: Vec<Uuid> = fixed.into_iter().map(|group| group.0).collect();
        let dynamic: Vec<Uuid> = dynamic.into_iter().map(|group| group.0).collect();
        let sql = statement("= any($6)", "= any($7)", "");
        return transaction.list(
            &sql,
            &[&values[..], &[Value::Ids(&fixed), Value::Ids(&dynamic)]].concat(),
            read,
        );
    }
    let below = "below (uuid) as (
            select target from task_targets where task_uuid = $1 and kind = 2
            union
            select device_groups.uuid from below join device_groups on device_groups.parent = below.uuid
        ),";
    let of_task = "in (select uuid from below)";
    transaction.list(&statement(of_task, of_task, below), &values, read)
}
