//! `HandleSimilarMaliciousFiles`

use guardhouse_contract::{
    Status,
    agentless::{HandleSimilarMaliciousFilesRequest, HandleSimilarMaliciousFilesResponse},
};
use guardhouse_identity::Failure;

use super::words;
use crate::{Context, fields::Checks, findings};

/// Does something about a malicious file and all that are like it.
pub async fn run(
    context: &Context,
    request: HandleSimilarMaliciousFilesRequest,
) -> Result<HandleSimilarMaliciousFilesResponse, Status> {
    let mut checks = Checks::default();
    let operation = words::operation(&mut checks, &request.operation);
    let likeness = words::scenario(&mut checks, &request.scenario);
    let target_types = findings::scan_range(&mut checks, request.scan_range.split(','));
    checks.finish()?;
    let mut data = 0;
    if let Some(operation) = operation {
        let (id, now) = (request.event_id, context.environment.now());
        let handled = context
            .store
            .agentless_malicious_files_handle_like(id, likeness, target_types, operation, now)
            .await
            .map_err(Failure::from)?;
        let handled = handled.ok_or_else(|| super::unknown_file("EventId", &[id]))?;
        data = i64::try_from(handled).unwrap_or(i64::MAX);
    }
    Ok(HandleSimilarMaliciousFilesResponse { request_id: String::new(), data })
}
