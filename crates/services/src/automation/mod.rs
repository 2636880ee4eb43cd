//! Device tasks: create, list, get, delete, runs, targets, triggers.

mod actions;
pub mod create_task;
mod delete_task;
mod get_task;
mod list_task_runs;
mod list_tasks;
mod parts;
pub mod render;
mod update_task_targets;
mod update_task_triggers;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    automation::{
        CreateTaskRequest, CreateTaskResponse, DeleteTaskRequest, DeleteTaskResponse, DeviceTasks,
        GetTaskRequest, GetTaskResponse, ListTaskRunsRequest, ListTaskRunsResponse, ListTasksRequest,
        ListTasksResponse, UpdateTaskTargetsRequest, UpdateTaskTargetsResponse, UpdateTaskTriggersRequest,
        UpdateTaskTriggersResponse,
    },
};

use crate::Context;

/// Implements the service `DeviceTasks`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl DeviceTasks for Service {
    async fn list_tasks(&self, _: &Call, request: ListTasksRequest) -> Result<ListTasksResponse, Status> {
        list_tasks::run(&self.0, request).await
    }

    async fn create_task(
        &self,
        call: &Call,
        request: CreateTaskRequest,
    ) -> Result<CreateTaskResponse, Status> {
        create_task::run(&self.0, call, request).await
    }

    async fn get_task(&self, _: &Call, request: GetTaskRequest) -> Result<GetTaskResponse, Status> {
        get_task::run(&self.0, request).await
    }

    async fn delete_task(&self, _: &Call, request: DeleteTaskRequest) -> Result<DeleteTaskResponse, Status> {
        delete_task::run(&self.0, request).await
    }

    async fn list_task_runs(
        &self,
        _: &Call,
        request: ListTaskRunsRequest,
    ) -> Result<ListTaskRunsResponse, Status> {
        list_task_runs::run(&self.0, request).await
    }

    async fn update_task_targets(
        &self,
        call: &Call,
        request: UpdateTaskTargetsRequest,
    ) -> Result<UpdateTaskTargetsResponse, Status> {
        update_task_targets::run(&self.0, call, request).await
    }

    async fn update_task_triggers(
        &self,
        call: &Call,
        request: UpdateTaskTriggersRequest,
    ) -> Result<UpdateTaskTriggersResponse, Status> {
        update_task_triggers::run(&self.0, call, request).await
    }
}
