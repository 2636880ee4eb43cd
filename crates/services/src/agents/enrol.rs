//! `Enrolment.Enrol`

use guardhouse_contract::{
    Call, Code, Status,
    link::{EnrolRequest, EnrolResponse},
};
use guardhouse_dispatch::inventory;
use guardhouse_identity::enrolment::{Host, RedeemError};

use crate::Context;

/// Turns a host into a device. A pending placeholder with the name of the host is claimed; without one the
/// device is new.
pub async fn run(context: &Context, call: &Call, request: EnrolRequest) -> Result<EnrolResponse, Status> {
    let report = inventory::report(&[], request.inventory.unwrap_or_default())?;
    let host = Host {
        token: &request.token,
        signing_request: &request.signing_request,
        host_name: report.host_name,
        attributes: report.attributes,
        facts: report.facts,
        public_ip_address: call.peer.map_or_else(String::new, |peer| peer.to_string()),
    };
    let enrolled = context.enrolment.redeem(host).await.map_err(refusal)?;
    Ok(EnrolResponse {
        device_uuid: enrolled.device.to_string(),
        certificate: enrolled.certificate,
        authorities: context.trust.clone(),
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
