//! The server, and the account that calls it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use clap::Args;
use guardhouse_link::tls::{self, Trust};
use http::Uri;
use rustls::ClientConfig;
use serde::Deserialize;

/// No call of the generator should take longer.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Which server, and who calls it.
#[derive(Debug, Args)]
pub struct Account {
    /// Address of the server; run it with --rate-limit 0.
    #[arg(long, value_name = "URL", default_value = "https://127.0.0.1:7443")]
    pub server: Uri,

    /// Account that calls the server.
    #[arg(long, value_name = "NAME", default_value = "load")]
    user: String,

    /// Its password.
    #[arg(long, env = "GUARDHOUSE_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    password: Option<String>,

    /// File with its password.
    #[arg(long, value_name = "FILE", conflicts_with = "password")]
    password_file: Option<PathBuf>,
}

/// An account that is signed in.
pub struct SignedIn {
    /// The access token.
    pub token: String,
    /// How the server is recognised.
    pub tls: Arc<ClientConfig>,
}

/// What the token endpoint answers (RFC 6749, section 5.1), as far as it is used here.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
}

impl Account {
    /// Signs in, over connections that speak one of `protocols`.
    ///
    /// # Errors
    /// There is no password, the server cannot be reached, or name and password do not fit.
    pub async fn sign_in(&self, trust: Trust, protocols: &[&[u8]]) -> anyhow::Result<SignedIn> {
        let (user, password) = (&self.user, self.password()?);
        let tls = tls::client_config(trust, None, protocols)?;
        let form = [("grant_type", "password"), ("username", user), ("password", &password)];
        let answer = client(&tls)?.post(self.url("/oauth/token")).form(&form).send().await;
        let answer = answer.context("cannot sign in")?;
        let status = answer.status();
        let body = answer.bytes().await.context("the answer to the sign-in broke off")?;
        anyhow::ensure!(
            status.is_success(),
            "cannot sign in as {user} ({status}): {}",
            String::from_utf8_lossy(&body)
        );
        let granted: Granted = serde_json::from_slice(&body).context("the server answered no token")?;
        Ok(SignedIn { token: granted.access_token, tls })
    }

    /// The address of something on the server; `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.to_string().trim_end_matches('/'))
    }

    fn password(&self) -> anyhow::Result<String> {
        if let Some(password) = &self.password {
            return Ok(password.clone());
        }
        let file = self
            .password_file
            .as_ref()
            .context("no password: name a file with --password-file, or set GUARDHOUSE_PASSWORD")?;
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }
}

/// A client of its own, with its own connections, which stay open.
///
/// # Errors
/// The TLS configuration cannot be used.
pub fn client(tls: &Arc<ClientConfig>) -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder()
        .no_proxy()
        .timeout(TIME_LIMIT)
        .tls_backend_preconfigured((**tls).clone())
        .tcp_nodelay(true)
        .build()?)
}
