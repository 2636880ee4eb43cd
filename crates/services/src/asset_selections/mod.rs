//! Selections of assets as a public API has them: names, types and words are those of that API.

mod add_asset_selection_criteria;
mod create_asset_selection_config;
pub mod criteria;
mod get_asset_selection_config;
mod list_asset_selection_selected_target;
mod list_asset_selection_target;
mod update_selection_key_by_type;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    agentless::{
        AddAssetSelectionCriteriaRequest, AddAssetSelectionCriteriaResponse, AssetSelections,
        CreateAssetSelectionConfigRequest, CreateAssetSelectionConfigResponse,
        GetAssetSelectionConfigRequest, GetAssetSelectionConfigResponse,
        ListAssetSelectionSelectedTargetRequest, ListAssetSelectionSelectedTargetResponse,
        ListAssetSelectionTargetRequest, ListAssetSelectionTargetResponse, SelectedTarget,
        UpdateSelectionKeyByTypeRequest, UpdateSelectionKeyByTypeResponse,
    },
};
use guardhouse_identity::Failure;
use guardhouse_store::{AgentlessAsset, AgentlessSelection};

use crate::{Context, fields::Checks};

/// How business types begin: of those of other products nothing is known here.
const PREFIX: &str = "AGENTLESS_";

/// Longest business type, in characters.
const LONGEST_TYPE: usize = 110;

/// Implements the service `AssetSelections`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl AssetSelections for Service {
    async fn create_asset_selection_config(
        &self,
        call: &Call,
        request: CreateAssetSelectionConfigRequest,
    ) -> Result<CreateAssetSelectionConfigResponse, Status> {
        create_asset_selection_config::run(&self.0, call, request).await
    }

    async fn get_asset_selection_config(
        &self,
        _: &Call,
        request: GetAssetSelectionConfigRequest,
    ) -> Result<GetAssetSelectionConfigResponse, Status> {
        get_asset_selection_config::run(&self.0, request).await
    }

    async fn add_asset_selection_criteria(
        &self,
        _: &Call,
        request: AddAssetSelectionCriteriaRequest,
    ) -> Result<AddAssetSelectionCriteriaResponse, Status> {
        add_asset_selection_criteria::run(&self.0, request).await
    }

    async fn list_asset_selection_target(
        &self,
        _: &Call,
        request: ListAssetSelectionTargetRequest,
    ) -> Result<ListAssetSelectionTargetResponse, Status> {
        list_asset_selection_target::run(&self.0, request).await
    }

    async fn list_asset_selection_selected_target(
        &self,
        _: &Call,
        request: ListAssetSelectionSelectedTargetRequest,
    ) -> Result<ListAssetSelectionSelectedTargetResponse, Status> {
        list_asset_selection_selected_target::run(&self.0, request).await
    }

    async fn update_selection_key_by_type(
        &self,
        _: &Call,
        request: UpdateSelectionKeyByTypeRequest,
    ) -> Result<UpdateSelectionKeyByTypeResponse, Status> {
        update_selection_key_by_type::run(&self.0, request).await
    }
}

/// The selection of the business type that `field` names.
///
/// # Errors
/// There is none.
pub async fn find_selection(
    context: &Context,
    field: &str,
    business_type: &str,
) -> Result<AgentlessSelection, Status> {
    let mut checks = Checks::default();
    check_business_type(&mut checks, field, business_type);
    checks.finish()?;
    let found = context.store.agentless_selection_find(business_type.to_owned()).await;
    found.map_err(Failure::from)?.ok_or_else(|| {
        Status::invalid_field(field, "there is no such selection; CreateAssetSelectionConfig makes one")
    })
}

fn check_business_type(checks: &mut Checks, field: &str, text: &str) {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let fits = text.strip_prefix(PREFIX).is_some_and(|rest| !rest.is_empty());
    if !fits || text.len() > LONGEST_TYPE || !text.bytes().all(is_plain) {
        let why = "is no business type of agentless detection: AGENTLESS_ and up to 100 more letters, digits, hyphens \
                   and underscores are, as AGENTLESS_SCAN_ONCE_TASK_1";
        checks.fail(field, why);
    }
}

/// Reads the key of a selection. Keys are numbers that are texts in most places of that API.
fn key(checks: &mut Checks, text: &str) -> i64 {
    let read = text.parse().ok().filter(|key| *key > 0);
    if read.is_none() {
        checks.fail("SelectionKey", "is no key of a selection: a number like 123456 is");
    }
    read.unwrap_or(0)
}

/// There is no selection with that key.
fn no_such_key() -> Status {
    Status::invalid_field("SelectionKey", "there is no such selection; CreateAssetSelectionConfig makes one")
}

/// What a selection is called that has all assets, and one that has those that are taken into it.
fn target_type(has_all: bool) -> &'static str {
    if has_all { "all_instance" } else { "instance" }
}

fn row(asset: AgentlessAsset) -> SelectedTarget {
    SelectedTarget { target_id: asset.instance_id, target_name: asset.name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_good(check: impl FnOnce(&mut Checks)) -> bool {
        let mut checks = Checks::default();
        check(&mut checks);
        checks.finish().is_ok()
    }

    #[test]
    fn business_types_are_those_of_agentless_detection() {
        for (text, expected) in [
            ("AGENTLESS_SCAN_ONCE_TASK_1720145123456", true),
            ("AGENTLESS_MALICIOUS_WHITE_LIST_7", true),
            ("AGENTLESS_VUL_WHITE_LIST_a-b", true),
            ("AGENTLESS_", false),
            ("VIRUS_SCAN_ONCE_TASK", false),
            ("AGENTLESS_ä", false),
            ("", false),
        ] {
            assert_eq!(
                is_good(|checks| check_business_type(checks, "BusinessType", text)),
                expected,
                "{text}"
            );
        }
        let long = format!("AGENTLESS_{}", "A".repeat(101));
        assert!(!is_good(|checks| check_business_type(checks, "BusinessType", &long)));
    }

    #[test]
    fn keys_are_positive_numbers() {
        for (text, expected) in
            [("1", true), ("9007199254740991", true), ("0", false), ("-1", false), ("a", false)]
        {
            let read = |checks: &mut Checks| {
                key(checks, text);
            };
            assert_eq!(is_good(read), expected, "{text}");
        }
    }
}
