//! Agentless detection as a public API has it: names, types and words are those of that API.

mod list_agentless_region;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    agentless::{Agentless, ListAgentlessRegionRequest, ListAgentlessRegionResponse},
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
}
