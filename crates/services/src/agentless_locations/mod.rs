//! Locations of agentless scans: create, list, get, delete, look at; and the assets in them.

mod create_agentless_location;
mod delete_agentless_location;
mod get_agentless_location;
mod list_agentless_assets;
mod list_agentless_locations;
mod look;
mod look_at_agentless_location;
mod render;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    scans::{
        AgentlessLocations, CreateAgentlessLocationRequest, CreateAgentlessLocationResponse,
        DeleteAgentlessLocationRequest, DeleteAgentlessLocationResponse, GetAgentlessLocationRequest,
        GetAgentlessLocationResponse, ListAgentlessAssetsRequest, ListAgentlessAssetsResponse,
        ListAgentlessLocationsRequest, ListAgentlessLocationsResponse, LookAtAgentlessLocationRequest,
        LookAtAgentlessLocationResponse,
    },
};
use uuid::Uuid;

use crate::Context;

pub use look::Looking;

/// Implements the service `AgentlessLocations`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl AgentlessLocations for Service {
    async fn create_agentless_location(
        &self,
        _: &Call,
        request: CreateAgentlessLocationRequest,
    ) -> Result<CreateAgentlessLocationResponse, Status> {
        create_agentless_location::run(&self.0, request).await
    }

    async fn list_agentless_locations(
        &self,
        _: &Call,
        request: ListAgentlessLocationsRequest,
    ) -> Result<ListAgentlessLocationsResponse, Status> {
        list_agentless_locations::run(&self.0, request).await
    }

    async fn get_agentless_location(
        &self,
        _: &Call,
        request: GetAgentlessLocationRequest,
    ) -> Result<GetAgentlessLocationResponse, Status> {
        get_agentless_location::run(&self.0, request).await
    }

    async fn delete_agentless_location(
        &self,
        _: &Call,
        request: DeleteAgentlessLocationRequest,
    ) -> Result<DeleteAgentlessLocationResponse, Status> {
        delete_agentless_location::run(&self.0, request).await
    }

    async fn look_at_agentless_location(
        &self,
        _: &Call,
        request: LookAtAgentlessLocationRequest,
    ) -> Result<LookAtAgentlessLocationResponse, Status> {
        look_at_agentless_location::run(&self.0, request).await
    }

    async fn list_agentless_assets(
        &self,
        _: &Call,
        request: ListAgentlessAssetsRequest,
    ) -> Result<ListAgentlessAssetsResponse, Status> {
        list_agentless_assets::run(&self.0, request).await
    }
}

fn unknown(location: Uuid) -> Status {
    Status::not_found(format!("location {location}"))
}
