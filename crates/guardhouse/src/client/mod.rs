//! The client of the API.
//!
//! It speaks the public REST contract, as every other client does. Requests and answers are the generated
//! messages; [`bind`] makes an HTTP request of one by the rules of the contract, so no path and no JSON name
//! is written here. [`connection`] says where the server is, [`login`] gets tokens, [`http`] sends, and
//! [`api`] is one function per method.

mod agentless;
mod agentless_locations;
pub mod api;
mod bind;
mod connection;
pub mod http;
mod identity;
pub mod login;
mod policies;
mod refusal;
pub mod resolve;
mod server;
pub mod session;

use std::time::Duration;

use anyhow::Context as _;
use guardhouse_contract::json;
use guardhouse_model::Environment;
use prost::{Message, Name};
use prost_reflect::DynamicMessage;
use reqwest::StatusCode;

pub use connection::{Connection, ConnectionArgs, without_line_end};
pub use http::Http;
pub use login::Credentials;
pub use refusal::Refusal;
pub use server::{Server, is_loopback};

use self::{bind::Bound, http::Request, login::Login};

/// How long the answer of a call that the server goes on with is asked for: a little longer than the server
/// lets a call run.
const ACCEPTED_LIMIT: Duration = Duration::from_secs(150);

/// The first pause before an answer that was not ready is asked for again; each pause doubles the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Calls one server as one account.
#[derive(Debug)]
pub struct Client {
    http: Http,
    login: Login,
    environment: Environment,
}

impl Client {
    /// A client for what command line, environment and stored session say.
    ///
    /// # Errors
    /// As [`ConnectionArgs::resolve`] and [`Client::new`].
    pub fn connect(args: ConnectionArgs) -> anyhow::Result<Self> {
        Self::new(args.resolve()?, Environment::system())
    }

    /// A client for a connection. Nothing is sent yet.
    ///
    /// # Errors
    /// The file with the certificate authorities cannot be used.
    pub fn new(connection: Connection, environment: Environment) -> anyhow::Result<Self> {
        let Connection { server, ca, credentials } = connection;
        let http = Http::new(server, ca.as_deref(), environment.clone())?;
        Ok(Self { http, login: Login::new(credentials, environment.clone()), environment })
    }

    /// Time and randomness that the client works with.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Calls a method by its full name, for example `eset.connect.device_management.v1.Devices.GetDevice`.
    ///
    /// # Errors
    /// [`Refusal`] when the server refuses; anything else when it cannot be reached or does not speak the
    /// contract.
    pub async fn call<Req, Resp>(&self, method: &str, request: &Req) -> anyhow::Result<Resp>
    where
        Req: Message + Name,
        Resp: Message + Name + Default,
    {
        let binding =
            bind::binding(method).with_context(|| format!("{method} is not part of the contract"))?;
        let (input, output) = (binding.method.input(), binding.method.output());
        anyhow::ensure!(
            input.full_name() == Req::full_name() && output.full_name() == Resp::full_name(),
            "{method} takes {} and answers {}",
            input.full_name(),
            output.full_name()
        );
        let message = DynamicMessage::decode(input, request.encode_to_vec().as_slice())?;
        let answer = self.exchange(&bind::bind(&binding, &message)?).await?;
        let document = serde_json::from_slice(&answer).context("the server answered no JSON")?;
        json::from_value(&document).with_context(|| format!("the server answered no {}", Resp::full_name()))
    }

    /// Sends one request until there is an answer. While the server goes on with the call, the identical
    /// request asks for its answer (the 202 protocol); a token that expired is replaced once.
    async fn exchange(&self, bound: &Bound) -> anyhow::Result<Vec<u8>> {
        let waited = tokio::time::timeout(ACCEPTED_LIMIT, self.exchange_unbounded(bound)).await;
        waited.context("the server has not answered; whether it carried the call out is not known")?
    }

    async fn exchange_unbounded(&self, bound: &Bound) -> anyhow::Result<Vec<u8>> {
        let mut token =
            self.login.access_token(&self.http, None).await?.context("there is no access token")?;
        let mut renewed = false;
        let mut response_id: Option<String> = None;
        let mut pause = FIRST_PAUSE;
        loop {
            let authorization = format!("Bearer {token}");
            let mut headers = vec![("authorization", authorization.as_str()), ("accept", "application/json")];
            if bound.body.is_some() {
                headers.push(("content-type", "application/json"));
            }
            headers.extend(response_id.as_deref().map(|id| ("response-id", id)));
            let request = Request {
                verb: &bound.verb,
                path_and_query: &bound.path_and_query,
                headers,
                body: bound.body.as_deref(),
            };
            let answer = self.http.send(&request).await?;
            match answer.status {
                StatusCode::ACCEPTED => {
                    response_id = answer.response_id.or(response_id);
                    anyhow::ensure!(response_id.is_some(), "the server answered 202 without a response-id");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                StatusCode::UNAUTHORIZED if !renewed => {
                    renewed = true;
                    match self.login.access_token(&self.http, Some(&token)).await? {
                        Some(next) => token = next,
                        None => return Err(answer.refusal().into()),
                    }
                }
                status if status.is_success() => return Ok(answer.body),
                _ => return Err(answer.refusal().into()),
            }
        }
    }
}

#[cfg(test)]
mod tests;
