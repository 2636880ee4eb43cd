//! The address of the server as an administrator types it.

use std::net::IpAddr;

use http::Uri;

/// Why a text is not the address of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not an address at all.
    #[error("{0:?} is not the address of a server; write it as https://HOST:PORT")]
    Form(String),
    /// Plain HTTP to another machine.
    #[error("{0:?}: http:// is for servers on this machine only; use https://")]
    PlainHttp(String),
}

/// Reads the address of a server; the answer is always `https://HOST:PORT`.
///
/// `http://` is accepted for loopback addresses, because a server that was started with `--insecure-http`
/// prints such an address. Its port speaks TLS too, and the agent always uses TLS.
///
/// # Errors
/// [`AddressError`] says what would be right.
pub fn parse(text: &str) -> Result<Uri, AddressError> {
    let form = || AddressError::Form(text.to_owned());
    let uri: Uri = text.trim().parse().map_err(|_| form())?;
    let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(form)?;
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@'))
        || !matches!(uri.path(), "" | "/")
        || uri.query().is_some()
    {
        return Err(form());
    }
    let default_port = match uri.scheme_str() {
        Some("https") => 443,
        Some("http") if is_loopback(host) => 80,
        Some("http") => return Err(AddressError::PlainHttp(text.to_owned())),
        _ => return Err(form()),
    };
    let port = uri.port_u16().unwrap_or(default_port);
    format!("https://{host}:{port}").parse().map_err(|_| form())
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let form = |text: &str| Err(AddressError::Form(text.to_owned()));
        let plain = |text: &str| Err(AddressError::PlainHttp(text.to_owned()));
        let table = [
            ("https://guardhouse.test:8443", Ok("https://guardhouse.test:8443/")),
            ("https://guardhouse.test/", Ok("https://guardhouse.test:443/")),
            ("https://[fd00::1]:8443", Ok("https://[fd00::1]:8443/")),
            ("http://127.0.0.1:8080", Ok("https://127.0.0.1:8080/")),
            ("http://[::1]:8080/", Ok("https://[::1]:8080/")),
            ("http://localhost", Ok("https://localhost:80/")),
            ("http://guardhouse.test:8080", plain("http://guardhouse.test:8080")),
            ("http://192.0.2.1:8080", plain("http://192.0.2.1:8080")),
            ("guardhouse.test:8443", form("guardhouse.test:8443")),
            ("ftp://guardhouse.test", form("ftp://guardhouse.test")),
            ("https://user@guardhouse.test", form("https://user@guardhouse.test")),
            ("https://guardhouse.test/v1", form("https://guardhouse.test/v1")),
            ("", form("")),
        ];
        for (text, expected) in table {
            let found = parse(text).map(|uri| uri.to_string());
            assert_eq!(found, expected.map(str::to_owned), "{text:?}");
        }
    }
}
