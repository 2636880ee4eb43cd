//! `Enrolment.Retire`

use guardhouse_contract::{
    Call, Caller, Code, Status,
    automation::Action,
    link::{RetireRequest, RetireResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::{self as model, DeviceId, RunId, tasks::RunStatus};
use prost::Message as _;

use crate::{Context, fields};

/// Ends the management of the calling device, after its run of StopManaging has ended well. Called again, it answers the
/// same: all that the revoked key is still good for.
///
/// # Errors
/// 400: the run is none of StopManaging of this device, or did not end well.
pub async fn run(context: &Context, call: &Call, request: RetireRequest) -> Result<RetireResponse, Status> {
    let Caller::Device(device) = call.caller else {
        return Err(Status::new(
            Code::PermissionDenied,
            "DEVICE_ONLY",
            "only a device leaves the management",
        ));
    };
    let (device, run) = (DeviceId(device), fields::resource::<RunId>("runUuid", &request.run_uuid)?);
    let found = context.store.task_run_get(run).await.map_err(Failure::from)?;
    let found = found.filter(|(of, _, _)| *of == device);
    let (_, status, action) =
        found.ok_or_else(|| Status::invalid_field("runUuid", "names no run of this device"))?;
    let action = Action::decode(action.as_slice()).map_err(Status::internal)?;
    if model::Action::named(&action.name) != Some(model::Action::StopManaging) {
        let wrong = format!("names a run of {}; only StopManaging ends the management", action.name);
        return Err(Status::invalid_field("runUuid", wrong));
    }
    if status != RunStatus::Finished as i32 {
        let wrong = "names a run that has not ended well; report its end before this";
        return Err(Status::invalid_field("runUuid", wrong));
    }
    let now = context.environment.now();
    if context.store.device_retire(device, run, now).await.map_err(Failure::from)? {
        context.dispatcher.dismiss(&[device]);
        tracing::info!(%device, %run, "device left the management");
    }
    Ok(RetireResponse {})
}
