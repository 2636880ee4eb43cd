//! `UpdateSelectionKeyByType`

use guardhouse_contract::{
    Status,
    agentless::{UpdateSelectionKeyByTypeRequest, UpdateSelectionKeyByTypeResponse},
};
use guardhouse_identity::Failure;

use super::{check_business_type, key, no_such_key};
use crate::{Context, fields::Checks};

/// Makes a selection that of a business type.
pub async fn run(
    context: &Context,
    request: UpdateSelectionKeyByTypeRequest,
) -> Result<UpdateSelectionKeyByTypeResponse, Status> {
    let mut checks = Checks::default();
    check_business_type(&mut checks, "BusinessType", &request.business_type);
    let key = key(&mut checks, &request.selection_key);
    checks.finish()?;
    let is_there = if request.dry_run {
        context.store.agentless_selection_get(key).await.map_err(Failure::from)?.is_some()
    } else {
        context.store.agentless_selection_use(request.business_type, key).await.map_err(Failure::from)?
    };
    if is_there { Ok(UpdateSelectionKeyByTypeResponse::default()) } else { Err(no_such_key()) }
}
