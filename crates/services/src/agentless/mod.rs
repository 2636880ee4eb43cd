//! Agentless detection as a public API has it: names, types and words are those of that API.

mod create_agentless_scan_task;
mod get_agentless_task_count;
mod get_agentless_task_count_batch;
mod get_agentless_task_used_size_estimate;
mod ids;
mod list_agentless_asset;
mod list_agentless_region;
mod list_agentless_risk_uuid;
mod list_agentless_task;
pub mod projects;
mod retry_agentless_task;
mod target_types;
pub mod targets;
mod task_rows;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    agentless::{
        Agentless, CreateAgentlessScanTaskRequest, CreateAgentlessScanTaskResponse,
        GetAgentlessTaskCountBatchRequest, GetAgentlessTaskCountBatchResponse, GetAgentlessTaskCountRequest,
        GetAgentlessTaskCountResponse, GetAgentlessTaskUsedSizeEstimateRequest,
        GetAgentlessTaskUsedSizeEstimateResponse, ListAgentlessAssetRequest, ListAgentlessAssetResponse,
        ListAgentlessRegionRequest, ListAgentlessRegionResponse, ListAgentlessRiskUuidRequest,
        ListAgentlessRiskUuidResponse, ListAgentlessTaskRequest, ListAgentlessTaskResponse,
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
        call: &Call,
        request: RetryAgentlessTaskRequest,
    ) -> Result<RetryAgentlessTaskResponse, Status> {
        retry_agentless_task::run(&self.0, call, request).await
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

    async fn get_agentless_task_count(
        &self,
        _: &Call,
        request: GetAgentlessTaskCountRequest,
    ) -> Result<GetAgentlessTaskCountResponse, Status> {
        get_agentless_task_count::run(&self.0.store, self.0.environment.now(), request).await
    }

    async fn get_agentless_task_count_batch(
        &self,
        _: &Call,
        request: GetAgentlessTaskCountBatchRequest,
    ) -> Result<GetAgentlessTaskCountBatchResponse, Status> {
        get_agentless_task_count_batch::run(&self.0.store, self.0.environment.now(), request).await
    }

    async fn list_agentless_risk_uuid(
        &self,
        _: &Call,
        request: ListAgentlessRiskUuidRequest,
    ) -> Result<ListAgentlessRiskUuidResponse, Status> {
        list_agentless_risk_uuid::run(&self.0.store, request).await
    }
}

/// An asset is in a task that is not over: clients know that by this code and the beginning of this text.
fn processing(more: &str) -> Status {
    Status::failed_precondition("TaskIsProcessing", format!("Task Is Processing. {more}"))
}

#[cfg(test)]
mod count_tests;
