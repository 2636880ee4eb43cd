//! Agentless detection as a public API has it: names, types and words are those of that API.

mod get_agentless_task_count;
mod get_agentless_task_count_batch;
mod list_agentless_region;
mod list_agentless_risk_uuid;
pub mod pages;
mod target_types;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    agentless::{
        Agentless, GetAgentlessTaskCountBatchRequest, GetAgentlessTaskCountBatchResponse,
        GetAgentlessTaskCountRequest, GetAgentlessTaskCountResponse, ListAgentlessRegionRequest,
        ListAgentlessRegionResponse, ListAgentlessRiskUuidRequest, ListAgentlessRiskUuidResponse,
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

#[cfg(test)]
mod count_tests;
