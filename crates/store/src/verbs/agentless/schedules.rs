//! Scans that start by themselves.

use guardhouse_model::Timestamp;
use uuid::Uuid;

use super::add;
use crate::{
    AgentlessSchedule, AgentlessTaskAdded, Lease, NewAgentlessTask, ScheduleRan, ScheduleRun,
    ScheduleUpdated, Store, StoreError,
    engine::{Gate, Row, Transaction, values},
    verbs::leases,
};

const COLUMNS: &str =
    "uuid, name, selection, new_assets, options, cadence, version, create_time, next_time, last_time,
    last_task_uuid, last_note";

impl Store {
    /// Adds a schedule.
    pub async fn agentless_schedule_add(&self, schedule: AgentlessSchedule) -> Result<(), StoreError> {
        let sql = format!(
            "insert into agentless_schedules ({COLUMNS})
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        );
        self.engine
            .write(move |transaction| {
                let values = values![
                    schedule.id,
                    &schedule.name,
                    &schedule.selection,
                    schedule.takes_new_assets,
                    &schedule.options,
                    &schedule.cadence,
                    schedule.version,
                    schedule.create_time,
                    schedule.next_time,
                    schedule.last_time,
                    schedule.last_task,
                    &schedule.last_note,
                ];
                transaction.execute(&sql, values).map(drop)
            })
            .await
    }

    /// One schedule.
    pub async fn agentless_schedule_get(&self, id: Uuid) -> Result<Option<AgentlessSchedule>, StoreError> {
        let sql = format!("select {COLUMNS} from agentless_schedules where uuid = $1");
        self.engine.read(move |transaction| transaction.find(&sql, values![id], from_row)).await
    }

    /// Up to `limit` schedules after `after`, in the order of their ids.
    pub async fn agentless_schedules_list(
        &self,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<AgentlessSchedule>, StoreError> {
        let sql = format!("select {COLUMNS} from agentless_schedules where uuid > $1 order by uuid limit $2");
        self.engine
            .read(move |transaction| {
                transaction.list(&sql, values![after.unwrap_or_default(), limit], from_row)
            })
            .await
    }

    /// Replaces what somebody may change of a schedule, when it still has this version: name, selection, options, cadence,
    /// and when it starts next.
    pub async fn agentless_schedule_update(
        &self,
        schedule: AgentlessSchedule,
    ) -> Result<ScheduleUpdated, StoreError> {
        self.engine
            .write(move |transaction| {
                let updated = transaction.execute(
                    "update agentless_schedules set name = $1, selection = $2, new_assets = $3, options = $4,
                         cadence = $5, next_time = $6, version = version + 1
                     where uuid = $7 and version = $8",
                    values![
                        &schedule.name,
                        &schedule.selection,
                        schedule.takes_new_assets,
                        &schedule.options,
                        &schedule.cadence,
                        schedule.next_time,
                        schedule.id,
                        schedule.version,
                    ],
                )?;
                let known = "select 1 from agentless_schedules where uuid = $1";
                Ok(if updated == 1 {
                    ScheduleUpdated::Updated
                } else if transaction.exists(known, values![schedule.id])? {
                    ScheduleUpdated::Outrun
                } else {
                    ScheduleUpdated::NotFound
                })
            })
            .await
    }

    /// Removes a schedule. False: there is none.
    pub async fn agentless_schedule_delete(&self, id: Uuid) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                let sql = "delete from agentless_schedules where uuid = $1";
                Ok(transaction.execute(sql, values![id])? == 1)
            })
            .await
    }

    /// Up to `limit` schedules that are due at `now`, the longest due first.
    pub async fn agentless_schedules_due(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<AgentlessSchedule>, StoreError> {
        let sql = format!(
            "select {COLUMNS} from agentless_schedules
             where next_time is not null and next_time <= $1 order by next_time, uuid limit $2"
        );
        self.engine.read(move |transaction| transaction.list(&sql, values![now, limit], from_row)).await
    }

    /// Starts a schedule that is due and says when it starts next, in one: so it starts once, whatever dies meanwhile.
    ///
    /// # Errors
    /// As of every verb, and [`StoreError::LeaseLost`].
    pub async fn agentless_schedule_run(
        &self,
        lease: Lease,
        run: ScheduleRun,
    ) -> Result<ScheduleRan, StoreError> {
        self.engine
            .write(move |transaction| {
                // Before everything else, as who adds tasks does.
                transaction.pass_alone(Gate::AgentlessAssets)?;
                leases::hold(transaction, lease)?;
                let sql = transaction.locking(
                    "select 1 from agentless_schedules
                     where uuid = $1 and version = $2 and next_time is not null and next_time <= $3",
                    "for no key update",
                );
                if !transaction.exists(&sql, values![run.id, run.version, run.now])? {
                    return Ok(ScheduleRan::Outrun);
                }
                let (started, note) = match run.task {
                    Some(task) => start(transaction, task)?,
                    None => (None, run.note),
                };
                transaction.execute(
                    "update agentless_schedules set next_time = $1, last_time = $2, last_task_uuid = $3,
                         last_note = $4, version = version + 1
                     where uuid = $5",
                    values![run.next_time, run.now, started, &note, run.id],
                )?;
                Ok(ScheduleRan::Started(started))
            })
            .await
    }
}

/// Queues what is not being scanned already. Answers the task, if there is one, and what is to be known of it.
fn start(
    transaction: &Transaction<'_>,
    mut task: NewAgentlessTask,
) -> Result<(Option<Uuid>, String), StoreError> {
    let busy = add::drop_busy(transaction, &mut task)?;
    let note = match busy.len() {
        0 => String::new(),
        1 => "one asset was left out, because it is being scanned already".to_owned(),
        count => format!("{count} assets were left out, because they are being scanned already"),
    };
    if task.targets.is_empty() {
        return Ok((None, note));
    }
    match add::add(transaction, &task)? {
        AgentlessTaskAdded::Added => Ok((Some(task.id), note)),
        other => Err(StoreError::Inconsistent(format!("a schedule started nothing: {other:?}"))),
    }
}

fn from_row(row: &Row<'_>) -> Result<AgentlessSchedule, StoreError> {
    Ok(AgentlessSchedule {
        id: row.get(0)?,
        name: row.get(1)?,
        selection: row.get(2)?,
        takes_new_assets: row.get(3)?,
        options: row.get(4)?,
        cadence: row.get(5)?,
        version: row.get(6)?,
        create_time: row.get(7)?,
        next_time: row.get(8)?,
        last_time: row.get(9)?,
        last_task: row.get(10)?,
        last_note: row.get(11)?,
    })
}
