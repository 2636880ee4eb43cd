//! `Enrolment.Enrol`

use guardhouse_contract::{
    Call, Code, Status,
    link::{EnrolRequest, EnrolResponse},
};
use guardhouse_dispatch::inventory;
use guardhouse_identity::enrolment::{Host, RedeemError};

use super::machine;
use crate::Context;

/// Turns a host into a device. One that its machine was before is taken over, or a pending placeholder with the name of the
/// host is claimed; without either the device is new.
pub async fn run(context: &Context, call: &Call, request: EnrolRequest) -> Result<EnrolResponse, Status> {
    let report = inventory::report(&[], request.inventory.unwrap_or_default())?;
    let host = Host {
        token: &request.token,
        signing_request: &request.signing_request,
        host_name: report.host_name,
        attributes: report.attributes,
        facts: report.facts,
        machine: machine(request.machine.as_ref())?,
        public_ip_address: call.peer.map_or_else(String::new, |peer| peer.to_string()),
    };
    let enrolled = context.enrolment.redeem(host).await.map_err(refusal)?;
    // Whoever was connected as this device learns that it is another one's now.
    context.dispatcher.wake(&[enrolled.device]);
    Ok(EnrolResponse {
        device_uuid: enrolled.device.to_string(),
        certificate: enrolled.certificate,
        authorities: context.trust.clone(),
        release_key: context.release_key.clone(),
    })
}

fn refusal(error: RedeemError) -> Status {
    let text = error.to_string();
    let denied = |reason| Status::new(Code::PermissionDenied, reason, &text);
    match error {
        RedeemError::TokenText(_) => Status::invalid_field("token", text),
        RedeemError::SigningRequest(_) => Status::invalid_field("signingRequest", text),
        RedeemError::UnknownToken => denied("ENROLMENT_TOKEN_UNKNOWN"),
        RedeemError::Expired => denied("ENROLMENT_TOKEN_EXPIRED"),
        RedeemError::UsedUp => denied("ENROLMENT_TOKEN_USED_UP"),
        RedeemError::Failure(failure) => failure.into(),
    }
}
