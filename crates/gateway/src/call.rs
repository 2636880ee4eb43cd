//! The one way of every unary call, whatever its face: authenticate, limit, run.
//!
//! REST and gRPC only translate; neither reaches a service but through here.

use std::{net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use guardhouse_contract::{Account, Call, Caller, Code, Status, options::Access};
use guardhouse_model::Environment;
use http::{HeaderMap, header};
use tokio::{
    task::{JoinError, JoinHandle},
    time,
};
use uuid::Uuid;

use crate::{
    authenticate::{Authenticator, entitle},
    limits::{Limit, caller_address},
    origin::Origin,
    registry::Unary,
};

/// No call runs longer. The public API answers 504 after this time.
pub const TIME_LIMIT: Duration = Duration::from_secs(120);

/// What a call ends with: the encoded response, or why there is none.
pub type Answer = Result<Bytes, Status>;

/// Lets calls in and starts them.
#[derive(Debug)]
pub struct Calls {
    environment: Environment,
    authenticator: Authenticator,
    accounts: Limit<(Uuid, IpAddr)>,
    anonymous: Arc<Limit<IpAddr>>,
}

impl Calls {
    /// Calls of accounts are counted per account and address, calls of nobody known per address.
    pub fn new(
        environment: Environment,
        authenticator: Authenticator,
        accounts: Limit<(Uuid, IpAddr)>,
        anonymous: Arc<Limit<IpAddr>>,
    ) -> Self {
        Self { environment, authenticator, accounts, anonymous }
    }

    /// Finds out who calls a method with `access`, and whether that is allowed now.
    ///
    /// # Errors
    /// The caller is not known, not entitled, or calls too often.
    pub async fn admit(
        &self,
        access: Access,
        request_id: Uuid,
        origin: &Origin,
        headers: &HeaderMap,
    ) -> Result<Call, Status> {
        let caller = self.authenticator.authenticate(access, origin, headers).await?;
        self.count(caller, request_id, origin, headers)
    }

    /// As [`Calls::admit`], where it is known already which account calls.
    ///
    /// # Errors
    /// The account is not entitled, or calls too often.
    pub fn admit_account(
        &self,
        account: Account,
        access: Access,
        request_id: Uuid,
        origin: &Origin,
        headers: &HeaderMap,
    ) -> Result<Call, Status> {
        entitle(&account, access, "the caller is known")?;
        self.count(Caller::Account(account), request_id, origin, headers)
    }

    fn count(
        &self,
        caller: Caller,
        request_id: Uuid,
        origin: &Origin,
        headers: &HeaderMap,
    ) -> Result<Call, Status> {
        let (address, now) = (caller_address(origin.address), self.environment.now());
        match &caller {
            // A worker says what it does once a second, for all its scans together, and hands in reports in parts.
            Caller::Account(Account { access: guardhouse_contract::Access::Worker, .. }) => {}
            Caller::Account(account) => self.accounts.take((account.uuid, address), now)?,
            Caller::Anonymous => self.anonymous.take(address, now)?,
            // A device is held back by the server itself: it gets as much work as it acknowledges.
            Caller::Device(_) => {}
        }
        let user_agent =
            headers.get(header::USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let user_agent = user_agent.unwrap_or_default().into_owned();
        let (peer, base) = (Some(origin.address), origin.base.clone());
        Ok(Call { request_id, caller, peer, base, user_agent })
    }
}

/// A call that runs. It runs on when this is dropped: what a client began is finished, though it hung up.
#[derive(Debug)]
pub struct Running(JoinHandle<Answer>);

impl Running {
    /// Starts `unary` with an encoded request.
    pub fn start(unary: &Unary, call: Call, request: Bytes) -> Self {
        Self::spawn(unary.method.call(call, request))
    }

    /// Runs `call` as a task of its own, for [`TIME_LIMIT`] at most. A panic ends that task and nothing else.
    pub fn spawn(call: impl Future<Output = Answer> + Send + 'static) -> Self {
        Self(tokio::spawn(async {
            let limit = TIME_LIMIT.as_secs();
            time::timeout(TIME_LIMIT, call).await.unwrap_or_else(|_| {
                let message =
                    format!("the call took longer than {limit} s; send it again without response-id");
                Err(Status::new(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", message))
            })
        }))
    }

    /// Waits for the answer; must not be called again after it answered. May be dropped while it waits.
    pub async fn answer(&mut self) -> Answer {
        (&mut self.0).await.unwrap_or_else(|error| Err(Status::internal(describe(error))))
    }
}

/// What ended a task early, for the log.
fn describe(error: JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else { return "the call was cancelled".to_owned() };
    let message =
        panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    format!("the method panicked: {}", message.unwrap_or("without a message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_internal_error_and_its_text_stays_inside() {
        let mut running = Running::spawn(async { panic!("the {} is on fire", "store") });
        let status = running.answer().await.expect_err("a panic");
        assert_eq!(status.code(), Code::Internal);
        assert!(!status.message().contains("fire"), "{status}");
        assert_eq!(status.cause(), Some("the method panicked: the store is on fire"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_outlives_its_client_but_not_its_time() {
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let running = Running::spawn(async move {
            let _end = end;
            time::sleep(Duration::from_secs(100)).await;
            std::future::pending().await
        });
        drop(running);
        let begun = time::Instant::now();
        ended.await.expect_err("the call was stopped");
        assert_eq!(begun.elapsed().as_secs(), TIME_LIMIT.as_secs());
    }
}
