//! One caller of the REST API, with a connection of its own.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use reqwest::{Client, RequestBuilder};

use crate::{
    account::{self, Account, SignedIn},
    agents::now,
};

/// A caller that is signed in.
#[derive(Debug)]
pub struct Caller {
    client: Client,
    server: String,
    token: String,
}

/// An answer of the server.
#[derive(Debug)]
pub struct Answer {
    /// From the call until the head of the answer. The server has the whole answer then, and the caller has not
    /// begun to read it: what a caller needs for a large answer is not in here.
    pub head: Duration,
    /// From the call until the last byte.
    pub whole: Duration,
    /// JSON.
    pub body: Bytes,
}

impl Caller {
    /// A caller without a connection.
    ///
    /// # Errors
    /// The TLS configuration cannot be used.
    pub fn new(account: &Account, signed_in: &SignedIn) -> anyhow::Result<Self> {
        let client = account::client(&signed_in.tls)?;
        Ok(Self { client, server: account.url(""), token: signed_in.token.clone() })
    }

    /// Opens the connection.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub async fn open(&self) -> anyhow::Result<()> {
        self.get("/v1/devices?pageSize=1").await.map(drop)
    }

    /// `GET`
    ///
    /// # Errors
    /// The server refuses the call or cannot be reached.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        let call = self.client.get(format!("{}{path}", self.server));
        self.call(call).await.with_context(|| format!("GET {path}"))
    }

    /// `POST` of JSON.
    ///
    /// # Errors
    /// The server refuses the call or cannot be reached.
    pub async fn post(&self, path: &str, body: String) -> anyhow::Result<Answer> {
        let call = self.client.post(format!("{}{path}", self.server));
        let call = call.header("content-type", "application/json").body(body);
        self.call(call).await.with_context(|| format!("POST {path}"))
    }

    async fn call(&self, call: RequestBuilder) -> anyhow::Result<Answer> {
        let begun = now();
        let answer = call.bearer_auth(&self.token).send().await?;
        let head = begun.elapsed();
        let status = answer.status();
        let body = answer.bytes().await?;
        let whole = begun.elapsed();
        anyhow::ensure!(
            status == reqwest::StatusCode::OK,
            "the server answered {status}: {}",
            String::from_utf8_lossy(&body)
        );
        Ok(Answer { head, whole, body })
    }
}
