//! `POST /guardhouse/v1/agentless-tasks`

use guardhouse_contract::{
    Call, Caller, Code, Status,
    scans::{CreateAgentlessTaskRequest, CreateAgentlessTaskResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::{AgentlessTaskAdded, NewAgentlessTask};
use prost::Message as _;
use uuid::Uuid;

use crate::{
    Context,
    agentless_tasks::{devices, options, render, selection},
    fields::Checks,
};

/// Longest client token, in characters.
const LONGEST_TOKEN: usize = 64;

/// Starts a scan.
pub async fn run(
    context: &Context,
    call: &Call,
    request: CreateAgentlessTaskRequest,
) -> Result<CreateAgentlessTaskResponse, Status> {
    let selected = request.selection.ok_or_else(|| Status::invalid_field("selection", "is missing"))?;
    let scan_options = request.options.unwrap_or_default();
    let mut checks = Checks::default();
    if !request.display_name.is_empty() {
        checks.name("displayName", &request.display_name);
    }
    selection::check(&mut checks, "selection", &selected);
    options::check(&mut checks, "options", &scan_options);
    let token = &request.client_token;
    if token.len() > LONGEST_TOKEN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        checks.fail("clientToken", format!("has to be at most {LONGEST_TOKEN} printable ASCII characters"));
    }
    checks.finish()?;

    let picked = selection::pick(&context.store, &selected).await?;
    let target_type = selection::judge(&picked, "selection")?;
    if devices::is_type(target_type) {
        devices::may_scan(context, call, "selection")?;
    }
    let now = context.environment.now();
    let Caller::Account(account) = &call.caller else {
        return Err(Status::internal("a scan is created by an account"));
    };
    let name = if request.display_name.is_empty() { render::name_of(now) } else { request.display_name };
    let (store, environment) = (&context.store, &context.environment);
    let mut targets = picked.subtasks(environment);
    let order = devices::prepare(store, environment, target_type, &scan_options, &mut targets).await?;
    let task = NewAgentlessTask {
        id: context.environment.uuid(),
        name,
        target_type,
        account: Some(account.uuid),
        schedule: None,
        client_token: request.client_token,
        options: scan_options.encode_to_vec(),
        start_time: now,
        targets,
        order,
    };
    let id = task.id;
    let targets = task.targets.clone();
    let added = if request.skip_running {
        context.store.agentless_task_add_idle(task).await
    } else {
        context.store.agentless_task_add(task).await
    };
    match added.map_err(Failure::from)? {
        AgentlessTaskAdded::Added => {
            let answer = answer(context, id).await;
            devices::wake(&context.dispatcher, &targets);
            answer
        }
        AgentlessTaskAdded::Repeated(earlier) => answer(context, earlier).await,
        AgentlessTaskAdded::Busy(assets) => Err(busy(&assets)),
    }
}

async fn answer(context: &Context, task: Uuid) -> Result<CreateAgentlessTaskResponse, Status> {
    let task = context.store.agentless_task_get(task).await.map_err(Failure::from)?;
    let task = task.ok_or_else(|| Status::internal("a task that was just made is gone"))?;
    Ok(CreateAgentlessTaskResponse { task: Some(render::task(task)?) })
}

fn busy(assets: &[String]) -> Status {
    let shown = assets.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if assets.len() > 3 { " and others" } else { "" };
    let message = format!("being scanned already: {shown}{more}; wait until they are, or set skipRunning");
    Status::new(Code::InvalidArgument, "TaskIsProcessing", message)
}
