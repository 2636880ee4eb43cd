//! One connection, from its first byte to its end.

use std::{
    convert::Infallible,
    error::Error,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http2, service::Service};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::{Semaphore, watch},
    time,
};
use tokio_rustls::server::TlsStream;
use tracing::debug;

use super::{
    Shared,
    opening::{Opened, open},
};
use crate::{answer::Body, origin::Origin};

/// For the first byte, for the turn of the handshake, and for the handshake.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// How long a handshake may keep its turn from others. One that takes longer waits for its client.
const TURN: Duration = Duration::from_millis(500);
/// From the handshake to the first request, and for the head of each request of HTTP/1.1.
const HEADER_LIMIT: Duration = Duration::from_secs(15);
/// How often an HTTP/2 connection is asked for a sign of life, and how long that may take.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_LIMIT: Duration = Duration::from_secs(20);
/// How many requests one HTTP/2 connection may run at a time.
const MAX_STREAMS: u32 = 256;

/// Serves a connection until it ends, or until `stopping` is set and its requests are answered.
///
/// There is such a future for every connected device, and nearly all of them rest: what is large or needed for
/// a while only has a box of its own.
pub async fn serve(
    shared: &Arc<Shared>,
    turns: &Semaphore,
    stream: TcpStream,
    address: SocketAddr,
    mut stopping: watch::Receiver<bool>,
) {
    let opened = tokio::select! {
        opened = Box::pin(open_in_turn(shared, turns, stream, address)) => opened,
        _ = stopping.wait_for(|stop| *stop) => return,
    };
    let opened = match opened {
        Ok(opened) => opened,
        Err(error) => return debug!(%address, %error, "a connection could not be opened"),
    };
    let is_encrypted = !matches!(opened, Opened::Plain(_));
    let origin = Origin::new(address.ip().to_canonical(), opened.certificate(), is_encrypted);
    let requests = Requests { shared: Arc::clone(shared), origin, seen: Arc::default() };
    match opened {
        Opened::Http2(stream) => {
            let connection = http2(stream, requests.clone());
            drive(connection, |connection| connection.graceful_shutdown(), requests, stopping).await;
        }
        Opened::Tls(stream) => Box::pin(serve_any(*stream, requests, stopping)).await,
        Opened::Plain(stream) => Box::pin(serve_any(stream, requests, stopping)).await,
        Opened::Closed => {}
    }
}

/// Opens a connection when it is its turn.
///
/// When all clients come at once, after a restart, those that came first are finished first. Handshakes that all
/// advance together all end late, and many not before their clients have given up: then the work is lost, and they
/// come again.
async fn open_in_turn(
    shared: &Shared,
    turns: &Semaphore,
    stream: TcpStream,
    address: SocketAddr,
) -> io::Result<Opened> {
    // A client that says nothing holds no turn.
    time::timeout(HANDSHAKE_LIMIT, stream.peek(&mut [0])).await??;
    // One that has waited so long has given up.
    let turn = time::timeout(HANDSHAKE_LIMIT, turns.acquire()).await?;
    let mut opening = pin!(time::timeout(HANDSHAKE_LIMIT, open(shared, stream, address)));
    tokio::select! {
        opened = &mut opening => return opened?,
        () = time::sleep(TURN) => drop(turn),
    }
    opening.await?
}

/// Serves a client that has yet to show which HTTP it speaks.
async fn serve_any(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    requests: Requests,
    stopping: watch::Receiver<bool>,
) {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_LIMIT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_LIMIT)
        .max_concurrent_streams(MAX_STREAMS);
    let connection = builder.serve_connection(TokioIo::new(stream), requests.clone());
    drive(Box::pin(connection), |connection| connection.graceful_shutdown(), requests, stopping).await;
}

type Http2 = http2::Connection<TokioIo<TlsStream<TcpStream>>, Requests, TokioExecutor>;

/// A client that has agreed on HTTP/2, as every agent does. A function of its own, at whose end the box of the
/// stream is gone.
fn http2(stream: Box<TlsStream<TcpStream>>, requests: Requests) -> Pin<Box<Http2>> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_LIMIT)
        .max_concurrent_streams(MAX_STREAMS);
    Box::pin(builder.serve_connection(TokioIo::new(*stream), requests))
}

/// Polls a connection to its end; `wind_down` makes it take no more requests.
async fn drive<C, E>(
    mut connection: Pin<Box<C>>,
    wind_down: impl Fn(Pin<&mut C>),
    requests: Requests,
    mut stopping: watch::Receiver<bool>,
) where
    C: Future<Output = Result<(), E>>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let address = requests.origin.address;
    // hyper limits the head of a request, but not the wait for the first byte of a connection.
    let mut silence = pin!(time::sleep(HEADER_LIMIT));
    let (mut watched, mut told) = (true, false);
    loop {
        tokio::select! {
            ended = &mut connection => {
                return if let Err(error) = ended {
                    debug!(%address, error = &*error.into(), "a connection ended early");
                };
            }
            () = &mut silence, if watched => {
                if !requests.seen.load(Ordering::Relaxed) {
                    return debug!(%address, "a connection without a request was closed");
                }
                watched = false;
            }
            _ = stopping.wait_for(|stop| *stop), if !told => {
                wind_down(connection.as_mut());
                told = true;
            }
        }
    }
}

/// Answers the requests of one connection.
#[derive(Clone)]
struct Requests {
    shared: Arc<Shared>,
    origin: Origin,
    /// Whether there was one.
    seen: Arc<AtomicBool>,
}

impl Service<Request<Incoming>> for Requests {
    type Response = Response<Body>;
    type Error = Infallible;
    // In a box that is given back with the answer: a stream, such as the agent link, can outlive it by weeks.
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.seen.store(true, Ordering::Relaxed);
        let (shared, origin) = (Arc::clone(&self.shared), self.origin.clone());
        Box::pin(async move { Ok(shared.port.serve(request, &origin).await) })
    }
}
