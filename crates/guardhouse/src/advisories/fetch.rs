//! Fetches a file from a mirror, when it has changed.

use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write as _},
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use guardhouse_advisories::Origin;
use reqwest::{Client, Response, StatusCode, Url, header, redirect};

use crate::client::{http, is_loopback};

/// The largest file that is fetched, in bytes. All of OSV is a tenth of it.
const LARGEST: u64 = 16 * 1024 * 1024 * 1024;

/// How long a mirror may be silent.
const READ_TIME_LIMIT: Duration = Duration::from_secs(60);

/// How often a mirror may send elsewhere.
const MOST_REDIRECTS: usize = 5;

/// Fetches files.
#[derive(Debug)]
pub struct Fetcher {
    client: Client,
}

/// What came of it.
#[derive(Debug)]
pub enum Fetched {
    /// It is what it was.
    Unchanged,
    /// It was fetched.
    File {
        /// The file, which has no name and is gone when it is closed.
        file: File,
        /// Where it comes from, and what to ask with the next time.
        origin: Origin,
    },
}

/// Whether a text is an address, and not the name of a file.
pub fn is_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

impl Fetcher {
    /// Trusts the certificate authorities in `ca` (PEM), or those of this machine.
    ///
    /// # Errors
    /// `ca` cannot be read or holds no certificate.
    pub fn new(ca: Option<&Path>) -> anyhow::Result<Self> {
        let redirects = redirect::Policy::custom(|attempt| {
            if attempt.previous().len() > MOST_REDIRECTS {
                attempt.error("it sends elsewhere too often")
            } else if check(attempt.url()).is_err() {
                attempt.error("it sends to an address that is not encrypted")
            } else {
                attempt.follow()
            }
        });
        let mut builder = http::builder().read_timeout(READ_TIME_LIMIT).redirect(redirects);
        if let Some(ca) = ca {
            builder = builder.tls_certs_only(http::authorities(ca)?);
        }
        Ok(Self {
            client: builder
                .build()
                .context("cannot set up TLS; name the authority of the mirror with --ca")?,
        })
    }

    /// Fetches a file into `folder`, unless it is still what `before` says.
    ///
    /// # Errors
    /// The mirror cannot be reached, refuses, or hands out too much.
    pub async fn fetch(&self, address: &str, before: &Origin, folder: &Path) -> anyhow::Result<Fetched> {
        let url: Url = address.parse().with_context(|| format!("{address:?} is not an address"))?;
        check(&url)?;
        let mut request = self.client.get(url);
        if !before.etag.is_empty() {
            request = request.header(header::IF_NONE_MATCH, &before.etag);
        } else if !before.last_modified.is_empty() {
            request = request.header(header::IF_MODIFIED_SINCE, &before.last_modified);
        }
        let response = request.send().await.with_context(|| format!("cannot fetch {address}"))?;
        match response.status() {
            StatusCode::NOT_MODIFIED => Ok(Fetched::Unchanged),
            StatusCode::OK => {
                let text = |name| {
                    let value = response.headers().get(name).and_then(|value| value.to_str().ok());
                    value.unwrap_or_default().to_owned()
                };
                let origin = Origin {
                    location: address.to_owned(),
                    etag: text(header::ETAG),
                    last_modified: text(header::LAST_MODIFIED),
                };
                let file = save(response, folder).await.with_context(|| format!("cannot fetch {address}"))?;
                Ok(Fetched::File { file, origin })
            }
            status => bail!("{address} answers HTTP {status}"),
        }
    }
}

/// Advisories that somebody on the way could change would be worth nothing.
fn check(url: &Url) -> anyhow::Result<()> {
    let is_safe = match url.scheme() {
        "https" => true,
        "http" => url.host_str().is_some_and(is_loopback),
        _ => false,
    };
    ensure!(is_safe, "{url}: http:// is for servers on this machine only; use https://");
    Ok(())
}

async fn save(mut response: Response, folder: &Path) -> anyhow::Result<File> {
    let mut file = tempfile::tempfile_in(folder)
        .with_context(|| format!("cannot write to the folder {}", folder.display()))?;
    let told = response.content_length();
    let mut length: u64 = 0;
    while let Some(piece) = response.chunk().await.context("the answer broke off")? {
        length = length.saturating_add(piece.len() as u64);
        ensure!(length <= LARGEST, "it has more than {LARGEST} bytes");
        file.write_all(&piece).with_context(|| format!("cannot write to the folder {}", folder.display()))?;
    }
    if let Some(told) = told {
        ensure!(told == length, "the answer broke off after {length} of {told} bytes");
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}
