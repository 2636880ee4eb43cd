//! Where the servers are: found before the device is isolated, because name servers cannot be asked afterwards.

use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
    time::Duration,
};

use guardhouse_link::channel;
use http::Uri;
use tokio::{net::lookup_host, time::timeout};

use super::{
    kept::{Kept, Pin},
    nft,
    settle::{IsolationError, Lock},
};

/// How long the names of one server may take.
const LOOKUP: Duration = Duration::from_secs(10);

/// How a connection to a server is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// By its name.
    ByName,
    /// By these addresses.
    To(Vec<SocketAddr>),
    /// Not at all: the device is isolated, and does not know where the server is.
    Unknown,
}

/// How to open a connection to `server` now.
#[must_use]
pub fn route(folder: &Path, server: &Uri) -> Route {
    let kept = match Kept::load(folder) {
        Ok(kept) => kept,
        Err(error) => {
            tracing::error!(%error, "connecting by name");
            return Route::ByName;
        }
    };
    let Some(isolation) = kept.present() else { return Route::ByName };
    isolation.addresses(server).map_or(Route::Unknown, |addresses| Route::To(addresses.to_vec()))
}

/// Finds out where servers are.
pub async fn resolve(servers: Vec<Uri>) -> Vec<Pin> {
    let mut pins: Vec<Pin> = Vec::new();
    for server in servers {
        let text = server.to_string();
        if pins.iter().all(|pin| pin.server != text) {
            pins.push(Pin { server: text, addresses: look_up(&server).await });
        }
    }
    pins
}

/// Where the servers are that need no name server: those that are addresses, and those that were found before.
#[must_use]
pub fn known(servers: &[Uri], earlier: &[Pin]) -> Vec<Pin> {
    let mut pins: Vec<Pin> = Vec::new();
    for server in servers {
        let text = server.to_string();
        if pins.iter().any(|pin| pin.server == text) {
            continue;
        }
        let literal =
            channel::socket_name(server).and_then(|(host, port)| Some((host.parse::<IpAddr>().ok()?, port)));
        let addresses = match (literal, earlier.iter().find(|pin| pin.server == text)) {
            (Some(address), _) => vec![SocketAddr::from(address)],
            (None, Some(pin)) => pin.addresses.clone(),
            (None, None) => Vec::new(),
        };
        pins.push(Pin { server: text, addresses });
    }
    pins
}

/// Lets servers through that a policy names while the device is isolated. One whose name cannot be resolved stays
/// unknown, and [`route`] says so.
///
/// # Errors
/// The addresses cannot be kept or put in force.
pub async fn let_through(folder: &Path, servers: &[Uri]) -> Result<(), IsolationError> {
    let Some(isolation) = Kept::load(folder)?.settled else { return Ok(()) };
    let unknown = servers.iter().filter(|server| isolation.addresses(server).is_none()).cloned().collect();
    let found: Vec<Pin> =
        resolve(unknown).await.into_iter().filter(|pin| !pin.addresses.is_empty()).collect();
    if found.is_empty() {
        return Ok(());
    }
    let Some(_lock) = Lock::try_for_a_moment(folder).await? else { return Ok(()) };
    let mut kept = Kept::load(folder)?;
    let (Some(isolation), None) = (&mut kept.settled, &kept.pending) else { return Ok(()) };
    isolation.servers.retain(|pin| found.iter().all(|found| found.server != pin.server));
    isolation.servers.extend(found);
    nft::put_in_force(isolation).await?;
    Ok(kept.store(folder)?)
}

async fn look_up(server: &Uri) -> Vec<SocketAddr> {
    let Some((host, port)) = channel::socket_name(server) else { return Vec::new() };
    let mut addresses = match timeout(LOOKUP, lookup_host((host.as_str(), port))).await {
        Ok(Ok(found)) => found.collect(),
        Ok(Err(error)) => {
            tracing::warn!(%server, %error, "the name of the server cannot be resolved");
            Vec::new()
        }
        Err(_) => {
            tracing::warn!(%server, "no name server answers");
            Vec::new()
        }
    };
    let mut seen = Vec::new();
    addresses.retain(|address| {
        let news = !seen.contains(address);
        seen.push(*address);
        news
    });
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isolation::kept::{Isolation, Pending};

    fn uris(texts: &[&'static str]) -> Vec<Uri> {
        texts.iter().map(|text| Uri::from_static(text)).collect()
    }

    fn said(pins: &[Pin]) -> Vec<(&str, Vec<String>)> {
        let texts = |pin: &Pin| pin.addresses.iter().map(ToString::to_string).collect();
        pins.iter().map(|pin| (pin.server.as_str(), texts(pin))).collect()
    }

    #[tokio::test]
    async fn names_and_addresses_are_found() {
        let servers = ["https://192.0.2.1:8443", "https://[fd00::1]:443", "https://192.0.2.1:8443/"];
        let mut expected = vec![
            ("https://192.0.2.1:8443/", vec!["192.0.2.1:8443".to_owned()]),
            ("https://[fd00::1]:443/", vec!["[fd00::1]:443".to_owned()]),
        ];
        assert_eq!(said(&resolve(uris(&servers)).await), expected);

        let earlier = [Pin {
            server: "https://guardhouse.test:8443/".to_owned(),
            addresses: vec!["192.0.2.7:8443".parse().expect("an address")],
        }];
        let more = ["https://guardhouse.test:8443", "https://other.test:8443"];
        expected.push(("https://guardhouse.test:8443/", vec!["192.0.2.7:8443".to_owned()]));
        expected.push(("https://other.test:8443/", Vec::new()));
        assert_eq!(said(&known(&uris(&[&servers[..], &more].concat()), &earlier)), expected);
    }

    #[test]
    fn an_isolated_device_asks_no_name_server() {
        let folder = tempfile::tempdir().expect("a folder");
        let (here, elsewhere) = (Uri::from_static("https://a.test:1"), Uri::from_static("https://b.test:1"));
        let route = |server| route(folder.path(), server);
        assert_eq!(route(&here), Route::ByName);
        let addresses: Vec<SocketAddr> = vec!["192.0.2.7:1".parse().expect("an address")];
        let isolation = Isolation {
            run_uuid: String::new(),
            isolation_time: guardhouse_model::Timestamp::UNIX_EPOCH,
            servers: vec![Pin { server: here.to_string(), addresses: addresses.clone() }],
            exceptions: Vec::new(),
        };
        let pending =
            |wanted: Option<&Isolation>| Some(Pending { run_uuid: String::new(), wanted: wanted.cloned() });
        for kept in [
            Kept { settled: Some(isolation.clone()), pending: None },
            Kept { settled: None, pending: pending(Some(&isolation)) },
            Kept { settled: Some(isolation.clone()), pending: pending(None) },
        ] {
            kept.store(folder.path()).expect("written");
            assert_eq!(route(&here), Route::To(addresses.clone()), "{kept:?}");
            assert_eq!(route(&elsewhere), Route::Unknown, "{kept:?}");
        }
    }
}
