//! Where the server listens, and from where a simulated agent calls it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::Context as _;
use http::Uri;
use rustls::pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream, lookup_host};

/// Connections from one source address. Linux gives out 28,000 ports per address by default
/// (net.ipv4.ip_local_port_range), and looks for a free one by chance: half full is quick.
const PER_ADDRESS: usize = 10_000;

/// A server whose name has been looked up: simulated agents should not do it thousands of times.
#[derive(Debug, Clone)]
pub struct Endpoint {
    address: SocketAddr,
    /// The name that its certificate must have.
    pub name: ServerName<'static>,
    /// Scheme and authority, as HTTP/2 wants them.
    pub server: Uri,
}

impl Endpoint {
    /// Looks the server up.
    ///
    /// # Errors
    /// The address is not `https://HOST:PORT`, or the host is not known.
    pub async fn find(server: &Uri) -> anyhow::Result<Self> {
        let host = server.host().filter(|_| server.scheme_str() == Some("https"));
        let host = host.context("--server must be https://HOST:PORT")?;
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = server.port_u16().unwrap_or(443);
        let address = lookup_host((bare.as_str(), port)).await?.next();
        let address = address.with_context(|| format!("{host} has no address"))?;
        Ok(Self { address, name: ServerName::try_from(bare)?, server: server.clone() })
    }

    /// Connects for the agent with this number, counted from 1.
    ///
    /// # Errors
    /// The server does not accept the connection.
    pub async fn dial(&self, number: usize) -> std::io::Result<TcpStream> {
        let socket = if self.address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        if let Some(source) = source(self.address.ip(), number) {
            socket.bind(SocketAddr::new(source, 0))?;
        }
        let tcp = socket.connect(self.address).await?;
        tcp.set_nodelay(true)?;
        Ok(tcp)
    }
}

/// The source address of an agent: on loopback there are as many as are needed, and every one has its own ports.
/// Elsewhere, and for the first agents, the system chooses.
fn source(server: IpAddr, number: usize) -> Option<IpAddr> {
    let IpAddr::V4(server) = server else { return None };
    let block = u8::try_from(number.saturating_sub(1) / PER_ADDRESS).ok().filter(|block| *block < 250)?;
    (server.is_loopback() && block > 0).then(|| Ipv4Addr::new(127, 0, 1, block).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ten_thousand_agents_have_an_address_of_their_own() {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        let table = [
            (loopback, 1, None),
            (loopback, 10_000, None),
            (loopback, 10_001, Some([127, 0, 1, 1])),
            (loopback, 100_000, Some([127, 0, 1, 9])),
            (IpAddr::from([192, 0, 2, 1]), 100_000, None),
            (IpAddr::V6(std::net::Ipv6Addr::LOCALHOST), 100_000, None),
        ];
        for (server, number, expected) in table {
            assert_eq!(source(server, number), expected.map(IpAddr::from), "{server}, {number}");
        }
    }

    #[tokio::test]
    async fn only_https_is_a_server() {
        for wrong in ["http://localhost:1", "/path", "localhost:7443"] {
            Endpoint::find(&wrong.parse().expect("a URI")).await.expect_err(wrong);
        }
        let found =
            Endpoint::find(&"https://127.0.0.1:7443".parse().expect("a URI")).await.expect("an address");
        assert_eq!(found.address, "127.0.0.1:7443".parse().expect("an address"));
    }
}
