//! One connection, from its first byte to its end.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
    time,
};
use tracing::debug;

use super::{
    Shared,
    opening::{Opened, open},
};
use crate::origin::Origin;

/// From the first byte to the end of the TLS handshake.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// From the handshake to the first request, and for the head of each request of HTTP/1.1.
const HEADER_LIMIT: Duration = Duration::from_secs(15);
/// How often an HTTP/2 connection is asked for a sign of life, and how long that may take.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_LIMIT: Duration = Duration::from_secs(20);
/// How many requests one HTTP/2 connection may run at a time.
const MAX_STREAMS: u32 = 256;

/// Serves a connection until it ends, or until `stopping` is set and its requests are answered.
pub async fn serve(
    shared: &Arc<Shared>,
    stream: TcpStream,
    address: SocketAddr,
    mut stopping: watch::Receiver<bool>,
) {
    let opened = tokio::select! {
        opened = time::timeout(HANDSHAKE_LIMIT, open(shared, stream, address)) => opened,
        _ = stopping.wait_for(|stop| *stop) => return,
    };
    let opened = match opened {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => return debug!(%address, %error, "a connection could not be opened"),
        Err(_) => return debug!(%address, "a connection took too long to open"),
    };
    let origin = Origin { address: address.ip().to_canonical(), certificate: opened.certificate() };
    match opened {
        Opened::Tls(stream) => serve_http(shared, *stream, origin, stopping).await,
        Opened::Plain(stream) => serve_http(shared, stream, origin, stopping).await,
        Opened::Closed => {}
    }
}

async fn serve_http(
    shared: &Arc<Shared>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    origin: Origin,
    mut stopping: watch::Receiver<bool>,
) {
    let address = origin.address;
    let requested = Arc::new(AtomicBool::new(false));
    let service = {
        let (shared, requested) = (Arc::clone(shared), Arc::clone(&requested));
        service_fn(move |request: Request<Incoming>| {
            requested.store(true, Ordering::Relaxed);
            let (shared, origin) = (Arc::clone(&shared), origin.clone());
            async move { Ok::<_, Infallible>(shared.port.serve(request, &origin).await) }
        })
    };
    let builder = builder();
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    // hyper limits the head of a request, but not the wait for the first byte of a connection.
    let mut silence = pin!(time::sleep(HEADER_LIMIT));
    let (mut watched, mut told) = (true, false);
    loop {
        tokio::select! {
            ended = &mut connection => {
                return if let Err(error) = ended {
                    debug!(%address, error = &*error, "a connection ended early");
                };
            }
            () = &mut silence, if watched => {
                if !requested.load(Ordering::Relaxed) {
                    return debug!(%address, "a connection without a request was closed");
                }
                watched = false;
            }
            _ = stopping.wait_for(|stop| *stop), if !told => {
                connection.as_mut().graceful_shutdown();
                told = true;
            }
        }
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_LIMIT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_LIMIT)
        .max_concurrent_streams(MAX_STREAMS);
    builder
}
