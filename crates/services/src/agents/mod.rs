//! What agents call: enrolment, certificate renewal, the link.

mod connect;
mod enrol;
mod renew;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Code, Status,
    link::{
        EnrolRequest, EnrolResponse, Enrolment, RenewRequest, RenewResponse, RetireRequest, RetireResponse,
    },
};

use crate::Context;

pub use connect::AgentLinkService;

/// Implements the service `Enrolment`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl Enrolment for Service {
    async fn enrol(&self, call: &Call, request: EnrolRequest) -> Result<EnrolResponse, Status> {
        enrol::run(&self.0, call, request).await
    }

    async fn renew(&self, call: &Call, request: RenewRequest) -> Result<RenewResponse, Status> {
        renew::run(&self.0, call, request).await
    }

    async fn retire(&self, _call: &Call, _request: RetireRequest) -> Result<RetireResponse, Status> {
        Err(Status::new(Code::Unimplemented, "NOT_IMPLEMENTED", "this server cannot retire devices yet"))
    }
}
