//! Which address of the server the agent connects to.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use guardhouse_contract::link::Hello;
use http::Uri;
use rustls::ClientConfig;
use tokio::time::timeout;

use crate::causes::chain;
use crate::{
    isolation::pins,
    session::{Session, SessionError},
};

/// How long an address that a policy names may take until Welcome, before it counts as not reachable.
pub(super) const TRIAL: Duration = Duration::from_secs(10);

/// The most addresses that are tried for a policy: bounds how long its report waits.
const MOST_TRIALS: usize = 16;

/// Connects to the first address that answers; `folder` is the state folder.
///
/// # Errors
/// None answers: why the last one did not. Or one says that it does not manage this device; no other is asked then.
pub(super) async fn dial(
    folder: &Path,
    addresses: Vec<Uri>,
    tls: Arc<ClientConfig>,
    hello: Hello,
) -> Result<Session, SessionError> {
    let mut failure = SessionError::Closed;
    let last = addresses.len().saturating_sub(1);
    for (place, server) in addresses.into_iter().enumerate() {
        let route = pins::route(folder, &server);
        match Session::open(server.clone(), route, Arc::clone(&tls), hello.clone()).await {
            Ok(session) => return Ok(session),
            // The server has spoken: others of its addresses say the same.
            Err(error) if error.is_answer() => return Err(error),
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
    folder: PathBuf,
    addresses: Vec<Uri>,
    tls: Arc<ClientConfig>,
    hello: Hello,
) -> Result<Session, String> {
    let mut failures = Vec::new();
    if let Err(error) = pins::let_through(&folder, &addresses).await {
        tracing::error!(%error, "the servers of the policy cannot be let through");
    }
    for server in addresses.into_iter().take(MOST_TRIALS) {
        let route = pins::route(&folder, &server);
        let opening = Session::open(server.clone(), route, Arc::clone(&tls), hello.clone());
        let opened = timeout(TRIAL, opening).await;
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
