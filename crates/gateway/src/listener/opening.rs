//! How a connection begins: with a TLS handshake, or as plain HTTP where that is allowed.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use guardhouse_contract::{Code, Status, json};
use rustls::pki_types::CertificateDer;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::Shared;

/// The first byte of a TLS connection: a handshake record.
const TLS_HANDSHAKE: u8 = 0x16;

/// HTTP/2 in ALPN (RFC 9113, 3.1).
const HTTP_2: &[u8] = b"h2";

/// How long a client that was refused may take to read why.
const FAREWELL: Duration = Duration::from_secs(1);

/// A connection that is ready for HTTP.
pub enum Opened {
    /// Encrypted; client and server agreed on HTTP/2.
    Http2(Box<TlsStream<TcpStream>>),
    /// Encrypted.
    Tls(Box<TlsStream<TcpStream>>),
    /// Plain HTTP from this machine itself.
    Plain(TcpStream),
    /// Nothing to serve: the client went away, or was told to use https.
    Closed,
}

impl Opened {
    /// The certificate that the client presented and TLS verified.
    pub fn certificate(&self) -> Option<Arc<CertificateDer<'static>>> {
        let (Self::Http2(stream) | Self::Tls(stream)) = self else { return None };
        let leaf = stream.get_ref().1.peer_certificates()?.first()?;
        Some(Arc::new(leaf.clone().into_owned()))
    }
}

/// Looks at the first byte of a connection and opens it accordingly.
///
/// # Errors
/// The connection broke, or its handshake failed.
pub async fn open(shared: &Shared, mut stream: TcpStream, address: SocketAddr) -> io::Result<Opened> {
    stream.set_nodelay(true)?;
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 {
        return Ok(Opened::Closed);
    }
    if first[0] == TLS_HANDSHAKE {
        let stream = Box::new(TlsAcceptor::from(Arc::clone(&shared.tls)).accept(stream).await?);
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP_2);
        return Ok(if is_http2 { Opened::Http2(stream) } else { Opened::Tls(stream) });
    }
    if shared.insecure_http && address.ip().to_canonical().is_loopback() {
        return Ok(Opened::Plain(stream));
    }
    refuse(shared, &mut stream).await?;
    Ok(Opened::Closed)
}

/// Answers whatever the client sent with the advice to use https.
async fn refuse(shared: &Shared, stream: &mut TcpStream) -> io::Result<()> {
    let status = Status::new(Code::InvalidArgument, "HTTPS_REQUIRED", "this port speaks TLS: use https://");
    let body = json::write_message(&status.to_proto()).map_err(io::Error::other)?;
    let head = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\nrequest-id: {}\r\n\r\n",
        body.len(),
        shared.environment.uuid(),
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.shutdown().await?;
    // A socket closed with unread bytes in it resets the connection, and the client may lose the answer.
    let mut rest = [0; 1024];
    let drain = async { while matches!(stream.read(&mut rest).await, Ok(1..)) {} };
    let _ = time::timeout(FAREWELL, drain).await;
    Ok(())
}
