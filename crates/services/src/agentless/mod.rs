//! Agentless detection as a public API has it: names, types and words are those of that API.

mod create_agentless_scan_task;
mod get_agentless_task_used_size_estimate;
mod ids;
mod list_agentless_asset;
mod list_agentless_region;
mod list_agentless_task;
pub mod projects;
mod retry_agentless_task;
pub mod targets;
mod task_rows;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    agentless::{
        Agentless, CreateAgentlessScanTaskRequest, CreateAgentlessScanTaskResponse,
        GetAgentlessTaskUsedSizeEstimateRequest, GetAgentlessTaskUsedSizeEstimateResponse,
        ListAgentlessAssetRequest, ListAgentlessAssetResponse, ListAgentlessRegionRequest,
        ListAgentlessRegionResponse, ListAgentlessTaskRequest, ListAgentlessTaskResponse,
        RetryAgentlessTaskRequest, RetryAgentlessTaskResponse,
    },
};

use crate::Context;

/// Implements the service `Agentless`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl Agentless for Service {
    async fn list_agentless_region(
        &self,
        _: &Call,
        _: ListAgentlessRegionRequest,
    ) -> Result<ListAgentlessRegionResponse, Status> {
        Ok(list_agentless_region::run(&self.0.region))
    }

    async fn create_agentless_scan_task(
        &self,
        call: &Call,
        request: CreateAgentlessScanTaskRequest,
    ) -> Result<CreateAgentlessScanTaskResponse, Status> {
        create_agentless_scan_task::run(&self.0, call, request).await
    }

    async fn list_agentless_task(
        &self,
        call: &Call,
        request: ListAgentlessTaskRequest,
    ) -> Result<ListAgentlessTaskResponse, Status> {
        list_agentless_task::run(&self.0, call, request).await
    }

    async fn retry_agentless_task(
        &self,
        _: &Call,
        request: RetryAgentlessTaskRequest,
    ) -> Result<RetryAgentlessTaskResponse, Status> {
        retry_agentless_task::run(&self.0, request).await
    }

    async fn list_agentless_asset(
        &self,
        _: &Call,
        request: ListAgentlessAssetRequest,
    ) -> Result<ListAgentlessAssetResponse, Status> {
        list_agentless_asset::run(&self.0, request).await
    }

    async fn get_agentless_task_used_size_estimate(
        &self,
        _: &Call,
        request: GetAgentlessTaskUsedSizeEstimateRequest,
    ) -> Result<GetAgentlessTaskUsedSizeEstimateResponse, Status> {
        get_agentless_task_used_size_estimate::run(&self.0, request).await
    }
}

/// An asset is in a task that is not over: clients know that by this code and the beginning of this text.
fn processing(more: &str) -> Status {
    Status::failed_precondition("TaskIsProcessing", format!("Task Is Processing. {more}"))
}

#[cfg(test)]
mod count_tests;
