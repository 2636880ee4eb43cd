//! The one address that agents know when there are several servers.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{self, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

/// A listener on loopback that leads each connection to the next server that answers. It knows nothing of what passes:
/// TLS is between the ends. It works on the runtime of the test, and ends with it.
#[derive(Debug)]
pub struct Balancer {
    address: SocketAddr,
    servers: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Balancer {
    /// A balancer without servers: connections end as soon as they are made.
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let address = listener.local_addr().expect("it is bound");
        let servers = Arc::default();
        tokio::spawn(accept(listener, Arc::clone(&servers)));
        Self { address, servers }
    }

    /// The address with `https`.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Leads new connections to these servers, in turns; those that stand go on.
    pub fn lead_to(&self, servers: &[SocketAddr]) {
        *self.servers.lock().unwrap_or_else(PoisonError::into_inner) = servers.to_vec();
    }
}

async fn accept(listener: TcpListener, servers: Arc<Mutex<Vec<SocketAddr>>>) {
    let mut turn = 0;
    while let Ok((client, _)) = listener.accept().await {
        let mut servers = servers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if !servers.is_empty() {
            let first = turn % servers.len();
            servers.rotate_left(first);
        }
        turn += 1;
        // Whichever end is lost, the other learns of it.
        tokio::spawn(async move { pass(client, &servers).await });
    }
}

async fn pass(mut client: TcpStream, servers: &[SocketAddr]) -> io::Result<()> {
    let mut server = TcpStream::connect(servers).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}
