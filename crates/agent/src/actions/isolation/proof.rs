//! The proof that an isolated device still reaches its server.

use std::time::Duration;

use guardhouse_link::channel;
use http::{Uri, uri::PathAndQuery};
use tokio::time::{Instant, sleep, timeout};
use tonic::{Request, client::Grpc};
use tonic_prost::ProstCodec;

use super::Failure;
use crate::{
    agent::chain,
    identity::Identity,
    isolation::kept::{Isolation, Pin},
};

/// How long the server may take to be reached. One that is being started again is worth waiting for.
const LIMIT: Duration = Duration::from_secs(20);

/// How long is waited between two attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// A method that every server has, that changes nothing and that needs no message: what it answers does not matter.
const HEALTH: &str = "/grpc.health.v1.Health/Check";

/// Opens a connection of its own to a server, as this device, and gets an answer over it.
///
/// # Errors
/// No server answers in time.
pub(super) async fn reaches_server(identity: &Identity, isolation: &Isolation) -> Result<(), Failure> {
    let deadline = Instant::now() + LIMIT;
    let mut failures = Vec::new();
    loop {
        for pin in isolation.servers.iter().filter(|pin| !pin.addresses.is_empty()) {
            let attempt = timeout(deadline.saturating_duration_since(Instant::now()), answers(identity, pin));
            match attempt.await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => failures.push(format!("{}: {error}", pin.server)),
                Err(_) if failures.is_empty() => failures.push(format!("{}: no answer", pin.server)),
                Err(_) => {}
            }
        }
        if Instant::now() + PAUSE >= deadline {
            break;
        }
        failures.clear();
        sleep(PAUSE).await;
    }
    let reason = format!(
        "isolated, the device did not reach its server within {} seconds, so the isolation was taken back: {}",
        LIMIT.as_secs(),
        failures.join("; ")
    );
    Err(Failure::new("SERVER_UNREACHABLE", reason))
}

/// Whether one server answers; the failure is for people.
async fn answers(identity: &Identity, pin: &Pin) -> Result<(), String> {
    let server: Uri = pin.server.parse().map_err(|_| "not an address".to_owned())?;
    let tls = identity.tls().map_err(|error| error.to_string())?;
    let channel =
        channel::connect_to(&server, pin.addresses.clone(), tls).await.map_err(|error| chain(&error))?;
    let mut client = Grpc::new(channel);
    client.ready().await.map_err(|error| chain(&error))?;
    let codec = ProstCodec::<(), ()>::default();
    let answer = client.unary(Request::new(()), PathAndQuery::from_static(HEALTH), codec).await;
    answer.map(drop).map_err(|status| chain(&status))
}
