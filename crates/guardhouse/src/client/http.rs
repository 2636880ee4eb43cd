//! Sends requests: TLS, time limits, and the answer to "too many calls".

use std::{
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use guardhouse_model::{
    Environment,
    rate::{Quota, Usage},
};
use reqwest::{Certificate, Method, Response, StatusCode, header, redirect};
use rustls::crypto::aws_lc_rs;

use crate::client::{Refusal, Server};

/// A server ends every call within 120 s; what takes longer than this is no server.
const TIME_LIMIT: Duration = Duration::from_secs(150);

/// How long a connection may take.
const CONNECT_TIME_LIMIT: Duration = Duration::from_secs(10);

/// Calls per second: below the ten that a server allows by default.
const PACE: Quota = Quota { burst: 8, per: Duration::from_secs(1) };

/// How often a request that came too early is sent again.
const MOST_REPEATS: u32 = 5;

/// The longest wait that a server may ask for; beyond it the user is told.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The way to one server.
#[derive(Debug)]
pub struct Http {
    client: reqwest::Client,
    server: Server,
    environment: Environment,
    usage: Mutex<Usage>,
}

/// A request that can be sent more than once.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The HTTP verb.
    pub verb: &'a Method,
    /// Path and query, percent-encoded.
    pub path_and_query: &'a str,
    /// Header names and values.
    pub headers: Vec<(&'static str, &'a str)>,
    /// The body, where there is one.
    pub body: Option<&'a [u8]>,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// Under which the answer of a call that still runs can be fetched.
    pub response_id: Option<String>,
    /// Under which the log of the server knows the request; empty when the answer does not say.
    pub request_id: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Http {
    /// Trusts the certificate authorities in `ca` (PEM), or those of this machine.
    ///
    /// # Errors
    /// `ca` cannot be read or holds no certificate, or this machine has no certificate authorities.
    pub fn new(server: Server, ca: Option<&Path>, environment: Environment) -> anyhow::Result<Self> {
        let mut builder = builder()
            .timeout(TIME_LIMIT)
            // The API redirects nowhere, and a token must not travel elsewhere.
            .redirect(redirect::Policy::none());
        if let Some(ca) = ca {
            builder = builder.tls_certs_only(authorities(ca)?);
        } else if server.is_plain() {
            builder = builder.tls_certs_only([]);
        }
        if server.is_plain() {
            // Plain HTTP stays on this machine.
            builder = builder.no_proxy();
        }
        let client =
            builder.build().context("cannot set up TLS; name the authority of the server with --ca")?;
        Ok(Self { client, server, environment, usage: Mutex::new(Usage::default()) })
    }

    /// Sends a request. One that the server refuses as too early is sent again when the server says so.
    ///
    /// # Errors
    /// The server cannot be reached, or is not the one that it should be.
    pub async fn send(&self, request: &Request<'_>) -> anyhow::Result<Answer> {
        let mut repeats = 0;
        loop {
            self.keep_pace().await;
            let response = self.send_once(request).await?;
            match wait(&response).filter(|_| repeats < MOST_REPEATS) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return read(response).await,
            }
            repeats += 1;
        }
    }

    async fn send_once(&self, request: &Request<'_>) -> anyhow::Result<Response> {
        let mut builder = self.client.request(request.verb.clone(), self.server.url(request.path_and_query)?);
        for (name, value) in &request.headers {
            builder = builder.header(*name, *value);
        }
        if let Some(body) = request.body {
            builder = builder.body(body.to_vec());
        }
        builder.send().await.map_err(|error| self.unreachable(error))
    }

    /// Waits until one more call is within the pace.
    async fn keep_pace(&self) {
        loop {
            let now = self.environment.now();
            let taken = self.usage.lock().unwrap_or_else(PoisonError::into_inner).take(PACE, now);
            match taken {
                Ok(()) => return,
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
    }

    fn unreachable(&self, error: reqwest::Error) -> anyhow::Error {
        let error = anyhow::Error::from(error.without_url());
        let text = format!("{error:#}");
        // Every authority of a Guardhouse server has the same name; another one is a wrong signature then.
        let untrusted = text.contains("UnknownIssuer") || text.contains("BadSignature");
        let hint = if untrusted {
            "; if it is yours, name its certificate authority with --ca FILE (ca.pem in its data folder)"
        } else {
            ""
        };
        error.context(format!("cannot talk to {}{hint}", self.server))
    }
}

/// What every client of this command has in common.
pub fn builder() -> reqwest::ClientBuilder {
    // Fails only when a provider is installed already: then it is this one, as no other is built in.
    let _ = aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder()
        .user_agent(concat!("guardhouse/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIME_LIMIT)
}

/// The certificate authorities in a PEM file.
///
/// # Errors
/// The file cannot be read or holds no certificate.
pub fn authorities(path: &Path) -> anyhow::Result<Vec<Certificate>> {
    let pem = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let certificates = Certificate::from_pem_bundle(&pem)
        .with_context(|| format!("{} is not a PEM file with certificates", path.display()))?;
    anyhow::ensure!(!certificates.is_empty(), "{} holds no certificate", path.display());
    Ok(certificates)
}

/// How long to wait before the request is sent again; `None` if it is not to be sent again.
fn wait(response: &Response) -> Option<Duration> {
    if response.status() != StatusCode::TOO_MANY_REQUESTS {
        return None;
    }
    let seconds = header(response, header::RETRY_AFTER.as_str()).and_then(|text| text.parse().ok());
    Some(Duration::from_secs(seconds.unwrap_or(1))).filter(|wait| *wait <= LONGEST_WAIT)
}

async fn read(response: Response) -> anyhow::Result<Answer> {
    let status = response.status();
    let response_id = header(&response, "response-id");
    let request_id = header(&response, "request-id").unwrap_or_default();
    let body = response.bytes().await.context("the answer of the server broke off")?.to_vec();
    Ok(Answer { status, response_id, request_id, body })
}

fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

impl Answer {
    /// The answer as an error.
    pub fn refusal(&self) -> Refusal {
        Refusal::read(self.status.as_u16(), self.request_id.clone(), &self.body)
    }
}
