//! `AgentReleases.Fetch`

use guardhouse_contract::{
    Status,
    link::{FetchReleaseRequest, FetchReleaseResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::Store;

use crate::Context;

/// Answers what is left of the part of a program in which the offset lies: the store reads one part at a time. A version
/// that is gone is as one that ends there; the device gives it up.
pub async fn run(context: &Context, request: FetchReleaseRequest) -> Result<FetchReleaseResponse, Status> {
    let FetchReleaseRequest { version, platform, offset } = request;
    let part = Store::AGENT_RELEASE_PART as u64;
    let mut content = context
        .store
        .agent_release_part(platform, version, offset / part)
        .await
        .map_err(Failure::from)?
        .unwrap_or_default();
    let begin = usize::try_from(offset % part).unwrap_or(usize::MAX).min(content.len());
    Ok(FetchReleaseResponse { content: content.split_off(begin) })
}
