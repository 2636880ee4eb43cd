//! Sends the requests to a store: TLS, time limits, and bounds on what it answers.

use std::time::Duration;

use async_trait::async_trait;
use http::{Method, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
        HttpService,
    },
};
use reqwest::{
    Client,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
    redirect,
};
use rustls::crypto::aws_lc_rs;

use crate::{
    ObjectStore, Trouble,
    address::{Credentials, Place, is_plain},
    limits,
};

/// How long a connection may take.
const CONNECT_TIME_LIMIT: Duration = Duration::from_secs(10);

/// How often a store may send elsewhere on the same host.
const MOST_REDIRECTS: usize = 3;

/// How long the text of a refusal may be, in bytes.
const REFUSAL_BYTES: usize = 64 << 10;

/// Sends requests to one store.
#[derive(Clone, Debug)]
pub(super) struct Transport {
    client: Client,
}

impl Transport {
    pub(super) fn new(store: &ObjectStore, place: &Place) -> Result<Self, Trouble> {
        // Fails only when a provider is installed already: then it is this one, as no other is built in.
        let _ = aws_lc_rs::default_provider().install_default();
        let is_plain = match place {
            Place::S3 { endpoint, .. } => endpoint.as_ref().is_some_and(is_plain),
            Place::WebDav { origin, .. } => is_plain(origin),
        };
        let redirects = redirect::Policy::custom(|attempt| {
            // What opens the store is for this store.
            let is_same =
                attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin());
            if attempt.previous().len() > MOST_REDIRECTS {
                attempt.error("it sends elsewhere too often")
            } else if is_same {
                attempt.follow()
            } else {
                attempt.error("it sends to another host; register that address, if it is right")
            }
        });
        let mut builder = Client::builder()
            .user_agent(concat!("guardhouse/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIME_LIMIT)
            .read_timeout(limits::SILENCE)
            .default_headers(authorization(store)?)
            .redirect(redirects);
        let authorities = store.certificates().map_err(Trouble::lasting)?;
        if is_plain {
            // Plain HTTP stays on this machine.
            builder = builder.tls_certs_only([]).no_proxy();
        } else if !authorities.is_empty() {
            builder = builder.tls_certs_only(authorities);
        }
        let client = builder.build().map_err(|error| {
            Trouble::lasting(format!(
                "cannot set up TLS ({error}); register the authorities of the store with the location"
            ))
        })?;
        Ok(Self { client })
    }
}

/// The header that opens a WebDAV server.
fn authorization(store: &ObjectStore) -> Result<HeaderMap, Trouble> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let value = match &store.credentials {
        Some(Credentials::Password { user, password }) => {
            format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
        }
        Some(Credentials::Token(token)) => format!("Bearer {token}"),
        // Requests to S3 are signed.
        Some(Credentials::AccessKey { .. }) | None => return Ok(HeaderMap::new()),
    };
    let mut value = HeaderValue::from_str(&value)
        .map_err(|_| Trouble::lasting("its credentials do not fit into a request"))?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}

impl HttpConnector for Transport {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Transport {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        // A download goes to disk as it comes, and is bounded there; everything else is gathered in memory.
        let is_list = request.uri().query().is_some_and(|query| query.contains("list-type"));
        let is_download = request.method() == Method::GET && !is_list;
        let is_folder = request.method().as_str() == "PROPFIND";
        let (parts, body) = self.client.call(request).await?.into_parts();
        if is_folder && parts.status == StatusCode::NOT_FOUND {
            // The crate would take it for an empty folder, and everything in it for removed.
            let error =
                std::io::Error::new(std::io::ErrorKind::NotFound, "there is no such folder (HTTP 404)");
            return Err(HttpError::new(HttpErrorKind::Unknown, error));
        }
        let limit = match parts.status {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT if is_download => {
                return Ok(HttpResponse::from_parts(parts, body));
            }
            status if status.is_success() => limits::ANSWER_BYTES,
            _ => REFUSAL_BYTES,
        };
        let body = Limited::new(body, limit).map_err(|error| match error.downcast::<HttpError>() {
            Ok(error) => *error,
            Err(error) => HttpError::new(HttpErrorKind::Decode, std::io::Error::other(error.to_string())),
        });
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body)))
    }
}
