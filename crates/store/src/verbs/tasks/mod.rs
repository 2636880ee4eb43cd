//! Device tasks: what is to be done, for whom, and when.

mod targets;
mod templates;

use guardhouse_model::{TaskId, TemplateId, Timestamp};
use uuid::Uuid;

use crate::{
    NewTask, Store, StoreError, Targets, Task, TaskChange, Trigger,
    engine::{Gate, Row, Transaction, values},
};

pub use targets::among as targets_among;
pub use templates::delete_unused;

const SELECT: &str = "select tasks.uuid, display_name, description, action, asset_group, source, create_time,
        update_time, version
    from tasks join task_templates on task_templates.uuid = template_uuid
    where delete_time is null";

impl Store {
    /// Adds a task. Tasks with the same digest share a template; `new_template` names one that is new.
    pub async fn task_create(
        &self,
        task: NewTask,
        new_template: TemplateId,
    ) -> Result<TaskChange, StoreError> {
        self.engine
            .write(move |transaction| {
                transaction.pass_beside(Gate::GroupTree)?;
                if let Some(missing) = targets::first_missing(transaction, &task.targets)? {
                    return Ok(TaskChange::Missing(missing));
                }
                create(transaction, &task, new_template)?;
                Ok(TaskChange::Changed)
            })
            .await
    }

    /// One task.
    pub async fn task_get(&self, task: TaskId) -> Result<Option<Task>, StoreError> {
        self.engine
            .read(move |transaction| {
                let task =
                    transaction.find(&format!("{SELECT} and tasks.uuid = $1"), values![task], from_row)?;
                task.map(|task| complete(transaction, task)).transpose()
            })
            .await
    }

