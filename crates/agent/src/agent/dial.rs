//! Which address of the server the agent connects to.

use std::{sync::Arc, time::Duration};

use guardhouse_contract::link::Hello;
use http::Uri;
use rustls::ClientConfig;
use tokio::time::timeout;

use super::chain;
use crate::session::{Session, SessionError};

/// How long an address that a policy names may take until Welcome, before it counts as not reachable.
pub(super) const TRIAL: Duration = Duration::from_secs(10);

/// The most addresses that are tried for a policy: bounds how long its report waits.
const MOST_TRIALS: usize = 16;

/// Connects to the first address that answers.
///
/// # Errors
/// None answers: why the last one did not. Or one says that it does not manage this device; no other is asked then.
pub(super) async fn dial(
    addresses: Vec<Uri>,
    tls: Arc<ClientConfig>,
    hello: Hello,
) -> Result<Session, SessionError> {
    let mut failure = SessionError::Closed;
    let last = addresses.len().saturating_sub(1);
    for (place, server) in addresses.into_iter().enumerate() {
        match Session::open(server.clone(), Arc::clone(&tls), hello.clone()).await {
            Ok(session) => return Ok(session),
            Err(error) if error.is_not_managed() => return Err(error),
            Err(error) => {
                if place != last {
                    tracing::warn!(%server, error = %chain(&error), "no link; trying the next address");
                }
                failure = error;
            }
        }
    }
    Err(failure)
}

/// Connects to the first address of a policy that answers, while another link may stand. The server itself answers, not
/// only its port: that is the proof that the address does not cut the device off. The answered link takes the place of
/// the standing one.
///
/// # Errors
/// None answers: why, for people.
pub(super) async fn try_out(
    addresses: Vec<Uri>,
    tls: Arc<ClientConfig>,
    hello: Hello,
) -> Result<Session, String> {
    let mut failures = Vec::new();
    for server in addresses.into_iter().take(MOST_TRIALS) {
        let opened = timeout(TRIAL, Session::open(server.clone(), Arc::clone(&tls), hello.clone())).await;
        match opened {
            Ok(Ok(session)) => return Ok(session),
            Ok(Err(error)) => failures.push(format!("{server}: {}", chain(&error))),
            Err(_) => failures.push(format!("{server}: no answer within {} seconds", TRIAL.as_secs())),
        }
    }
    Err(format!(
        "none of the addresses leads to the server; the earlier ones stay in use: {}",
        failures.join("; ")
    ))
}
