//! The proof that an isolated device still reaches its server.

use std::{collections::BTreeMap, time::Duration};

use guardhouse_link::channel;
use http::{Uri, uri::PathAndQuery};
use tokio::time::{Instant, sleep, timeout};
use tonic::{Request, client::Grpc};
use tonic_prost::ProstCodec;

use crate::{
    causes::chain,
    identity::Identity,
    isolation::kept::{Isolation, Pin},
    outcome::Failure,
};

/// How long the server may take to be reached. One that is being started again is worth waiting for.
const LIMIT: Duration = Duration::from_secs(20);

/// The least that each server may take, where the policy names many.
const SHARE: Duration = Duration::from_secs(4);

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
    let servers: Vec<&Pin> = isolation.servers.iter().filter(|pin| !pin.addresses.is_empty()).collect();
    let share = (LIMIT / u32::try_from(servers.len()).unwrap_or(u32::MAX).max(1)).max(SHARE);
    let mut failures = BTreeMap::new();
    loop {
        for pin in &servers {
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                break;
            }
            match timeout(rest.min(share), answers(identity, pin)).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => drop(failures.insert(&pin.server, error)),
                Err(_) => drop(failures.entry(&pin.server).or_insert_with(|| "no answer".to_owned())),
            }
        }
        if Instant::now() + PAUSE >= deadline {
            break;
        }
        sleep(PAUSE).await;
    }
    let failures: Vec<String> = failures.iter().map(|(server, error)| format!("{server}: {error}")).collect();
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
