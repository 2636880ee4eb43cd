//! The way to receivers. Whoever registers a webhook makes the server call an address from inside of its network, so every
//! address is judged when it is called, also those that a name stands for in that moment.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use anyhow::Context as _;
use guardhouse_model::agentless::webhooks::refusal;
use guardhouse_services::PreparedDelivery;
use reqwest::{
    Client, ClientBuilder, StatusCode, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};
use tracing::warn;

use crate::client::http;

/// How long a receiver may take to answer.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Sends events.
#[derive(Debug, Clone)]
pub struct Sender {
    /// `None`: this machine has no certificate authorities by which it could know a receiver.
    encrypted: Option<Client>,
    plain: Client,
    /// Where http leads.
    plain_reach: Reach,
}

/// Which machines are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// This one.
    Here,
    /// Any.
    Anywhere,
}

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status; 0: there was none.
    pub status: u32,
    /// Why the event was not taken, in a sentence; empty: it was.
    pub trouble: String,
}

impl Sender {
    /// `insecure`: http may leave this machine.
    ///
    /// # Errors
    /// No client can be set up.
    pub fn new(insecure: bool) -> anyhow::Result<Self> {
        let plain_reach = if insecure { Reach::Anywhere } else { Reach::Here };
        let encrypted = builder(Reach::Anywhere).build();
        if let Err(error) = &encrypted {
            warn!(%error, "webhooks with https cannot be served");
        }
        let plain = builder(plain_reach).tls_certs_only([]).build();
        let plain = plain.context("a client for webhooks cannot be set up")?;
        Ok(Self { encrypted: encrypted.ok(), plain, plain_reach })
    }

    /// Sends one event, once.
    pub async fn send(&self, url: &str, prepared: PreparedDelivery) -> Answer {
        let failed = |trouble: String| Answer { status: 0, trouble };
        let Ok(url) = url.parse::<Url>() else { return failed("the webhook has no address".to_owned()) };
        let (client, reach) = match (url.scheme(), &self.encrypted) {
            ("http", _) => (&self.plain, self.plain_reach),
            (_, Some(encrypted)) => (encrypted, Reach::Anywhere),
            (_, None) => return failed("the server has no certificate authorities for https".to_owned()),
        };
        // An address that is written as such is not looked up.
        let literal = url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse().ok());
        if let Some(why) = literal.and_then(|address| reach.refusal(address)) {
            return failed(why);
        }
        let mut request = client.post(url).body(prepared.body);
        for (name, value) in prepared.headers {
            request = request.header(name, value);
        }
        match request.send().await {
            Ok(response) if response.status().is_success() => {
                Answer { status: response.status().as_u16().into(), trouble: String::new() }
            }
            Ok(response) => refused(response.status()),
            Err(error) => failed(reason(&error)),
        }
    }
}

fn builder(reach: Reach) -> ClientBuilder {
    http::builder()
        .timeout(TIME_LIMIT)
        // To follow one would be to call an address that nobody judged, and to hand out what is signed.
        .redirect(redirect::Policy::none())
        // A proxy would look names up itself.
        .no_proxy()
        .dns_resolver(Names(reach))
}

impl Reach {
    /// Why an address is not called; `None`: it is.
    fn refusal(self, address: IpAddr) -> Option<String> {
        let why = match refusal(address) {
            None if self == Self::Here && !address.to_canonical().is_loopback() => {
                "is not on this machine, and http is for this machine"
            }
            why => why?,
        };
        Some(format!("{address} is not called: it {why}"))
    }
}

fn refused(status: StatusCode) -> Answer {
    let trouble = if status.is_redirection() {
        format!("the receiver answers HTTP {status}; redirects are not followed")
    } else {
        format!("the receiver answers HTTP {status}")
    };
    Answer { status: status.as_u16().into(), trouble }
}

/// Why a receiver was not reached: the innermost cause says it best. The address is not part of it.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("the receiver did not answer within {} s", TIME_LIMIT.as_secs());
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    format!("the receiver cannot be reached: {cause}")
}

/// Looks names up, and refuses those behind which there is something that must not be called.
#[derive(Debug, Clone, Copy)]
struct Names(Reach);

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let Self(reach) = *self;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            match found.iter().find_map(|address| reach.refusal(address.ip())) {
                Some(why) => Err(Box::from(io::Error::new(io::ErrorKind::PermissionDenied, why))),
                None => Ok(Box::new(found.into_iter()) as Addrs),
            }
        })
    }
}
