//! Connections: TLS and plain HTTP on one port, limits, and the end.

use std::{sync::atomic::Ordering, time::Duration};

use guardhouse_gateway::SHUTDOWN_LIMIT;
use reqwest::{Method, Version};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{GROUP, Server, send};

/// Sends bytes and reads until the server closes the connection.
async fn talk(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    stream.write_all(bytes).await.expect("sent");
    let mut answer = Vec::new();
    // A connection that is reset has said what it had to say.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn one_port_speaks_tls_and_plain_http() {
    let server = Server::new().await;
    let url = |scheme: &str| format!("{scheme}://{}/healthz", server.address);
    for (alpn, version) in [(&b"h2"[..], Version::HTTP_2), (b"http/1.1", Version::HTTP_11)] {
        let response = server.client(&[alpn]).get(url("https")).send().await.expect("an answer");
        assert_eq!((response.status().as_u16(), response.version()), (200, version));
    }
    let response = server.client(&[b"http/1.1"]).get(url("http")).send().await.expect("an answer");
    assert_eq!((response.status().as_u16(), response.version()), (200, Version::HTTP_11));
}

#[tokio::test]
async fn plain_http_is_told_to_use_https() {
    let server = Server::start(|settings| settings.insecure_http = false).await;
    let answer = talk(&server, b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("HTTPS_REQUIRED") && answer.contains("request-id: "), "{answer}");
    let url = format!("https://{}/healthz", server.address);
    assert_eq!(server.client(&[b"h2"]).get(url).send().await.expect("an answer").status().as_u16(), 200);
}

#[tokio::test]
async fn garbage_harms_nobody() {
    let server = Server::new().await;
    for bytes in [
        &b"\x16\x03\x01\xff\xff garbage"[..],
        b"\x00\x01\x02\x03",
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        b"\x16",
    ] {
        let mut stream = TcpStream::connect(server.address).await.expect("a connection");
        stream.write_all(bytes).await.expect("sent");
    }
    assert_eq!(server.plain(Method::GET, "/healthz").send().await.expect("an answer").status().as_u16(), 200);
}

#[tokio::test]
async fn a_connection_outlives_a_request_that_is_refused_before_its_body_arrives() {
    let server = Server::new().await;
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    let head = b"POST /v1/groups HTTP/1.1\r\nhost: x\r\ncontent-length: 8\r\n\r\n";
    stream.write_all(head).await.expect("sent");
    let early = tokio::time::timeout(Duration::from_millis(50), stream.readable()).await;
    early.expect_err("the answer comes when the next request can");
    let rest = b"{\"a\": 1}GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(rest).await.expect("sent");
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.expect("two answers");
    assert!(answers.starts_with("HTTP/1.1 400 ") && answers.contains("HTTP/1.1 200 "), "{answers}");
}

#[tokio::test]
async fn a_refused_request_may_be_large() {
    let server = Server::new().await;
    for alpn in [&b"h2"[..], b"http/1.1"] {
        let url = format!("https://{}/v1/groups", server.address);
        let request = server.client(&[alpn]).post(url).body(vec![b' '; 4 * 1024 * 1024]);
        assert_eq!(send(request).await.reason(), "AUTHORIZATION_MISSING");
    }
}

#[tokio::test]
async fn a_client_is_told_when_a_refused_request_is_the_last() {
    let server = Server::new().await;
    for header in ["content-length: 100000000", "content-length: 8\r\nexpect: 100-continue"] {
        let head = format!("POST /v1/groups HTTP/1.1\r\nhost: x\r\n{header}\r\n\r\n");
        let answer = talk(&server, head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
}

/// The clock of this test jumps over every wait in which nothing happens.
#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_closed() {
    let server = Server::new().await;
    for begin in [&b""[..], b"\x16\x03\x01", b"GET / HTT", b"PRI * HT"] {
        let answer = talk(&server, begin).await;
        assert!(!answer.contains("200"), "{answer}");
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_wait() {
    let server = Server::start(|settings| settings.max_connections = 1).await;
    let first = TcpStream::connect(server.address).await.expect("a connection");
    let mut waiting = tokio::spawn(server.plain(Method::GET, "/healthz").send());
    let early = tokio::time::timeout(Duration::from_millis(50), &mut waiting).await;
    early.expect_err("the only seat is taken until the first connection ends");
    drop(first);
    assert_eq!(waiting.await.expect("no panic").expect("an answer").status().as_u16(), 200);
}

#[tokio::test]
async fn running_requests_end_before_the_server_does() {
    let mut server = Server::new().await;
    let idle = TcpStream::connect(server.address).await.expect("a connection");
    let request = server.admin(Method::POST, &format!("/v1/groups/{GROUP}:rename")).await;
    let running = tokio::spawn(send(request.json(&json!({"displayName": "Laptops"}))));
    while server.groups.renamed.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let mut stopped = server.stop();
    tokio::time::timeout(Duration::from_millis(50), &mut stopped).await.expect_err("a request still runs");
    TcpStream::connect(server.address).await.expect_err("no new connections");
    server.groups.may_rename.add_permits(1);
    assert_eq!(running.await.expect("no panic").status, 200);
    tokio::time::timeout(SHUTDOWN_LIMIT, stopped).await.expect("nothing runs any more").expect("no panic");
    drop(idle);
}
