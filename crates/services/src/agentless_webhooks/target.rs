//! Which addresses a webhook may have.
//!
//! Who registers one makes the server call it, from inside of its network. Names are looked up when an event is sent, and
//! the addresses behind them are judged by the same rule then: here only what can be seen is refused.

use std::net::IpAddr;

use guardhouse_model::agentless::webhooks::refusal;
use url::{Host, Url};

/// Longest address, in bytes.
const LONGEST: usize = 2_000;

/// Checks the address of a webhook; `allows_http`: it may have http, wherever it is.
///
/// # Errors
/// What is wrong with it.
pub fn check(text: &str, allows_http: bool) -> Result<(), String> {
    if text.len() > LONGEST {
        return Err(format!("has {} bytes; at most {LONGEST} are possible", text.len()));
    }
    let wanted = "an address like https://hooks.example.com/guardhouse is needed";
    let url: Url = text.parse().map_err(|error| format!("is no address ({error}); {wanted}"))?;
    let host = url.host().ok_or_else(|| format!("names no machine; {wanted}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "holds a user or a password, which everybody could read; the signature says who calls".to_owned()
        );
    }
    let address = match host {
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
        Host::Domain(_) => None,
    };
    if let Some(address) = address
        && let Some(why) = refusal(address)
    {
        return Err(format!("leads to {address}, which {why}"));
    }
    let is_here = match (address, host) {
        (Some(address), _) => address.to_canonical().is_loopback(),
        (None, Host::Domain(name)) => name == "localhost",
        (None, _) => false,
    };
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_here || allows_http => Ok(()),
        "http" => Err("has http, which is for receivers on the machine of the server; use https".to_owned()),
        other => Err(format!("has {other}; {wanted}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_accepted_and_refused() {
        let table = [
            ("https://hooks.example.com/guardhouse?x=1", true),
            ("https://10.0.0.7:8443/", true),
            ("http://127.0.0.1:8080/hook", true),
            ("http://[::1]/hook", true),
            ("http://localhost:8080", true),
            ("http://hooks.example.com/", false),
            ("http://10.0.0.7/", false),
            ("http://localhost.example.com/", false),
            ("https://169.254.169.254/latest/meta-data", false),
            ("https://[fe80::1]/", false),
            ("https://[::ffff:169.254.169.254]/", false),
            ("https://2852039166/", false),
            ("http://0.0.0.0/", false),
            ("https://user:secret@hooks.example.com/", false),
            ("ftp://hooks.example.com/", false),
            ("file:///etc/passwd", false),
            ("hooks.example.com", false),
            ("", false),
        ];
        for (url, accepted) in table {
            assert_eq!(check(url, false).is_ok(), accepted, "{url}: {:?}", check(url, false));
        }
        assert!(check(&format!("https://example.com/{}", "x".repeat(2_000)), false).is_err());
        for (url, accepted) in [("http://hooks.example.com/", true), ("http://169.254.169.254/", false)] {
            assert_eq!(check(url, true).is_ok(), accepted, "{url} where http is allowed");
        }
    }
}
