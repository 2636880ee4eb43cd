//! The listening socket: accepts connections and ends them in order.

mod connection;
mod opening;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use guardhouse_model::Environment;
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time,
};
use tracing::{debug, info, warn};

use crate::port::Port;

/// How long running requests may take when the server stops.
pub const SHUTDOWN_LIMIT: Duration = Duration::from_secs(10);

/// The pause after the system refused to accept: it is out of descriptors or memory, and asking at once again
/// would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// TLS handshakes that advance at the same time: enough that slow clients leave no processor idle.
const HANDSHAKES: usize = 256;

/// What every connection needs.
pub struct Shared {
    /// Answers requests.
    pub port: Port,
    /// The server's certificate and what it asks of clients.
    pub tls: Arc<ServerConfig>,
    /// Whether plain HTTP is served to this machine itself.
    pub insecure_http: bool,
    /// Makes the ids of refusals that never become requests.
    pub environment: Environment,
}

/// Accepts connections, at most `max_connections` at a time, until `shutdown` is ready. Then accepts no more,
/// lets running requests end for [`SHUTDOWN_LIMIT`], and closes what is left.
pub async fn run(
    listener: TcpListener,
    shared: Arc<Shared>,
    max_connections: usize,
    shutdown: impl Future<Output = ()>,
) {
    let room = Arc::new(Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS)));
    let turns = Arc::new(Semaphore::new(HANDSHAKES));
    let (stop, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            // Full: clients wait in the system's queue, and no connection is answered with silence.
            accepted = accept(&listener, &room) => {
                let (permit, stream, address) = accepted;
                let (shared, turns) = (Arc::clone(&shared), Arc::clone(&turns));
                let stopping = stopping.clone();
                connections.spawn(async move {
                    connection::serve(&shared, &turns, stream, address, stopping).await;
                    drop(permit);
                });
            }
            // Keeps the set from growing.
            Some(_) = connections.join_next() => {}
            () = &mut shutdown => break,
        }
    }
    drop(listener);
    shared.port.grpc.not_serving().await;
    stop.send_replace(true);
    info!(connections = connections.len(), "stopping: no new connections, running requests end");
    let ended = async { while connections.join_next().await.is_some() {} };
    if time::timeout(SHUTDOWN_LIMIT, ended).await.is_err() {
        warn!("some requests did not end in time and are cut off");
    }
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> (tokio::sync::OwnedSemaphorePermit, TcpStream, SocketAddr) {
    let permit = Arc::clone(room).acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, address)) => return (permit, stream, address),
            Err(error) if is_of_one_connection(&error) => {
                debug!(%error, "a connection ended before it began")
            }
            Err(error) => {
                warn!(%error, "cannot accept connections; trying again");
                time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether the error concerns the accepted connection and not the socket.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
