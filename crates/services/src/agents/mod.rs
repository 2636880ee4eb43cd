//! What agents call: enrolment, certificate renewal, the link.

mod admit;
mod connect;
mod enrol;
mod machine;
mod renew;
mod retire;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    link::{
        EnrolRequest, EnrolResponse, Enrolment, RenewRequest, RenewResponse, RetireRequest, RetireResponse,
    },
};

use crate::Context;

pub use connect::AgentLinkService;
use machine::machine;

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

    async fn retire(&self, call: &Call, request: RetireRequest) -> Result<RetireResponse, Status> {
        retire::run(&self.0, call, request).await
    }
}
