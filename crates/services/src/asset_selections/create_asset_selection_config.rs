//! `CreateAssetSelectionConfig`

use guardhouse_contract::{
    Call, Caller, Status,
    agentless::{
        CreateAssetSelectionConfigRequest, CreateAssetSelectionConfigResponse,
        create_asset_selection_config_response::Selection,
    },
};
use guardhouse_identity::Failure;
use guardhouse_model::Environment;
use guardhouse_store::{NewAgentlessSelection, SelectionAdded};

use super::{check_business_type, criteria, target_type};
use crate::{Context, fields::Checks};

/// How many keys are tried. Even two would hardly be needed.
const TRIES: usize = 8;

/// Keys have 15 digits at most: clients for JavaScript make an object of a longer number.
const KEY_BITS: u32 = 49;

/// Makes a selection for a business type.
pub async fn run(
    context: &Context,
    call: &Call,
    request: CreateAssetSelectionConfigRequest,
) -> Result<CreateAssetSelectionConfigResponse, Status> {
    let Caller::Account(account) = &call.caller else { return Err(Status::internal("no account")) };
    let mut checks = Checks::default();
    check_business_type(&mut checks, "BusinessType", &request.business_type);
    let has_all = match request.target_type.as_str() {
        "all_instance" => true,
        "instance" => false,
        other => {
            let why = match other {
                "group" | "vpc" => "cannot be selected by: assets are in no group and no VPC here; use ",
                _ => "is not known; use ",
            };
            checks.fail("TargetType", format!("{other:?} {why}all_instance or instance"));
            false
        }
    };
    let platform = criteria::platform(&mut checks, "Platform", &request.platform);
    checks.token("ClientToken", &request.client_token);
    checks.finish()?;

    let environment = &context.environment;
    let new = NewAgentlessSelection {
        key: 0,
        business_type: request.business_type.clone(),
        has_all,
        platform,
        account: account.uuid,
        client_token: request.client_token,
        create_time: environment.now(),
    };
    let selection_key = if request.dry_run { 0 } else { add(context, new).await? };
    let selection = Selection {
        business_type: request.business_type,
        platform: request.platform,
        selection_key,
        target_type: target_type(has_all).to_owned(),
    };
    Ok(CreateAssetSelectionConfigResponse { request_id: String::new(), data: Some(selection) })
}

async fn add(context: &Context, new: NewAgentlessSelection) -> Result<i64, Status> {
    for _ in 0..TRIES {
        let key = random_key(&context.environment);
        let added = context.store.agentless_selection_add(NewAgentlessSelection { key, ..new.clone() }).await;
        match added.map_err(Failure::from)? {
            SelectionAdded::Added => return Ok(key),
            SelectionAdded::Repeated(before) => return Ok(before),
            SelectionAdded::KeyTaken => {}
        }
    }
    Err(Status::internal("every key that was tried is taken"))
}

fn random_key(environment: &Environment) -> i64 {
    let key = u64::from_be_bytes(environment.random()) >> (u64::BITS - KEY_BITS);
    i64::try_from(key).unwrap_or(i64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_15_digits_at_most() {
        let environment = Environment::system();
        for _ in 0..1_000 {
            let key = random_key(&environment);
            assert!((1..1_000_000_000_000_000).contains(&key), "{key}");
        }
    }
}
