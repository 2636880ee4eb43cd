//! `POST /v1/device_tasks`

use aws_lc_rs::digest;
use guardhouse_contract::{
    Call, Status,
    automation::{Action, CreateTaskRequest, CreateTaskResponse, DeviceTask, DeviceTaskSource},
};
use guardhouse_identity::Failure;
use guardhouse_model::{GroupId, TaskId};
use guardhouse_store::{NewTask, Targets};
use prost::Message as _;

use crate::{
    Context,
    automation::{actions, parts, render},
    fields::Checks,
    rights,
};

/// Creates a task and brings it to the devices that are connected.
///
/// Every call makes a new task; tasks with the same name, description and action share a template inside.
///
/// # Errors
/// 400 names what is wrong with the task; 403: the account may not use the action.
pub async fn run(
    context: &Context,
    call: &Call,
    request: CreateTaskRequest,
) -> Result<CreateTaskResponse, Status> {
    let asked = request.task.ok_or_else(|| Status::invalid_field("task", "is missing"))?;
    let action = asked.action.as_ref().map(|action| action.name.clone()).unwrap_or_default();
    let task = check(context, asked)?;
    rights::may_use(call, &action)?;
    Ok(CreateTaskResponse { task: Some(keep(context, task, "task.targets").await?) })
}

/// Keeps a new task and brings it to the devices that are connected; `field` says where its targets were.
pub async fn keep(context: &Context, task: NewTask, field: &str) -> Result<DeviceTask, Status> {
    let (id, targets) = (task.id, task.targets.clone());
    let template = context.environment.uuid().into();
    let change = context.store.task_create(task, template).await.map_err(Failure::from)?;
    parts::changed(change, id, field)?;
    // Read before the devices wake: they all look at the store then.
    let kept = context.store.task_get(id).await.map_err(Failure::from)?;
    wake(context, &targets);
    let kept = kept.ok_or_else(|| Status::not_found(format!("device task {id}")))?;
    render::task(kept)
}

/// Tells the connected devices among the targets to look for work.
pub fn wake(context: &Context, targets: &Targets) {
    if targets.groups.is_empty() {
        context.dispatcher.wake(&targets.devices);
    } else {
        context.dispatcher.wake_all();
    }
}

fn check(context: &Context, asked: DeviceTask) -> Result<NewTask, Status> {
    let mut checks = Checks::default();
    checks.description("task.description", &asked.description);
    let action = actions::canonical(&asked.action.unwrap_or_default()).unwrap_or_else(|violation| {
        checks.fail(violation.field, violation.description);
        Action::default()
    });
    // Public clients leave the name out; a list of nameless tasks helps nobody.
    let display_name = if asked.display_name.is_empty() { action.name.clone() } else { asked.display_name };
    if !display_name.is_empty() {
        checks.name("task.displayName", &display_name);
    }
    let action = action.encode_to_vec();
    let targets = parts::targets(&mut checks, "task.targets", asked.targets.as_ref());
    let triggers = parts::triggers(&mut checks, "task.triggers", &asked.triggers, &context.environment);
    if !asked.asset_group_uuid.is_empty() {
        checks.id::<GroupId>("task.assetGroupUuid", &asked.asset_group_uuid);
    }
    if DeviceTaskSource::try_from(asked.source).is_err() {
        checks.fail("task.source", "is not a known source");
    }
    checks.finish()?;

    Ok(NewTask {
        id: TaskId(context.environment.uuid()),
        template_digest: template_digest(&display_name, &asked.description, &action),
        display_name,
        description: asked.description,
        action,
        asset_group: asked.asset_group_uuid,
        source: asked.source,
        targets,
        triggers,
        now: context.environment.now(),
    })
}

/// What makes two tasks share a template. Lengths come first, so that no two triples read the same.
pub fn template_digest(display_name: &str, description: &str, action: &[u8]) -> [u8; 32] {
    let mut digest = digest::Context::new(&digest::SHA256);
    for part in [display_name.as_bytes(), description.as_bytes(), action] {
        digest.update(&(part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    digest.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
}
