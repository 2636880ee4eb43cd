//! Stores of objects that are reached over the network.

mod download;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod list;
mod transport;

use std::sync::Arc;

use ::object_store::{
    self, BackoffConfig, ClientOptions, ObjectStore as Objects, RetryConfig, aws::AmazonS3Builder,
    client::HttpConnector, http::HttpBuilder, path::Path as ObjectPath,
};
use std::time::Duration;

use crate::{
    ObjectStore, Trouble,
    address::{Credentials, Place},
};
use transport::Transport;

pub(crate) use download::fetch;
pub(crate) use list::list;

/// A store, and where in it the location begins.
#[derive(Debug)]
struct Remote {
    objects: Arc<dyn Objects>,
    /// What its names begin with, without `/` at its ends.
    prefix: String,
    /// Whether folders are asked for one by one: WebDAV servers refuse to list everything below one at once.
    by_folder: bool,
    /// How people know it.
    shown: String,
}

impl Remote {
    /// Gets ready to ask a store. Nothing is sent yet.
    fn open(store: &ObjectStore) -> Result<Self, Trouble> {
        let place =
            store.place().map_err(|flaw| Trouble::lasting(format!("{}: {}", flaw.field, flaw.sentence)))?;
        let transport = Transport::new(store, &place)?;
        Self::through(store, place, transport)
    }

    /// The same, where `connector` is what sends.
    fn through(store: &ObjectStore, place: Place, connector: impl HttpConnector) -> Result<Self, Trouble> {
        // A request is repeated by the crate, a download that broke off is continued here.
        let retry = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(200),
                max_backoff: Duration::from_secs(5),
                base: 2.0,
            },
            max_retries: 3,
            retry_timeout: Duration::from_secs(60),
        };
        let failed = |error: object_store::Error| Trouble::lasting(format!("{}: {error}", store.url));
        // What may be spoken without TLS was settled when the address was taken apart.
        let options = ClientOptions::new().with_allow_http(true);
        let (objects, prefix, by_folder): (Arc<dyn Objects>, String, bool) = match place {
            Place::S3 { bucket, prefix, endpoint } => {
                let mut builder = AmazonS3Builder::new()
                    .with_bucket_name(bucket)
                    .with_retry(retry)
                    .with_client_options(options)
                    .with_http_connector(connector);
                if let Some(endpoint) = endpoint {
                    builder = builder.with_endpoint(endpoint.as_str());
                }
                if !store.region.is_empty() {
                    builder = builder.with_region(&store.region);
                }
                builder = match &store.credentials {
                    Some(Credentials::AccessKey { id, secret, session_token }) => {
                        let builder = builder.with_access_key_id(id).with_secret_access_key(secret);
                        if session_token.is_empty() { builder } else { builder.with_token(session_token) }
                    }
                    // Never those that this machine has of its own: whoever registers a location has no right to them.
                    _ => builder.with_skip_signature(true),
                };
                (Arc::new(builder.build().map_err(failed)?), prefix, false)
            }
            Place::WebDav { origin, path } => {
                let builder = HttpBuilder::new()
                    .with_url(origin)
                    .with_retry(retry)
                    .with_client_options(options)
                    .with_http_connector(connector);
                (Arc::new(builder.build().map_err(failed)?), path, true)
            }
        };
        Ok(Self { objects, prefix, by_folder, shown: store.url.clone() })
    }

    /// The path of a name in the store.
    fn path(&self, name: &str) -> Result<ObjectPath, Trouble> {
        let path = match self.prefix.as_str() {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        };
        ObjectPath::parse(path)
            .map_err(|error| Trouble::lasting(format!("{name:?} is no name of an object: {error}")))
    }

    /// The name of a path in the store; `None` when it does not lie in the location.
    fn name<'a>(&self, path: &'a ObjectPath) -> Option<&'a str> {
        let path: &str = path.as_ref();
        match self.prefix.as_str() {
            "" => Some(path),
            prefix => path.strip_prefix(prefix)?.strip_prefix('/'),
        }
        .filter(|name| !name.is_empty())
    }

    /// What a store says, as a sentence with what to do.
    fn trouble(&self, what: &str, error: &object_store::Error) -> Trouble {
        use object_store::Error;
        let (text, shown) = (describe(error), &self.shown);
        // Of a list the crate tells only in words what the store answered.
        let is_status = |status: u16| text.contains(&format!("status code: {status}"));
        match error {
            Error::NotFound { .. } => Trouble::lasting(format!("{shown}: {what} is not there")),
            _ if is_status(404) => Trouble::lasting(format!("{shown}: {what} is not there ({text})")),
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => self.not_open(what, &text),
            _ if is_status(401) || is_status(403) => self.not_open(what, &text),
            Error::Precondition { .. } => {
                Trouble::passing(format!("{shown}: {what} changed while it was fetched; scan it again"))
            }
            Error::NotSupported { .. } | Error::NotImplemented { .. } | Error::InvalidPath { .. } => {
                Trouble::lasting(format!("{shown}: {what}: {text}"))
            }
            _ if text.contains("UnknownIssuer") || text.contains("BadSignature") => {
                Trouble::lasting(format!(
                    "{shown}: its certificate is of an authority that is not trusted; register the authority with the \
                 location, if it is yours ({text})"
                ))
            }
            _ => Trouble::passing(format!("{shown}: {what}: {text}")),
        }
    }

    fn not_open(&self, what: &str, text: &str) -> Trouble {
        let shown = &self.shown;
        Trouble::lasting(format!(
            "{shown}: {what}: the store refuses; its credentials have to be right, and to allow listing and reading \
             ({text})"
        ))
    }
}

/// An error with what caused it.
fn describe(error: &dyn std::error::Error) -> String {
    /// What servers answer may be long.
    const LONGEST: usize = 400;
    let (mut text, mut next) = (error.to_string(), error.source());
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    let text: String =
        text.chars().map(|char| if char.is_control() { ' ' } else { char }).take(LONGEST).collect();
    text.trim().to_owned()
}
