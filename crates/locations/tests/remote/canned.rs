//! A server that answers what a test says, whatever is sent.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// What answers a request: it is given the head of it, and how many came before.
type Answer = dyn Fn(&str, usize) -> Vec<u8> + Send;

/// A server on loopback that closes the connection behind each answer.
pub struct Canned {
    address: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Canned {
    pub fn start(answer: impl Fn(&str, usize) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let address = format!("http://{}", listener.local_addr().expect("it has one"));
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer): (_, Box<Answer>) = (Arc::clone(&heads), Box::new(answer));
        // It ends with the test process.
        thread::spawn(move || {
            for (number, connection) in listener.incoming().flatten().enumerate() {
                serve(connection, &seen, &answer, number);
            }
        });
        Self { address, heads }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// The heads of all requests until now.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(mut connection: TcpStream, seen: &Mutex<Vec<String>>, answer: &Answer, number: usize) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && matches!(connection.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let answer = answer(&head, number);
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(head);
    // Who hangs up does so in the middle of the answer.
    let _ = connection.write_all(&answer);
    let _ = connection.shutdown(Shutdown::Both);
}

/// An answer with these headers and this body.
pub fn answer(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\nconnection: close\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend(format!("{name}: {value}\r\n").into_bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(body);
    bytes
}

/// The byte that a request asks for first.
pub fn start_of(head: &str) -> usize {
    let range = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
    range.and_then(|range| range.split('-').next()?.parse().ok()).unwrap_or(0)
}
