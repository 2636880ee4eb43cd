//! `ListAssetSelectionTarget`

use guardhouse_contract::{
    Status,
    agentless::{ListAssetSelectionTargetRequest, ListAssetSelectionTargetResponse},
};
use guardhouse_identity::Failure;

use super::{key, no_such_key, row};
use crate::{Context, fields::Checks, numbered_pages::Page};

/// Lists the assets of a selection that are there.
pub async fn run(
    context: &Context,
    request: ListAssetSelectionTargetRequest,
) -> Result<ListAssetSelectionTargetResponse, Status> {
    let mut checks = Checks::default();
    let key = key(&mut checks, &request.selection_key);
    let page = Page::read(&mut checks, Some(request.current_page), Some(request.page_size));
    checks.finish()?;
    let found = context.store.agentless_selection_assets(key, None, page.number()).await;
    let found = found.map_err(Failure::from)?.ok_or_else(no_such_key)?;
    let data = found.rows.into_iter().map(row).collect();
    let page_info = Some(page.info(found.total));
    Ok(ListAssetSelectionTargetResponse { request_id: String::new(), data, page_info })
}
