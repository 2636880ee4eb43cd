//! `ListAssetSelectionSelectedTarget`

use guardhouse_contract::{
    Status,
    agentless::{ListAssetSelectionSelectedTargetRequest, ListAssetSelectionSelectedTargetResponse},
};
use guardhouse_identity::Failure;

use super::{key, no_such_key, row};
use crate::{Context, fields::Checks};

/// How many assets may be asked about.
const MOST_TARGETS: usize = 1_000;

/// Answers which of some assets a selection has.
pub async fn run(
    context: &Context,
    request: ListAssetSelectionSelectedTargetRequest,
) -> Result<ListAssetSelectionSelectedTargetResponse, Status> {
    let mut checks = Checks::default();
    let key = key(&mut checks, &request.selection_key);
    let targets = request.target_list;
    if targets.is_empty() || targets.len() > MOST_TARGETS {
        let why = format!("names {} assets; 1 to {MOST_TARGETS} are needed", targets.len());
        checks.fail("TargetList", why);
    }
    checks.finish()?;
    let found = context.store.agentless_selection_contains(key, targets).await;
    let found = found.map_err(Failure::from)?.ok_or_else(no_such_key)?;
    let data = found.into_iter().map(row).collect();
    Ok(ListAssetSelectionSelectedTargetResponse { request_id: String::new(), data })
}