    /// Up to `limit` tasks after `after`, in the order of their ids.
    pub async fn tasks_list(&self, after: Option<TaskId>, limit: usize) -> Result<Vec<Task>, StoreError> {
        let after = after.unwrap_or(TaskId(Uuid::nil()));
        self.engine
            .read(move |transaction| {
                let sql = format!("{SELECT} and tasks.uuid > $1 order by tasks.uuid limit $2");
                let tasks = transaction.list(&sql, values![after, limit], from_row)?;
                tasks.into_iter().map(|task| complete(transaction, task)).collect()
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
            .write(move |transaction| {
                transaction.pass_beside(Gate::GroupTree)?;
                if let Some(missing) = targets::first_missing(transaction, &targets)? {
                    return Ok(TaskChange::Missing(missing));
                }
                if !touch(transaction, task, now)? {
                    return Ok(TaskChange::NoSuchTask);
                }
                delete_rows(transaction, "task_targets", task)?;
                targets::insert(transaction, task, &targets)?;
                withdraw(
                    transaction,
                    task,
                    &format!(
                        "and not {}",
                        targets::is_target("task_runs.device_uuid", "task_runs.task_uuid")
                    ),
                )?;
                Ok(TaskChange::Changed)
            })
            .await
    }

    /// Replaces the triggers. Each new trigger runs the task once more on every target; runs of the earlier ones that
    /// have not begun are withdrawn.
    pub async fn task_set_triggers(
        &self,
        task: TaskId,
        triggers: Vec<Trigger>,
        now: Timestamp,
    ) -> Result<TaskChange, StoreError> {
        self.engine
            .write(move |transaction| {
                if !touch(transaction, task, now)? {
                    return Ok(TaskChange::NoSuchTask);
                }
                delete_rows(transaction, "task_triggers", task)?;
                insert_triggers(transaction, task, &triggers)?;
                withdraw(transaction, task, "")?;
                Ok(TaskChange::Changed)
            })
            .await
    }

    /// Deletes a task; false: no such task. Its runs stay; those that have not begun are withdrawn. The
    /// template goes with its last task.
    pub async fn task_delete(&self, task: TaskId, now: Timestamp) -> Result<bool, StoreError> {
        self.engine.write(move |transaction| delete(transaction, task, now)).await
    }

    /// How many templates there are.
    pub async fn task_templates_count(&self) -> Result<u64, StoreError> {
        let sql = "select count(*) from task_templates";
        let count = self.engine.read(move |transaction| transaction.find(sql, &[], |row| row.get(0))).await?;
        Ok(count.unwrap_or(0))
    }
}

/// Adds a task, inside a transaction. The caller has made sure that its groups stay.
pub fn create(
    transaction: &Transaction<'_>,
    task: &NewTask,
    new_template: TemplateId,
) -> Result<(), StoreError> {
    let template = templates::find_or_make(transaction, task, new_template)?;
    transaction.execute(
        "insert into tasks (uuid, template_uuid, asset_group, source, create_time, update_time, version)
         values ($1, $2, $3, $4, $5, $5, 1)",
        values![task.id, template, &task.asset_group, task.source, task.now],
    )?;
    targets::insert(transaction, task.id, &task.targets)?;
    insert_triggers(transaction, task.id, &task.triggers)
}

/// Deletes a task, inside a transaction; false: no such task.
pub fn delete(transaction: &Transaction<'_>, task: TaskId, now: Timestamp) -> Result<bool, StoreError> {
    if !touch(transaction, task, now)? {
        return Ok(false);
    }
    delete_rows(transaction, "task_targets", task)?;
    delete_rows(transaction, "task_triggers", task)?;
    withdraw(transaction, task, "")?;
    transaction.execute("update tasks set delete_time = $1 where uuid = $2", values![now, task])?;
    let sql = "select template_uuid from tasks where uuid = $1";
    if let Some(template) = transaction.find(sql, values![task], |row| row.get(0))? {
        templates::delete_unused(transaction, template)?;
    }
    Ok(true)
}

/// Notes that a task changed; false: no such task.
pub fn touch(transaction: &Transaction<'_>, task: TaskId, now: Timestamp) -> Result<bool, StoreError> {
    let touched = transaction.execute(
        "update tasks set version = version + 1, update_time = $1 where uuid = $2 and delete_time is null",
        values![now, task],
    )?;
    Ok(touched == 1)
}

/// Marks runs that have not begun as no longer wanted, where `condition` holds.
fn withdraw(transaction: &Transaction<'_>, task: TaskId, condition: &str) -> Result<(), StoreError> {
    let mut which = format!("task_uuid = $1 and status = 1 {condition}");
    if let Transaction::Postgres(_) = transaction {
        // In one order with those who report of several runs.
        which = format!(
            "uuid = any(array(select uuid from task_runs where {which} order by uuid for no key update))"
        );
    }
    let sql = format!("update task_runs set withdrawn = 1 where {which}");
    transaction.execute(&sql, values![task]).map(drop)
}

fn insert_triggers(
    transaction: &Transaction<'_>,
    task: TaskId,
    triggers: &[Trigger],
) -> Result<(), StoreError> {
    for (position, trigger) in triggers.iter().enumerate() {
        transaction.execute(
            "insert into task_triggers (uuid, task_uuid, position, create_time, expire_time)
             values ($1, $2, $3, $4, $5)",
            values![trigger.id, task, position, trigger.create_time, trigger.expire_time],
        )?;
    }
    Ok(())
}

fn delete_rows(transaction: &Transaction<'_>, table: &str, task: TaskId) -> Result<(), StoreError> {
    transaction.execute(&format!("delete from {table} where task_uuid = $1"), values![task]).map(drop)
}

fn from_row(row: &Row<'_>) -> Result<Task, StoreError> {
    Ok(Task {
        id: row.get(0)?,
        display_name: row.get(1)?,
        description: row.get(2)?,
        action: row.get(3)?,
        asset_group: row.get(4)?,
        source: row.get(5)?,
        targets: Targets::default(),
        triggers: Vec::new(),
        create_time: row.get(6)?,
        update_time: row.get(7)?,
        version: row.get(8)?,
    })
}

/// Adds targets and triggers to a task that was read.
fn complete(transaction: &Transaction<'_>, mut task: Task) -> Result<Task, StoreError> {
    task.targets = targets::read(transaction, task.id)?;
    task.triggers = self::triggers(transaction, task.id)?;
    Ok(task)
}

/// The triggers of a task, in their order.
pub fn triggers(transaction: &Transaction<'_>, task: TaskId) -> Result<Vec<Trigger>, StoreError> {
    transaction.list(
        "select uuid, create_time, expire_time from task_triggers where task_uuid = $1 order by position",
        values![task],
        |row| Ok(Trigger { id: row.get(0)?, create_time: row.get(1)?, expire_time: row.get(2)? }),
    )
}
