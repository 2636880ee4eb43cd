//! Versions of the agent, as devices fetch them.

mod fetch;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    link::{AgentReleases, FetchReleaseRequest, FetchReleaseResponse},
};

use crate::Context;

/// Implements the service `AgentReleases`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl AgentReleases for Service {
    async fn fetch(
        &self,
        _call: &Call,
        request: FetchReleaseRequest,
    ) -> Result<FetchReleaseResponse, Status> {
        fetch::run(&self.0, request).await
    }
}
