//! `AddAssetSelectionCriteria`

use std::collections::BTreeSet;

use guardhouse_contract::{
    Status,
    agentless::{
        AddAssetSelectionCriteriaRequest, AddAssetSelectionCriteriaResponse,
        add_asset_selection_criteria_request::TargetOperation,
    },
};
use guardhouse_identity::Failure;
use guardhouse_store::{AgentlessAssetFilter, PageNumber, SelectionChanged, Store};

use super::{criteria, key, no_such_key};
use crate::{Context, agentless_tasks::devices, fields::Checks};

/// What becomes of assets.
#[derive(Debug, Default)]
struct Changes {
    add: BTreeSet<String>,
    remove: BTreeSet<String>,
}

/// Takes assets into a selection, and out of it.
pub async fn run(
    context: &Context,
    request: AddAssetSelectionCriteriaRequest,
) -> Result<AddAssetSelectionCriteriaResponse, Status> {
    let mut checks = Checks::default();
    let key = key(&mut checks, &request.selection_key);
    let filter = criteria::read(&mut checks, &request.criteria);
    let default = if request.criteria_operation.is_empty() { "add" } else { &request.criteria_operation };
    let takes_in = takes_in(&mut checks, "CriteriaOperation", default);
    let mut changes = single(&mut checks, request.target_operation_list);
    if request.criteria.is_empty() && changes.add.is_empty() && changes.remove.is_empty() {
        checks.fail("TargetOperationList", "is empty, and so is Criteria; say what is to be changed");
    }
    checks.finish()?;
    if let Some(filter) = filter {
        let fitting = fitting(context, filter).await?;
        if takes_in { &mut changes.add } else { &mut changes.remove }.extend(fitting);
    }
    if request.dry_run {
        let found = context.store.agentless_selection_get(key).await.map_err(Failure::from)?;
        return found.map(|_| AddAssetSelectionCriteriaResponse::default()).ok_or_else(no_such_key);
    }
    let now = context.environment.now();
    let changed = context.store.agentless_selection_change(key, changes.add, changes.remove, now).await;
    match changed.map_err(Failure::from)? {
        SelectionChanged::Changed => Ok(AddAssetSelectionCriteriaResponse::default()),
        SelectionChanged::NotFound => Err(no_such_key()),
        SelectionChanged::HasAll => Err(Status::invalid_field(
            "SelectionKey",
            "is of a selection that has all assets: nothing is added to it",
        )),
        SelectionChanged::Unknown(ids) => {
            let some = ids.iter().take(5).map(|id| format!("{id:?}")).collect::<Vec<_>>().join(", ");
            let why = format!("has {some}, which ListAgentlessAsset does not list");
            Err(Status::invalid_field("TargetOperationList", why))
        }
        SelectionChanged::TooMany => {
            let why = format!("has too many assets: a selection has {} at most", Store::MOST_SELECTED);
            Err(Status::invalid_field("TargetOperationList", why))
        }
    }
}

fn takes_in(checks: &mut Checks, field: &str, operation: &str) -> bool {
    if !["add", "del"].contains(&operation) {
        checks.fail(field, format!("is {operation:?}; add and del are known"));
    }
    operation == "add"
}

fn single(checks: &mut Checks, operations: Vec<TargetOperation>) -> Changes {
    let mut changes = Changes::default();
    for (place, TargetOperation { operation, target }) in operations.into_iter().enumerate() {
        let path = |field| format!("TargetOperationList[{place}].{field}");
        let is_in = takes_in(checks, &path("Operation"), &operation);
        if target.is_empty() || target.contains('\0') {
            checks.fail(path("Target"), "is missing; the instance id of an asset is needed");
        }
        let (to, from) = if is_in {
            (&mut changes.add, &mut changes.remove)
        } else {
            (&mut changes.remove, &mut changes.add)
        };
        let target = devices::canonical(target);
        // The last word counts.
        from.remove(&target);
        to.insert(target);
    }
    changes
}

/// The assets that fulfil conditions now.
async fn fitting(context: &Context, filter: AgentlessAssetFilter) -> Result<Vec<String>, Status> {
    let page = PageNumber { skip: 0, size: Store::MOST_SELECTED };
    let found = context.store.agentless_assets_page(filter, page).await.map_err(Failure::from)?;
    if found.total > Store::MOST_SELECTED as u64 {
        let why = format!(
            "is fulfilled by {} assets; a selection has {} at most",
            found.total,
            Store::MOST_SELECTED
        );
        return Err(Status::invalid_field("Criteria", why));
    }
    Ok(found.rows.into_iter().map(|asset| asset.instance_id).collect())
}
