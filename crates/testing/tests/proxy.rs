//! Connections that are cut, frozen and healed.

mod support;

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::mpsc,
    thread,
};

use guardhouse_testing::{Proxy, postgres::Server};
use support::{Session, query};

/// A proxy, the client's end of a connection through it, and the server's.
fn connection() -> (Proxy, TcpListener, TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let proxy = Proxy::to_tcp(listener.local_addr().expect("it is bound"));
    let client = TcpStream::connect(proxy.address()).expect("it listens");
    let server = listener.accept().expect("it is passed on").0;
    for end in [&client, &server] {
        // So that a test that goes wrong ends.
        end.set_read_timeout(Some(support::PATIENCE)).expect("a time limit");
    }
    (proxy, listener, client, server)
}

/// Reads that many bytes.
fn read<const N: usize>(mut from: &TcpStream) -> [u8; N] {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes).expect("they come");
    bytes
}

/// Whether nothing has come by now.
fn is_silent(mut end: &TcpStream) -> bool {
    end.set_nonblocking(true).expect("a socket");
    let read = end.read(&mut [0]);
    end.set_nonblocking(false).expect("a socket");
    read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

/// Whether the connection ends, by a close or a reset.
fn ends(mut end: &TcpStream) -> bool {
    match end.read(&mut [0]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

#[test]
fn bytes_pass_in_both_directions_and_so_does_their_end() {
    let (_proxy, _listener, mut client, mut server) = connection();
    client.write_all(b"ask").expect("open");
    assert_eq!(&read::<3>(&server), b"ask");
    client.shutdown(Shutdown::Write).expect("open");
    assert!(ends(&server));
    server.write_all(b"answer").expect("open");
    assert_eq!(&read::<6>(&client), b"answer");
    drop(server);
    assert!(ends(&client));
}

#[test]
fn more_than_buffers_hold_passes_unchanged() {
    let (_proxy, _listener, mut client, server) = connection();
    let sent: Vec<u8> =
        (0..8_000_000_u32).map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    thread::scope(|scope| {
        scope
            .spawn(|| client.write_all(&sent).and_then(|()| client.shutdown(Shutdown::Write)).expect("open"));
        let mut received = Vec::new();
        (&server).read_to_end(&mut received).expect("open");
        assert!(received == sent);
    });
}

#[test]
fn a_frozen_connection_passes_everything_later() {
    let (proxy, _listener, mut client, mut server) = connection();
    proxy.freeze();
    client.write_all(b"first").expect("open");
    server.write_all(b"second").expect("open");
    assert!(is_silent(&server) && is_silent(&client));
    proxy.heal();
    assert_eq!(&read::<5>(&server), b"first");
    assert_eq!(&read::<6>(&client), b"second");
}

#[test]
fn a_connection_to_a_frozen_proxy_is_passed_on_later() {
    let (proxy, listener, ..) = connection();
    proxy.freeze();
    let mut client = TcpStream::connect(proxy.address()).expect("it seems to be made");
    client.write_all(b"hello").expect("open");
    listener.set_nonblocking(true).expect("a socket");
    assert!(listener.accept().is_err(), "nobody has come");
    listener.set_nonblocking(false).expect("a socket");
    proxy.heal();
    assert_eq!(&read::<5>(&listener.accept().expect("now").0), b"hello");
}

#[test]
fn a_cut_ends_what_is_there_and_refuses_what_comes_until_it_is_healed() {
    let (proxy, listener, mut client, server) = connection();
    proxy.freeze();
    client.write_all(b"lost").expect("open");
    proxy.cut();
    assert!(ends(&client) && ends(&server));
    let refused = TcpStream::connect(proxy.address()).expect("it still listens");
    assert!(ends(&refused));
    proxy.heal();
    let mut client = TcpStream::connect(proxy.address()).expect("it listens");
    client.write_all(b"new").expect("open");
    assert_eq!(&read::<3>(&listener.accept().expect("it is passed on").0), b"new");
}

#[test]
fn so_many_bytes_of_the_server_pass_and_no_more() {
    let (proxy, _listener, mut client, mut server) = connection();
    proxy.freeze_after(5);
    client.write_all(b"what a client says passes").expect("open");
    assert_eq!(&read::<25>(&server), b"what a client says passes");
    server.write_all(b"first").expect("open");
    assert_eq!(&read::<5>(&client), b"first");
    assert!(proxy.is_used_up());
    server.write_all(b"second").expect("open");
    assert!(is_silent(&client));
    proxy.heal();
    assert!(!proxy.is_used_up());
    assert_eq!(&read::<6>(&client), b"second");

    proxy.freeze_after(3);
    server.write_all(b"broken").expect("open");
    assert_eq!(&read::<3>(&client), b"bro");
    proxy.cut();
    assert!(ends(&client) && ends(&server));
}

#[test]
fn connections_end_with_the_proxy() {
    let (proxy, _listener, client, server) = connection();
    drop(proxy);
    assert!(ends(&client) && ends(&server));
}

#[test]
fn a_partition_between_client_and_database() {
    let server = Server::shared();
    let (database, proxy) = (server.empty_database(), server.proxy());
    let url = database.url_through(&proxy);
    let mut session = Session::start(&url);
    proxy.freeze();
    let (said, heard) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| said.send(session.query("select 1")));
        assert!(heard.try_recv().is_err(), "nothing answers");
        proxy.heal();
        assert_eq!(heard.recv_timeout(support::PATIENCE).expect("an answer").as_deref(), Some("1"));
    });
    proxy.cut();
    assert_eq!(session.query("select 1"), None);
    query(&url, "select 1").expect_err("nobody gets through");
    assert_eq!(query(&database.url(), "select 1").as_deref(), Ok("1"), "the server is well");
    proxy.heal();
    assert_eq!(query(&url, "select 1").as_deref(), Ok("1"));
}
