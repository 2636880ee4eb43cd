//! `GET /guardhouse/v1/agentless-tasks/{task_uuid}/subtasks`

use guardhouse_contract::{
    Status,
    scans::{ListAgentlessSubtasksRequest, ListAgentlessSubtasksResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::AgentlessSubtasksPage;
use prost::Message as _;
use uuid::Uuid;

use crate::{
    Context,
    agentless_tasks::{list_agentless_tasks::statuses, render, unknown},
    fields::{self, Checks},
    page::Scan,
};

/// Lists the subtasks of a task in their order.
pub async fn run(
    context: &Context,
    request: ListAgentlessSubtasksRequest,
) -> Result<ListAgentlessSubtasksResponse, Status> {
    let task: Uuid = fields::resource("taskUuid", &request.task_uuid)?;
    let mut checks = Checks::default();
    let statuses = statuses(&mut checks, &request.statuses);
    checks.finish()?;
    let asked = ListAgentlessSubtasksRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let scan = Scan::new("ListAgentlessSubtasks").with(asked.encode_to_vec());
    let page = context.pages.open(scan, request.page_size, &request.page_token)?;
    let after = page.after.as_deref().map(position).transpose()?;
    let wanted = AgentlessSubtasksPage { task, statuses, after, limit: page.fetch() };
    let found = context.store.agentless_subtasks_page(wanted).await.map_err(Failure::from)?;
    let mut subtasks = found.ok_or_else(|| unknown(task))?;
    let next_page_token = page.close(&mut subtasks, |(position, _)| position.to_be_bytes().into());
    let subtasks = subtasks.into_iter().map(|(_, subtask)| subtask).collect();
    let subtasks = render::subtasks(&context.store, subtasks).await?;
    Ok(ListAgentlessSubtasksResponse { subtasks, next_page_token })
}

fn position(key: &[u8]) -> Result<u32, Status> {
    let bytes = key.try_into().map_err(|_| Status::internal("a page token holds no position"))?;
    Ok(u32::from_be_bytes(bytes))
}
