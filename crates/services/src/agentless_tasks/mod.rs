//! Scans without an agent: create, list, get, follow, retry, cancel, delete, and their reports.

mod cancel_agentless_task;
mod create_agentless_task;
mod delete_agentless_task;
pub mod devices;
mod get_agentless_report_part;
mod get_agentless_subtask;
mod get_agentless_task;
mod list_agentless_subtasks;
mod list_agentless_tasks;
pub mod options;
pub mod render;
mod retry_agentless_task;
pub mod selection;
mod watch_agentless_task;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    scans::{
        AgentlessTasks, CancelAgentlessTaskRequest, CancelAgentlessTaskResponse, CreateAgentlessTaskRequest,
        CreateAgentlessTaskResponse, DeleteAgentlessTaskRequest, DeleteAgentlessTaskResponse,
        GetAgentlessReportPartRequest, GetAgentlessReportPartResponse, GetAgentlessSubtaskRequest,
        GetAgentlessSubtaskResponse, GetAgentlessTaskRequest, GetAgentlessTaskResponse,
        ListAgentlessSubtasksRequest, ListAgentlessSubtasksResponse, ListAgentlessTasksRequest,
        ListAgentlessTasksResponse, RetryAgentlessTaskRequest, RetryAgentlessTaskResponse,
        WatchAgentlessTaskRequest, WatchAgentlessTaskResponse,
    },
};
use uuid::Uuid;

use crate::Context;

/// Implements the service `AgentlessTasks`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl AgentlessTasks for Service {
    async fn create_agentless_task(
        &self,
        call: &Call,
        request: CreateAgentlessTaskRequest,
    ) -> Result<CreateAgentlessTaskResponse, Status> {
        create_agentless_task::run(&self.0, call, request).await
    }

    async fn list_agentless_tasks(
        &self,
        _: &Call,
        request: ListAgentlessTasksRequest,
    ) -> Result<ListAgentlessTasksResponse, Status> {
        list_agentless_tasks::run(&self.0, request).await
    }

    async fn get_agentless_task(
        &self,
        _: &Call,
        request: GetAgentlessTaskRequest,
    ) -> Result<GetAgentlessTaskResponse, Status> {
        get_agentless_task::run(&self.0, request).await
    }

    async fn watch_agentless_task(
        &self,
        _: &Call,
        request: WatchAgentlessTaskRequest,
    ) -> Result<WatchAgentlessTaskResponse, Status> {
        watch_agentless_task::run(&self.0, request).await
    }

    async fn list_agentless_subtasks(
        &self,
        _: &Call,
        request: ListAgentlessSubtasksRequest,
    ) -> Result<ListAgentlessSubtasksResponse, Status> {
        list_agentless_subtasks::run(&self.0, request).await
    }

    async fn get_agentless_subtask(
        &self,
        _: &Call,
        request: GetAgentlessSubtaskRequest,
    ) -> Result<GetAgentlessSubtaskResponse, Status> {
        get_agentless_subtask::run(&self.0, request).await
    }

    async fn retry_agentless_task(
        &self,
        call: &Call,
        request: RetryAgentlessTaskRequest,
    ) -> Result<RetryAgentlessTaskResponse, Status> {
        retry_agentless_task::run(&self.0, call, request).await
    }

    async fn cancel_agentless_task(
        &self,
        _: &Call,
        request: CancelAgentlessTaskRequest,
    ) -> Result<CancelAgentlessTaskResponse, Status> {
        cancel_agentless_task::run(&self.0, request).await
    }

    async fn delete_agentless_task(
        &self,
        _: &Call,
        request: DeleteAgentlessTaskRequest,
    ) -> Result<DeleteAgentlessTaskResponse, Status> {
        delete_agentless_task::run(&self.0, request).await
    }

    async fn get_agentless_report_part(
        &self,
        _: &Call,
        request: GetAgentlessReportPartRequest,
    ) -> Result<GetAgentlessReportPartResponse, Status> {
        get_agentless_report_part::run(&self.0, request).await
    }
}

fn unknown(task: Uuid) -> Status {
    Status::not_found(format!("agentless task {task}"))
}
