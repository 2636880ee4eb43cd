//! What tasks with the same name, description and action share.

use guardhouse_model::TemplateId;

use crate::{
    NewTask, StoreError,
    engine::{Transaction, values},
};

/// The template of a task, found by its digest or made. It stays until this transaction ends.
pub fn find_or_make(
    transaction: &Transaction<'_>,
    task: &NewTask,
    new_template: TemplateId,
) -> Result<TemplateId, StoreError> {
    let template = transaction.find(
        "insert into task_templates (uuid, digest, display_name, description, action)
         values ($1, $2, $3, $4, $5) on conflict (digest) do update set digest = excluded.digest
         returning uuid",
        values![new_template, &task.template_digest, &task.display_name, &task.description, &task.action,],
        |row| row.get(0),
    )?;
    template.ok_or_else(|| StoreError::Inconsistent("an insert answered no template".to_owned()))
}

/// Deletes a template that no live task shares and no open run needs for its action.
pub fn delete_unused(transaction: &Transaction<'_>, template: TemplateId) -> Result<(), StoreError> {
    // Whoever is about to share it is waited for, before the look.
    let sql = transaction.locking("select 1 from task_templates where uuid = $1", "for update");
    transaction.exists(&sql, values![template])?;
    transaction.execute(
        "delete from task_templates
         where uuid = $1
           and not exists (select 1 from tasks where template_uuid = $1 and delete_time is null)
           and not exists (select 1 from task_runs
               where task_uuid in (select uuid from tasks where template_uuid = $1) and status in (1, 2))",
        values![template],
    )?;
    Ok(())
}
