//! `GET /guardhouse/v1/devices/{deviceUuid}/effective-policy`

use guardhouse_contract::{
    Status,
    management::{GetEffectivePolicyRequest, GetEffectivePolicyResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::DeviceId;

use super::{library::Library, render};
use crate::{Context, fields::resource};

/// Answers what all policies of a device say together, and what the device has reported of it.
///
/// # Errors
/// 404: there is no such device.
pub async fn run(
    context: &Context,
    request: GetEffectivePolicyRequest,
) -> Result<GetEffectivePolicyResponse, Status> {
    let device: DeviceId = resource("deviceUuid", &request.device_uuid)?;
    let store = &context.store;
    if store.device_get(device).await.map_err(Failure::from)?.is_none() {
        return Err(Status::not_found("the device"));
    }
    let stack = store.policy_stacks(vec![device]).await.map_err(Failure::from)?.pop().unwrap_or_default();
    let mut library = Library::default();
    library.fetch(store, &stack).await?;
    let reported = store.device_policy_get(device).await.map_err(Failure::from)?;

    let effective = library.effective(&stack);
    let applied = reported.map(|reported| render::applied(&reported, &effective.generation)).transpose()?;
    Ok(GetEffectivePolicyResponse {
        effective_policy: Some(render::policy(device, &library, &stack, effective)?),
        applied_policy: applied,
    })
}
