//! `Enrolment.Renew`

use guardhouse_contract::{
    Call, Caller, Code, Status,
    link::{RenewRequest, RenewResponse},
};
use guardhouse_identity::devices::RenewError;

use crate::Context;

/// Issues the next certificate of the calling device, for the key it enrolled with.
pub async fn run(context: &Context, call: &Call, request: RenewRequest) -> Result<RenewResponse, Status> {
    let Caller::Device(device) = call.caller else {
        return Err(Status::new(
            Code::PermissionDenied,
            "DEVICE_ONLY",
            "only a device renews its certificate",
        ));
    };
    let renewed = context.devices.renew(device.into(), &request.signing_request).await;
    let certificate = renewed.map_err(|error| match error {
        RenewError::SigningRequest(_) | RenewError::OtherKey => {
            Status::invalid_field("signingRequest", error.to_string())
        }
        RenewError::Failure(failure) => failure.into(),
    })?;
    Ok(RenewResponse {
        certificate,
        authorities: context.trust.clone(),
        release_key: context.release_key.clone(),
    })
}
