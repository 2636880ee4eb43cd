//! A mirror of advisories: a real HTTP server on this machine.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, Response, StatusCode, header},
    routing::get,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};

/// What the mirror has.
#[derive(Debug, Default)]
struct Shelf {
    files: BTreeMap<String, (u64, String)>,
    changes: u64,
    sent: usize,
}

/// A mirror, until the test ends.
pub struct Mirror {
    shelf: Arc<Mutex<Shelf>>,
    address: String,
}

impl Mirror {
    pub async fn start() -> Self {
        let shelf = Arc::<Mutex<Shelf>>::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let away = |to: String| async move {
            Response::builder()
                .status(StatusCode::FOUND)
                .header(header::LOCATION, to)
                .body(Body::empty())
                .expect("an answer")
        };
        let app = Router::new()
            .route("/files/{name}", get(file))
            .route("/moved/{name}", get(move |Path(name): Path<String>| away(format!("/files/{name}"))))
            .route("/round/{name}", get(move |Path(name): Path<String>| away(format!("/round/{name}"))))
            .route(
                "/elsewhere/{name}",
                get(move |Path(name): Path<String>| away(format!("http://mirror.example/{name}"))),
            )
            .with_state(Arc::clone(&shelf));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { shelf, address }
    }

    /// Puts a file there, or changes it.
    pub fn has(&self, name: &str, text: &str) {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.changes += 1;
        let change = shelf.changes;
        shelf.files.insert(name.to_owned(), (change, text.to_owned()));
    }

    /// The address of a file; one with a folder is that folder of the mirror's.
    pub fn url(&self, name: &str) -> String {
        let folder = if name.contains('/') { "" } else { "files/" };
        format!("{}/{folder}{name}", self.address)
    }

    /// How often a file was sent.
    pub fn sent(&self) -> usize {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).sent
    }
}

async fn file(
    Path(name): Path<String>,
    State(shelf): State<Arc<Mutex<Shelf>>>,
    headers: HeaderMap,
) -> Response<Body> {
    let mut shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
    let Some((change, text)) = shelf.files.get(&name).cloned() else {
        return Response::builder().status(StatusCode::NOT_FOUND).body(Body::empty()).expect("an answer");
    };
    let tag = format!("\"{change}\"");
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return Response::builder().status(StatusCode::NOT_MODIFIED).body(Body::empty()).expect("an answer");
    }
    shelf.sent += 1;
    Response::builder().header(header::ETAG, tag).body(text.into()).expect("an answer")
}

/// The address of a server whose answer ends in the middle.
pub async fn broken() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}/a.json", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await?;
        let mut request = BufReader::new(&mut connection).lines();
        while request.next_line().await?.is_some_and(|line| !line.is_empty()) {}
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"id\": ").await?;
        connection.shutdown().await
    });
    address
}
