//! How a client opens an HTTP/2 connection to the server.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig,
    pki_types::{InvalidDnsNameError, ServerName},
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::transport::{Channel, Endpoint};
use tower::Service;

use crate::tls::HTTP_2;

/// How long name lookup, TCP and TLS may take together.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a silent connection is asked whether it still lives. Shorter than the idle time-outs of common
/// middleboxes, and what tells an agent that its server is gone.
pub const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(30);

/// How long the answer to that may take.
pub const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// The port of a URI that names none.
const DEFAULT_PORT: u16 = 443;

/// Why no connection came about. The sources say more; print them all.
#[derive(Debug, thiserror::Error)]
#[error("cannot connect to {server}")]
pub struct ConnectError {
    server: String,
    source: ConnectFailure,
}

/// What failed.
#[derive(Debug, thiserror::Error)]
enum ConnectFailure {
    #[error("the address names no host; write it as https://HOST:PORT")]
    NoHost,
    #[error("{0:?} is not the name of a host")]
    HostName(String, #[source] InvalidDnsNameError),
    #[error(transparent)]
    Transport(#[from] tonic::transport::Error),
}

/// Opens a connection to the host and port of `server`, always with TLS, and returns it when it stands.
///
/// The channel reconnects by itself when it is used after a loss; a holder of a standing stream learns of the
/// loss from the stream.
///
/// # Errors
/// [`ConnectError`]: the address is not usable, nobody answers, the server is not the trusted one or does not
/// speak HTTP/2.
pub async fn connect(server: &Uri, tls: Arc<ClientConfig>) -> Result<Channel, ConnectError> {
    connect_by(server, None, tls).await
}

/// As [`connect`], by these addresses in their order instead of those that the name of the host is resolved to. The
/// server must still prove that it has that name.
///
/// # Errors
/// As [`connect`].
pub async fn connect_to(
    server: &Uri,
    addresses: Vec<SocketAddr>,
    tls: Arc<ClientConfig>,
) -> Result<Channel, ConnectError> {
    connect_by(server, Some(addresses.into()), tls).await
}

/// As [`connect`], when it is used for the first time: nobody has to answer yet. Each use that finds no connection tries to
/// open one.
///
/// # Errors
/// [`ConnectError`]: the address is not usable.
pub fn connect_when_used(server: &Uri, tls: Arc<ClientConfig>) -> Result<Channel, ConnectError> {
    let connector = connector(server, None, tls)?;
    Ok(endpoint(server).connect_with_connector_lazy(connector))
}

async fn connect_by(
    server: &Uri,
    addresses: Option<Arc<[SocketAddr]>>,
    tls: Arc<ClientConfig>,
) -> Result<Channel, ConnectError> {
    let connector = connector(server, addresses, tls)?;
    endpoint(server)
        .connect_with_connector(connector)
        .await
        .map_err(|error| ConnectError { server: server.to_string(), source: error.into() })
}

fn endpoint(server: &Uri) -> Endpoint {
    Endpoint::from(server.clone())
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
}

/// A connection as tonic takes it.
type Io = TokioIo<TlsStream<TcpStream>>;

/// Opens a connection whenever it is called.
fn connector(
    server: &Uri,
    addresses: Option<Arc<[SocketAddr]>>,
    tls: Arc<ClientConfig>,
) -> Result<impl Service<Uri, Response = Io, Error = io::Error, Future: Send> + Send + 'static, ConnectError>
{
    let target = |failure| ConnectError { server: server.to_string(), source: failure };
    let (host, port) = host_and_port(server).map_err(target)?;
    let name = ServerName::try_from(host.clone())
        .map_err(|error| target(ConnectFailure::HostName(host.clone(), error)))?;

    Ok(tower::service_fn(move |_: Uri| {
        let (host, name, tls) = (host.clone(), name.clone(), Arc::clone(&tls));
        let addresses = addresses.clone();
        async move {
            let tcp = match addresses {
                Some(addresses) => connect_any(&addresses).await?,
                None => TcpStream::connect((host.as_str(), port)).await?,
            };
            open(tcp, name, tls).await.map(TokioIo::new)
        }
    }))
}

fn host_and_port(server: &Uri) -> Result<(String, u16), ConnectFailure> {
    let host = server.host().filter(|host| !host.is_empty()).ok_or(ConnectFailure::NoHost)?;
    // A URI writes IPv6 addresses in brackets; sockets and certificates know them without.
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Ok((bare.to_owned(), server.port_u16().unwrap_or(DEFAULT_PORT)))
}

/// The host, as sockets write it, and the port of a server's address; `None` when it names no host.
#[must_use]
pub fn socket_name(server: &Uri) -> Option<(String, u16)> {
    host_and_port(server).ok()
}

/// Connects to the first address that answers. Each has its share of the time: one that is silent must not use up that of
/// the others.
async fn connect_any(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let share = CONNECT_TIMEOUT / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let mut failure = io::Error::new(io::ErrorKind::AddrNotAvailable, "no address of the server is known");
    for address in addresses {
        failure = match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => return Ok(tcp),
            Ok(Err(error)) => error,
            Err(_) => io::Error::new(io::ErrorKind::TimedOut, format!("{address} does not answer")),
        };
    }
    Err(failure)
}

async fn open(
    tcp: TcpStream,
    name: ServerName<'static>,
    tls: Arc<ClientConfig>,
) -> io::Result<TlsStream<TcpStream>> {
    tcp.set_nodelay(true)?;
    let stream = TlsConnector::from(tls).connect(name, tcp).await?;
    if stream.get_ref().1.alpn_protocol() != Some(HTTP_2) {
        return Err(io::Error::other(
            "the server does not offer HTTP/2; is the address that of a Guardhouse server?",
        ));
    }
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;
    use crate::{
        test_certificates::Authority,
        tls::{HTTP_1_1, Trust, client_config, server_config},
    };

    /// A TLS server on loopback that accepts one connection and keeps it open.
    async fn listen(authority: &Authority, alpn: &[u8]) -> Uri {
        let (chain, key) = authority.issue("localhost");
        let mut config = server_config(chain, key, authority.certificate()).expect("configuration");
        Arc::get_mut(&mut config).expect("not shared yet").alpn_protocols = vec![alpn.to_vec()];
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        tokio::spawn(async move {
            let (tcp, _) = listener.accept().await.expect("a connection");
            let stream = TlsAcceptor::from(config).accept(tcp).await;
            std::future::pending::<()>().await;
            drop(stream);
        });
        format!("https://localhost:{port}").parse().expect("a URI")
    }

    fn trusting(authority: &Authority, alpn: &[&[u8]]) -> Arc<ClientConfig> {
        client_config(Trust::Authorities(vec![authority.certificate()]), None, alpn).expect("configuration")
    }

    fn reasons(error: &ConnectError) -> String {
        let chain = std::iter::successors(Some(error as &(dyn Error + 'static)), |error| (*error).source());
        chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    #[tokio::test]
    async fn a_trusted_server_is_reached() {
        let authority = Authority::new("right");
        let server = listen(&authority, HTTP_2).await;
        connect(&server, trusting(&authority, &[HTTP_2])).await.expect("a channel");
    }

    #[tokio::test]
    async fn the_reasons_say_what_is_wrong() {
        let (right, wrong) = (Authority::new("right"), Authority::new("wrong"));

        let server = listen(&right, HTTP_2).await;
        let error = connect(&server, trusting(&wrong, &[HTTP_2])).await.expect_err("a stranger");
        assert!(reasons(&error).contains("invalid peer certificate"), "{}", reasons(&error));

        let server = listen(&right, HTTP_1_1).await;
        let error = connect(&server, trusting(&right, &[HTTP_2, HTTP_1_1])).await.expect_err("HTTP/1.1");
        assert!(reasons(&error).contains("does not offer HTTP/2"), "{}", reasons(&error));

        let nobody = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("address");
        let server = format!("https://localhost:{}", nobody.port()).parse().expect("a URI");
        let error = connect(&server, trusting(&right, &[HTTP_2])).await.expect_err("nobody listens");
        assert!(reasons(&error).contains("refused"), "{}", reasons(&error));
    }

    #[tokio::test]
    async fn given_addresses_count_instead_of_the_name() {
        let authority = Authority::new("right");
        let listener = listen(&authority, HTTP_2).await;
        let port = listener.port_u16().expect("a port");
        let nobody = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("address");
        // Nobody answers by the name of the certificate at the port that the URI names.
        let server: Uri = format!("https://localhost:{}", nobody.port()).parse().expect("a URI");
        let addresses = vec![nobody, SocketAddr::from(([127, 0, 0, 1], port))];
        connect_to(&server, addresses.clone(), trusting(&authority, &[HTTP_2])).await.expect("a channel");

        let other: Uri = "https://other.test".parse().expect("a URI");
        let listener = listen(&authority, HTTP_2).await;
        let addresses = vec![SocketAddr::from(([127, 0, 0, 1], listener.port_u16().expect("a port")))];
        let error = connect_to(&other, addresses, trusting(&authority, &[HTTP_2])).await.expect_err("not it");
        assert!(reasons(&error).contains("invalid peer certificate"), "{}", reasons(&error));
        let error =
            connect_to(&other, Vec::new(), trusting(&authority, &[HTTP_2])).await.expect_err("nowhere");
        assert!(reasons(&error).contains("no address"), "{}", reasons(&error));
    }

    #[test]
    fn addresses() {
        let table = [
            ("https://guardhouse.test", Some(("guardhouse.test", 443))),
            ("https://guardhouse.test:8443", Some(("guardhouse.test", 8443))),
            ("https://[::1]:8443", Some(("::1", 8443))),
            ("/path", None),
        ];
        for (text, expected) in table {
            let uri = text.parse().expect("a URI");
            let found = host_and_port(&uri).ok();
            assert_eq!(found.as_ref().map(|(host, port)| (host.as_str(), *port)), expected, "{text}");
        }
    }
}
