//! The address of a server as a person types it.

use std::{fmt, net::IpAddr, str::FromStr};

use reqwest::Url;

/// The address of a server: `https://HOST:PORT`, or plain HTTP to this machine only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server(Url);

/// Why a text is not the address of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerError {
    /// Not an address at all.
    Form(String),
    /// Plain HTTP to another machine.
    PlainHttp(String),
}

impl Server {
    /// Where `guardhouse serve` listens by default.
    pub fn standard() -> Self {
        Self("https://127.0.0.1:7443".parse().expect("an address"))
    }

    /// Whether the way to the server is not encrypted; it then stays on this machine.
    pub fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// The address of something on the server.
    ///
    /// # Errors
    /// `path_and_query` does not begin with a slash, or is not percent-encoded.
    pub fn url(&self, path_and_query: &str) -> anyhow::Result<Url> {
        anyhow::ensure!(path_and_query.starts_with('/'), "{path_and_query:?} is not a path");
        Ok(format!("{self}{path_and_query}").parse()?)
    }
}

impl FromStr for Server {
    type Err = ServerError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || ServerError::Form(text.to_owned());
        let url: Url = text.trim().parse().map_err(|_| form())?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(form)?;
        let bare = url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        match url.scheme() {
            "https" | "http" if !bare => Err(form()),
            "https" => Ok(Self(url)),
            "http" if is_loopback(host) => Ok(Self(url)),
            "http" => Err(ServerError::PlainHttp(text.to_owned())),
            _ => Err(form()),
        }
    }
}

/// Without a slash at the end.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(text) => {
                write!(f, "{text:?} is not the address of a server; write it as https://HOST:PORT")
            }
            Self::PlainHttp(text) => {
                write!(f, "{text:?}: http:// is for servers on this machine only; use https://")
            }
        }
    }
}

impl std::error::Error for ServerError {}

/// Whether a host is this machine.
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let form = |text: &str| Err(ServerError::Form(text.to_owned()));
        let plain = |text: &str| Err(ServerError::PlainHttp(text.to_owned()));
        let table = [
            ("https://guardhouse.test:7443", Ok("https://guardhouse.test:7443")),
            ("https://Guardhouse.test/", Ok("https://guardhouse.test")),
            ("https://[fd00::1]:7443", Ok("https://[fd00::1]:7443")),
            ("http://127.0.0.1:8080", Ok("http://127.0.0.1:8080")),
            ("http://[::1]:8080/", Ok("http://[::1]:8080")),
            ("http://[::ffff:127.0.0.1]:8080/", Ok("http://[::ffff:7f00:1]:8080")),
            ("http://localhost", Ok("http://localhost")),
            ("http://guardhouse.test:8080", plain("http://guardhouse.test:8080")),
            ("http://192.0.2.1", plain("http://192.0.2.1")),
            ("http://localhost.example.com", plain("http://localhost.example.com")),
            ("guardhouse.test:7443", form("guardhouse.test:7443")),
            ("ftp://guardhouse.test", form("ftp://guardhouse.test")),
            ("https://user@guardhouse.test", form("https://user@guardhouse.test")),
            ("http://127.0.0.1@guardhouse.test", form("http://127.0.0.1@guardhouse.test")),
            ("https://guardhouse.test/v1", form("https://guardhouse.test/v1")),
            ("https://guardhouse.test?x", form("https://guardhouse.test?x")),
            ("", form("")),
        ];
        for (text, expected) in table {
            let found = text.parse::<Server>().map(|server| server.to_string());
            assert_eq!(found, expected.map(str::to_owned), "{text:?}");
        }
    }

    #[test]
    fn the_standard_address_is_one() {
        let server = Server::standard();
        assert_eq!(server.to_string().parse(), Ok(server.clone()));
        let url = server.url("/v1/devices/x%2Fy:move?a=b%20c").expect("an address");
        assert_eq!(url.as_str(), "https://127.0.0.1:7443/v1/devices/x%2Fy:move?a=b%20c");
        assert!(server.url("v1").is_err());
    }
}
