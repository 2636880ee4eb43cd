//! The file that says whether the device is isolated: `isolation.json` in the state folder.
//!
//! It says all that the rules follow from, so that they can be put back without a network, a server or a running agent.
//! A change is written down before it is made, together with the run that makes it, and counts when that run has left
//! word that it succeeded: the result of a run and the state of the device cannot contradict each other, whatever dies
//! when.

use std::{
    fs, io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use guardhouse_model::Timestamp;
use http::Uri;
use serde::{Deserialize, Serialize};

use super::network::Network;
use crate::durable;

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// The isolation that counts; `None`: the device is not isolated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<Isolation>,
    /// A change that a run is making or has made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
}

/// A change that counts only when its run has succeeded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pending {
    /// The run that makes it.
    pub run_uuid: String,
    /// What is to be; `None`: no isolation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Isolation>,
}

/// An isolation: everything that its rules follow from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Isolation {
    /// The run that isolated the device.
    pub run_uuid: String,
    /// Since when, by the clock of the device.
    pub isolation_time: Timestamp,
    /// The servers that the agent may use, with the addresses that their names had.
    pub servers: Vec<Pin>,
    /// What the policy excepts.
    pub exceptions: Vec<Exception>,
}

/// A server and where it is, so that nobody has to ask a name server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Its address as the agent dials it, `https://HOST:PORT/`.
    pub server: String,
    /// What the host is resolved to, with the port.
    pub addresses: Vec<SocketAddr>,
}

/// What an isolated device may reach besides its servers, and what may reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// The other end.
    pub network: Network,
    /// The port at the other end, with TCP and UDP; `None`: any port, and any protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// What a file does not say.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {}, which says whether this device is isolated: {source}", .path.display())]
pub struct KeptError {
    path: PathBuf,
    source: io::Error,
}

/// Where the file lies in a state folder.
#[must_use]
pub fn path_in(folder: &Path) -> PathBuf {
    folder.join("isolation.json")
}

impl Kept {
    /// Reads the file of a state folder; none says that the device is not isolated.
    ///
    /// # Errors
    /// It cannot be read, or its content is spoilt.
    pub fn load(folder: &Path) -> Result<Self, KeptError> {
        let path = path_in(folder);
        let read = fs::read(&path).and_then(|bytes| Ok(serde_json::from_slice(&bytes)?));
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            read => read.map_err(|source| KeptError { path, source }),
        }
    }

    /// Writes the file of a state folder, or removes it when there is nothing to say.
    ///
    /// # Errors
    /// What the system says; the earlier content is still there then.
    pub fn store(&self, folder: &Path) -> Result<(), KeptError> {
        let path = path_in(folder);
        let stored = if *self == Self::default() {
            match fs::remove_file(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                removed => removed.and_then(|()| durable::sync_parent(&path)),
            }
        } else {
            serde_json::to_vec_pretty(self)
                .map_err(io::Error::from)
                .and_then(|json| durable::write(&path, &json))
        };
        stored.map_err(|source| KeptError { path, source })
    }

    /// The isolation whose rules may be in force: the one that is tried, else the one that counts.
    #[must_use]
    pub fn present(&self) -> Option<&Isolation> {
        let tried = self.pending.as_ref().and_then(|pending| pending.wanted.as_ref());
        tried.or(self.settled.as_ref())
    }
}

impl Isolation {
    /// The addresses of a server; `None` when none are known.
    #[must_use]
    pub fn addresses(&self, server: &Uri) -> Option<&[SocketAddr]> {
        let server = server.to_string();
        let pin = self.servers.iter().find(|pin| pin.server == server)?;
        Some(&pin.addresses).filter(|addresses| !addresses.is_empty()).map(Vec::as_slice)
    }

    /// Where all servers are, each address and port once, in order.
    #[must_use]
    pub fn server_addresses(&self) -> Vec<SocketAddr> {
        let mut addresses: Vec<SocketAddr> =
            self.servers.iter().flat_map(|pin| &pin.addresses).map(|address| plain(*address)).collect();
        addresses.sort_unstable();
        addresses.dedup();
        addresses
    }
}

impl std::fmt::Display for Exception {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.port {
            Some(port) => write!(f, "{} port {port}", self.network),
            None => self.network.fmt(f),
        }
    }
}

/// An address without what only sockets know: the scope of a link-local address, and IPv4 written as IPv6.
fn plain(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn isolation() -> Isolation {
        Isolation {
            run_uuid: "0193a1b2-0000-7000-8000-000000000001".to_owned(),
            isolation_time: Timestamp::from_second(1_700_000_000).expect("in range"),
            servers: vec![
                Pin {
                    server: "https://guardhouse.test:8443/".to_owned(),
                    addresses: vec![
                        "[fd00::1]:8443".parse().expect("an address"),
                        "[::ffff:192.0.2.1]:8443".parse().expect("an address"),
                    ],
                },
                Pin {
                    server: "https://192.0.2.1:8443/".to_owned(),
                    addresses: vec!["192.0.2.1:8443".parse().expect("an address")],
                },
                Pin { server: "https://gone.test:443/".to_owned(), addresses: Vec::new() },
            ],
            exceptions: vec![Exception {
                network: "192.0.2.0/24".parse().expect("a network"),
                port: Some(53),
            }],
        }
    }

    #[test]
    fn the_file_is_there_while_there_is_something_to_say() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        assert_eq!(Kept::load(folder).expect("none"), Kept::default());
        let pending = Pending { run_uuid: "r".to_owned(), wanted: None };
        for kept in [
            Kept { settled: Some(isolation()), pending: None },
            Kept { settled: None, pending: Some(Pending { wanted: Some(isolation()), ..pending.clone() }) },
            Kept { settled: Some(isolation()), pending: Some(pending) },
        ] {
            kept.store(folder).expect("written");
            assert_eq!(Kept::load(folder).expect("read"), kept);
        }
        Kept::default().store(folder).expect("removed");
        Kept::default().store(folder).expect("nothing to remove");
        assert!(!path_in(folder).exists());

        fs::write(path_in(folder), "{").expect("spoilt");
        let error = Kept::load(folder).expect_err("spoilt").to_string();
        assert!(error.contains("isolation.json"), "{error}");
    }

    #[test]
    fn servers_are_found_by_what_the_agent_dials() {
        let isolation = isolation();
        let count = |server: &'static str| isolation.addresses(&Uri::from_static(server)).map(<[_]>::len);
        assert_eq!(count("https://guardhouse.test:8443"), Some(2));
        assert_eq!(count("https://gone.test:443"), None, "its name could not be resolved");
        assert_eq!(count("https://other.test:443"), None);
        let all: Vec<String> = isolation.server_addresses().iter().map(ToString::to_string).collect();
        assert_eq!(all, ["192.0.2.1:8443", "[fd00::1]:8443"]);
    }
}
