//! What scans without an agent found.

mod list_agentless_findings;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    scans::{AgentlessFindings, ListAgentlessFindingsRequest, ListAgentlessFindingsResponse},
};

use crate::Context;

/// Implements the service `AgentlessFindings`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl AgentlessFindings for Service {
    async fn list_agentless_findings(
        &self,
        _: &Call,
        request: ListAgentlessFindingsRequest,
    ) -> Result<ListAgentlessFindingsResponse, Status> {
        list_agentless_findings::run(&self.0, request).await
    }
}
