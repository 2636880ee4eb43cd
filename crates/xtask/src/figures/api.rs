//! Calls of the public API that are measured one by one.

use anyhow::Context as _;
use guardhouse_link::tls::{HTTP_1_1, Trust, client_config};
use reqwest::Client;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde::Deserialize;
use serde_json::Value;

use super::house::{House, PASSWORD, USER};

/// A client that is signed in. Its token is good for an hour, whether the server is restarted or not.
#[derive(Debug)]
pub struct Api {
    client: Client,
    token: String,
}

#[derive(Debug, Deserialize)]
struct Granted {
    access_token: String,
}

impl Api {
    /// Signs in.
    ///
    /// # Errors
    /// The server refuses it.
    pub async fn sign_in(house: &House) -> anyhow::Result<Self> {
        let authority = CertificateDer::from_pem_file(house.ca()).context("no certificate of the server")?;
        let tls = client_config(Trust::Authorities(vec![authority]), None, &[HTTP_1_1])?;
        let client = Client::builder().no_proxy().tls_backend_preconfigured((*tls).clone()).build()?;
        let form = [("grant_type", "password"), ("username", USER), ("password", PASSWORD)];
        let answer = client.post(format!("{}/oauth/token", house.url())).form(&form).send().await?;
        let granted: Granted = answer.error_for_status()?.json().await?;
        Ok(Self { client, token: granted.access_token })
    }

    /// Reads the first page of the devices.
    ///
    /// # Errors
    /// The server refuses it.
    pub async fn first_page(&self, house: &House) -> anyhow::Result<()> {
        let call =
            self.client.get(format!("{}/v1/devices?pageSize=50", house.url())).bearer_auth(&self.token);
        call.send().await?.error_for_status()?.bytes().await?;
        Ok(())
    }

    /// Posts JSON; answers what the server says.
    ///
    /// # Errors
    /// The server refuses it.
    pub async fn post(&self, house: &House, path: &str, body: &Value) -> anyhow::Result<Value> {
        let call = self.client.post(format!("{}{path}", house.url())).bearer_auth(&self.token);
        Ok(call.json(body).send().await?.error_for_status()?.json().await?)
    }

    /// Deletes what is at a path.
    ///
    /// # Errors
    /// The server refuses it.
    pub async fn delete(&self, house: &House, path: &str) -> anyhow::Result<()> {
        let call = self.client.delete(format!("{}{path}", house.url())).bearer_auth(&self.token);
        call.send().await?.error_for_status()?.bytes().await?;
        Ok(())
    }
}
