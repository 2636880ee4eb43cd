//! `GET /v1/device_tasks`

use guardhouse_contract::{
    Status,
    automation::{ListTasksRequest, ListTasksResponse},
};

use crate::{Context, automation::render, page::Scan};
use guardhouse_identity::Failure;

/// Lists tasks in the order of their creation.
pub async fn run(context: &Context, request: ListTasksRequest) -> Result<ListTasksResponse, Status> {
    let page = context.pages.open(Scan::new("ListTasks"), request.page_size, &request.page_token)?;
    let after = page.after_id()?;
    let mut tasks = context.store.tasks_list(after, page.fetch()).await.map_err(Failure::from)?;
    let next_page_token = page.close(&mut tasks, |task| task.id.0.into_bytes().into());
    let tasks = tasks.into_iter().map(render::task).collect::<Result<_, _>>()?;
    Ok(ListTasksResponse { tasks, next_page_token })
}
