//! Where a request came from, as its connection tells, and which address it was sent to.

use std::{net::IpAddr, sync::Arc};

use http::{HeaderMap, Uri, header, uri::Authority};
use rustls::pki_types::CertificateDer;

/// Set by proxies that speak TLS in the place of a server.
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// Where a request came from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The address of the other end.
    pub address: IpAddr,
    /// The client certificate that TLS verified, if one was presented.
    pub certificate: Option<Arc<CertificateDer<'static>>>,
    /// Where the client reaches this server, as `https://guard.example.com:7443`; `None`: it does not say.
    pub base: Option<String>,
    is_encrypted: bool,
}

impl Origin {
    /// Of a connection, before its first request.
    pub fn new(
        address: IpAddr,
        certificate: Option<Arc<CertificateDer<'static>>>,
        is_encrypted: bool,
    ) -> Self {
        Self { address, certificate, base: None, is_encrypted }
    }

    /// Of a request that came over this connection.
    pub fn of_request(&self, uri: &Uri, headers: &HeaderMap) -> Self {
        Self { base: self.base(uri, headers), ..self.clone() }
    }

    /// The client is believed: only it gets the links that begin so.
    fn base(&self, uri: &Uri, headers: &HeaderMap) -> Option<String> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let host = text(header::HOST.as_str()).or(uri.authority().map(Authority::as_str))?;
        // Some clients send the whole address that they were given.
        let (named, host) = match host.split_once("://") {
            Some((scheme, host)) => (Some(scheme), host),
            None => (None, host),
        };
        let host = host.split('/').next().unwrap_or_default();
        let authority: Authority =
            host.parse().ok().filter(|authority: &Authority| !authority.as_str().contains('@'))?;
        let is_encrypted = self.is_encrypted || text(FORWARDED_PROTO).or(named) == Some("https");
        let scheme = if is_encrypted { "https" } else { "http" };
        Some(format!("{scheme}://{authority}"))
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn links_begin_with_what_the_client_was_given() {
        let base = |is_encrypted, uri: &str, headers: &[(&str, &str)]| {
            let request = headers
                .iter()
                .fold(Request::get(uri), |request, (name, value)| request.header(*name, *value));
            let (head, ()) = request.body(()).expect("a request").into_parts();
            let origin = Origin::new(IpAddr::from([127, 0, 0, 1]), None, is_encrypted);
            origin.of_request(&head.uri, &head.headers).base
        };
        for (is_encrypted, uri, headers, expected) in [
            (true, "/", &[("host", "guard:7443")][..], Some("https://guard:7443")),
            (false, "/", &[("host", "127.0.0.1:80")], Some("http://127.0.0.1:80")),
            (true, "https://guard/x", &[], Some("https://guard")),
            (true, "/", &[("host", "[::1]:7443")], Some("https://[::1]:7443")),
            (false, "/", &[("host", "http://guard:1")], Some("http://guard:1")),
            (false, "/", &[("host", "https://guard/sas")], Some("https://guard")),
            (false, "/", &[("host", "guard"), ("x-forwarded-proto", "https")], Some("https://guard")),
            (true, "/", &[("host", "guard"), ("x-forwarded-proto", "http")], Some("https://guard")),
            (true, "/", &[("host", "me@guard")], None),
            (true, "/", &[("host", "gu ard\"<")], None),
            (true, "/", &[("host", "")], None),
            (true, "/", &[], None),
        ] {
            assert_eq!(base(is_encrypted, uri, headers).as_deref(), expected, "{uri} {headers:?}");
        }
    }
}
