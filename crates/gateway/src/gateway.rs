//! Puts the port together.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use guardhouse_identity::{AccessKeys, Devices, ReportLinks, Tokens};
use guardhouse_model::{Environment, rate::Quota};
use guardhouse_store::Store;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tracing::info;

use crate::{
    accepted::Accepted,
    authenticate::Authenticator,
    call::Calls,
    documents::Documents,
    grpc::Grpc,
    limits::Limit,
    listener::{self, Shared},
    oauth::OAuth,
    port::Port,
    registry::Registry,
    reports::Reports,
    rest::Rest,
    rpc::Rpc,
};

/// How the port behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The address to listen on; port 0 lets the system choose one.
    pub listen: SocketAddr,
    /// Also serves plain HTTP, to this machine only. Allowed only where `listen` is a loopback address.
    pub insecure_http: bool,
    /// How often one account may call from one address; `None` is no limit. Default: 10 calls per second.
    pub account_rate: Option<Quota>,
    /// How often one address may ask for a token or enrol; `None` is no limit. Default: 10 calls per second.
    pub anonymous_rate: Option<Quota>,
    /// How long a REST client waits before it is answered 202. Zero: every call is first answered 202.
    /// Default: 30 s.
    pub answer_budget: Duration,
    /// How many REST calls may run at a time. Default: 10,000.
    pub max_calls: usize,
    /// How many connections may be open at a time. Default: 100,000.
    pub max_connections: usize,
}

impl Settings {
    /// The defaults, on `listen`.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        let ten_per_second = Quota { burst: 10, per: Duration::from_secs(1) };
        Self {
            listen,
            insecure_http: false,
            account_rate: Some(ten_per_second),
            anonymous_rate: Some(ten_per_second),
            answer_budget: Duration::from_secs(30),
            max_calls: 10_000,
            max_connections: 100_000,
        }
    }

    fn check(&self) -> Result<(), GatewayError> {
        if self.insecure_http && !self.listen.ip().to_canonical().is_loopback() {
            return Err(GatewayError::InsecureListen(self.listen));
        }
        Ok(())
    }
}

/// What stands behind the port.
#[derive(Debug)]
pub struct Parts {
    /// Time and randomness.
    pub environment: Environment,
    /// Keeps the answers of calls that outlive the answer budget, and reports.
    pub store: Store,
    /// The methods to serve.
    pub registry: Registry,
    /// Grants and verifies the tokens of accounts.
    pub tokens: Arc<Tokens>,
    /// Verifies requests that accounts have signed.
    pub access_keys: AccessKeys,
    /// Knows links to reports.
    pub report_links: ReportLinks,
    /// Knows devices by their certificates.
    pub devices: Devices,
    /// The certificate of the server, and whose client certificates it accepts.
    pub tls: Arc<ServerConfig>,
    /// Streaming services of the contract (the agent link). They find a [`guardhouse_contract::Call`], with
    /// the authenticated caller, in the extensions of each request. Reflection and health are added.
    pub streaming: Routes,
}

/// Why the port cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// Plain HTTP would be visible to the network.
    #[error(
        "plain HTTP is allowed on a loopback address only, and {0} is none: \
         listen on 127.0.0.1 or [::1], or leave --insecure-http out"
    )]
    InsecureListen(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// Two paths of the contract cannot be told apart.
    #[error("the paths of the contract contradict each other: {0}")]
    Paths(#[from] matchit::InsertError),
    /// The contract cannot be reflected.
    #[error("the contract cannot be reflected: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// The one port.
#[derive(Debug)]
pub struct Gateway;

impl Gateway {
    /// Opens the port. Connections are accepted as soon as [`Bound::run`] is called.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub async fn bind(settings: Settings, parts: Parts) -> Result<Bound, GatewayError> {
        settings.check()?;
        let address = settings.listen;
        let shared = shared(&settings, parts)?;
        let listen = |source| GatewayError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        Ok(Bound { listener, address, shared, max_connections: settings.max_connections })
    }
}

fn shared(settings: &Settings, parts: Parts) -> Result<Shared, GatewayError> {
    let Parts { environment, store, registry, tokens, access_keys, report_links, devices, tls, streaming } =
        parts;
    let anonymous = Arc::new(Limit::new(settings.anonymous_rate));
    let calls = Arc::new(Calls::new(
        environment.clone(),
        Authenticator::new(Arc::clone(&tokens), devices),
        Limit::new(settings.account_rate),
        Arc::clone(&anonymous),
    ));
    let reports = Reports::new(environment.clone(), store.clone(), report_links);
    let accepted = Accepted::new(settings.answer_budget, settings.max_calls, store, environment.clone());
    let registry = Arc::new(registry);
    let port = Port {
        environment: environment.clone(),
        rpc: Rpc::new(environment.clone(), &registry, Arc::clone(&calls), Arc::clone(&tokens), access_keys),
        rest: Rest::new(environment.clone(), &registry, Arc::clone(&calls), accepted)?,
        grpc: Grpc::new(registry, calls, streaming)?,
        oauth: OAuth::new(environment.clone(), tokens, anonymous),
        documents: Documents::new(),
        reports,
    };
    Ok(Shared { port, tls, insecure_http: settings.insecure_http, environment })
}

/// The open port.
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    shared: Shared,
    max_connections: usize,
}

impl Bound {
    /// The address that the port listens on.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` is ready, then lets running requests end, for [`crate::SHUTDOWN_LIMIT`] at
    /// most.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        info!(address = %self.address, insecure_http = self.shared.insecure_http, "listening");
        listener::run(self.listener, Arc::new(self.shared), self.max_connections, shutdown).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        for (address, allowed) in [
            ("127.0.0.1:8443", true),
            ("127.1.2.3:0", true),
            ("[::1]:8443", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("0.0.0.0:8443", false),
            ("[::]:8443", false),
            ("192.0.2.1:8443", false),
        ] {
            let mut settings = Settings::new(address.parse().expect("an address"));
            assert!(settings.check().is_ok(), "{address}: TLS is served anywhere");
            settings.insecure_http = true;
            assert_eq!(settings.check().is_ok(), allowed, "{address}");
        }
    }
}
