//! Device tasks: what is to be done, for whom, and when.

use guardhouse_model::{DeviceId, GroupId, TaskId, TemplateId, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::{
    MissingTarget, NewTask, Store, StoreError, Targets, Task, TaskChange, Trigger,
    sql::{Id, Micros},
    verbs::groups::row_limit,
};

const SELECT: &str = "select tasks.uuid, display_name, description, action, asset_group, source, create_time,
        update_time, version
    from tasks join task_templates on task_templates.uuid = template_uuid
    where delete_time is null";

/// How a target is kept.
const DEVICE: i64 = 1;
const GROUP: i64 = 2;

impl Store {
    /// Adds a task. Tasks with the same digest share a template; `new_template` names one that is new.
    pub async fn task_create(
        &self,
        task: NewTask,
        new_template: TemplateId,
    ) -> Result<TaskChange, StoreError> {
        self.engine
            .write(move |connection| {
                if let Some(missing) = first_missing(connection, &task.targets)? {
                    return Ok(TaskChange::Missing(missing));
                }
                let template = template(connection, &task, new_template)?;
                connection
                    .prepare_cached(
                        "insert into tasks (uuid, template_uuid, asset_group, source, create_time,
                             update_time, version)
                         values ($1, $2, $3, $4, $5, $5, 1)",
                    )?
                    .execute((
                        Id::from(task.id),
                        Id::from(template),
                        &task.asset_group,
                        task.source,
                        Micros(task.now),
                    ))?;
                insert_targets(connection, task.id, &task.targets)?;
                insert_triggers(connection, task.id, &task.triggers)?;
                Ok(TaskChange::Changed)
            })
            .await
    }

    /// One task.
    pub async fn task_get(&self, task: TaskId) -> Result<Option<Task>, StoreError> {
        self.engine
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&format!("{SELECT} and tasks.uuid = $1"))?;
                let task = statement.query_row([Id::from(task)], from_row).optional()?;
                task.map(|task| complete(connection, task)).transpose()
            })
            .await
    }

    /// Up to `limit` tasks after `after`, in the order of their ids.
    pub async fn tasks_list(&self, after: Option<TaskId>, limit: usize) -> Result<Vec<Task>, StoreError> {
        let after = Id::from(after.unwrap_or(TaskId(uuid::Uuid::nil())));
        self.engine
            .read(move |connection| {
                let mut statement = connection
                    .prepare_cached(&format!("{SELECT} and tasks.uuid > $1 order by tasks.uuid limit $2"))?;
                let tasks = statement.query_map((after, row_limit(limit)), from_row)?;
                tasks.map(|task| complete(connection, task?)).collect()
            })
            .await
    }

    /// Replaces the targets. Runs that were handed out and have not begun are withdrawn from devices that are
    /// no longer a target.
    pub async fn task_set_targets(
        &self,
        task: TaskId,
        targets: Targets,
        now: Timestamp,
    ) -> Result<TaskChange, StoreError> {
        self.engine
            .write(move |connection| {
                if let Some(missing) = first_missing(connection, &targets)? {
                    return Ok(TaskChange::Missing(missing));
                }
                if !touch(connection, task, now)? {
                    return Ok(TaskChange::NoSuchTask);
                }
                delete_rows(connection, "task_targets", task)?;
                insert_targets(connection, task, &targets)?;
                withdraw(
                    connection,
                    task,
                    "and not exists (
                    with recursive above (uuid) as (
                        select group_uuid from devices where uuid = task_runs.device_uuid
                        union all
                        select parent from device_groups join above on device_groups.uuid = above.uuid
                        where parent is not null
                    )
                    select 1 from task_targets where task_targets.task_uuid = task_runs.task_uuid and (
                        (kind = 1 and target = task_runs.device_uuid)
                        or (kind = 2 and target in (select uuid from above))))",
                )?;
                Ok(TaskChange::Changed)
            })
            .await
    }

    /// Replaces the triggers. Each new trigger runs the task once more on every target.
    pub async fn task_set_triggers(
        &self,
        task: TaskId,
        triggers: Vec<Trigger>,
        now: Timestamp,
    ) -> Result<TaskChange, StoreError> {
        self.engine
            .write(move |connection| {
                if !touch(connection, task, now)? {
                    return Ok(TaskChange::NoSuchTask);
                }
                delete_rows(connection, "task_triggers", task)?;
                insert_triggers(connection, task, &triggers)?;
                Ok(TaskChange::Changed)
            })
            .await
    }

    /// Deletes a task; false: no such task. Its runs stay; those that have not begun are withdrawn. The
    /// template goes with its last task.
    pub async fn task_delete(&self, task: TaskId, now: Timestamp) -> Result<bool, StoreError> {
        self.engine
            .write(move |connection| {
                if !touch(connection, task, now)? {
                    return Ok(false);
                }
                delete_rows(connection, "task_targets", task)?;
                delete_rows(connection, "task_triggers", task)?;
                withdraw(connection, task, "")?;
                connection
                    .prepare_cached("update tasks set delete_time = $1 where uuid = $2")?
                    .execute((Micros(now), Id::from(task)))?;
                // Open runs still need the action that the template holds.
                connection
                    .prepare_cached(
                        "delete from task_templates
                         where uuid = (select template_uuid from tasks where uuid = $1)
                           and not exists (select 1 from tasks
                               where template_uuid = task_templates.uuid and delete_time is null)
                           and not exists (select 1 from task_runs
                               where task_uuid in (select uuid from tasks
                                   where template_uuid = task_templates.uuid) and status in (1, 2))",
                    )?
                    .execute([Id::from(task)])?;
                Ok(true)
            })
            .await
    }

    /// How many templates there are.
    pub async fn task_templates_count(&self) -> Result<u64, StoreError> {
        let sql = "select count(*) from task_templates";
        self.engine.read(move |connection| Ok(connection.query_row(sql, [], |row| row.get(0))?)).await
    }
}

/// The template of a task, found by its digest or made.
fn template(
    connection: &Connection,
    task: &NewTask,
    new_template: TemplateId,
) -> Result<TemplateId, StoreError> {
    connection
        .prepare_cached(
            "insert into task_templates (uuid, digest, display_name, description, action)
             values ($1, $2, $3, $4, $5) on conflict (digest) do nothing",
        )?
        .execute((
            Id::from(new_template),
            task.template_digest,
            &task.display_name,
            &task.description,
            &task.action,
        ))?;
    let template: Id = connection
        .prepare_cached("select uuid from task_templates where digest = $1")?
        .query_row([task.template_digest], |row| row.get(0))?;
    Ok(template.into())
}

/// Notes that a task changed; false: no such task.
fn touch(connection: &Connection, task: TaskId, now: Timestamp) -> Result<bool, StoreError> {
    let touched = connection
        .prepare_cached(
            "update tasks set version = version + 1, update_time = $1 where uuid = $2 and delete_time is null",
        )?
        .execute((Micros(now), Id::from(task)))?;
    Ok(touched == 1)
}

/// Marks runs that have not begun as no longer wanted, where `condition` holds.
fn withdraw(connection: &Connection, task: TaskId, condition: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached(&format!(
            "update task_runs set withdrawn = 1 where task_uuid = $1 and status = 1 {condition}"
        ))?
        .execute([Id::from(task)])?;
    Ok(())
}

fn first_missing(connection: &Connection, targets: &Targets) -> Result<Option<MissingTarget>, StoreError> {
    let mut device = connection.prepare_cached("select 1 from devices where uuid = $1")?;
    for (index, &id) in targets.devices.iter().enumerate() {
        if !device.exists([Id::from(id)])? {
            return Ok(Some(MissingTarget::Device(index)));
        }
    }
    let mut group = connection.prepare_cached("select 1 from device_groups where uuid = $1")?;
    for (index, &id) in targets.groups.iter().enumerate() {
        if !group.exists([Id::from(id)])? {
            return Ok(Some(MissingTarget::Group(index)));
        }
    }
    Ok(None)
}

fn insert_targets(connection: &Connection, task: TaskId, targets: &Targets) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "insert into task_targets (task_uuid, kind, position, target) values ($1, $2, $3, $4)",
    )?;
    let devices = targets.devices.iter().map(|&DeviceId(uuid)| uuid).enumerate();
    let groups = targets.groups.iter().map(|&GroupId(uuid)| uuid).enumerate();
    for (kind, (position, target)) in devices.map(|d| (DEVICE, d)).chain(groups.map(|g| (GROUP, g))) {
        insert.execute((Id::from(task), kind, row_limit(position), Id(target)))?;
    }
    Ok(())
}

fn insert_triggers(connection: &Connection, task: TaskId, triggers: &[Trigger]) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "insert into task_triggers (uuid, task_uuid, position, create_time, expire_time)
         values ($1, $2, $3, $4, $5)",
    )?;
    for (position, trigger) in triggers.iter().enumerate() {
        insert.execute((
            Id::from(trigger.id),
            Id::from(task),
            row_limit(position),
            Micros(trigger.create_time),
            Micros(trigger.expire_time),
        ))?;
    }
    Ok(())
}

fn delete_rows(connection: &Connection, table: &str, task: TaskId) -> Result<(), StoreError> {
    connection
        .prepare_cached(&format!("delete from {table} where task_uuid = $1"))?
        .execute([Id::from(task)])?;
    Ok(())
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Task> {
    Ok(Task {
        id: row.get::<_, Id>(0)?.into(),
        display_name: row.get(1)?,
        description: row.get(2)?,
        action: row.get(3)?,
        asset_group: row.get(4)?,
        source: row.get(5)?,
        targets: Targets::default(),
        triggers: Vec::new(),
        create_time: row.get::<_, Micros>(6)?.0,
        update_time: row.get::<_, Micros>(7)?.0,
        version: row.get(8)?,
    })
}

/// Adds targets and triggers to a task that was read.
fn complete(connection: &Connection, mut task: Task) -> Result<Task, StoreError> {
    let mut targets = connection.prepare_cached(
        "select kind, target from task_targets where task_uuid = $1 order by kind, position",
    )?;
    let mut rows = targets.query([Id::from(task.id)])?;
    while let Some(row) = rows.next()? {
        let target: Id = row.get(1)?;
        match row.get(0)? {
            DEVICE => task.targets.devices.push(target.into()),
            GROUP => task.targets.groups.push(target.into()),
            kind => {
                return Err(StoreError::Inconsistent(format!(
                    "task_targets.kind {kind} of task {}",
                    task.id
                )));
            }
        }
    }
    let mut triggers = connection.prepare_cached(
        "select uuid, create_time, expire_time from task_triggers where task_uuid = $1 order by position",
    )?;
    let rows = triggers.query_map([Id::from(task.id)], |row| {
        Ok(Trigger {
            id: row.get::<_, Id>(0)?.into(),
            create_time: row.get::<_, Micros>(1)?.0,
            expire_time: row.get::<_, Micros>(2)?.0,
        })
    })?;
    task.triggers = rows.collect::<Result<_, _>>()?;
    Ok(task)
}
