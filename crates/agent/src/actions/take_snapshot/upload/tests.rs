use std::{
    cell::Cell,
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Mutex},
};

use guardhouse_contract::link::{Order, PutSnapshotPartResponse};
use guardhouse_model::{
    Environment, RunId, Timestamp,
    environment::{Entropy, ManualClock},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tonic::{Request, Response, server::Grpc, transport::Endpoint};
use tonic_prost::ProstCodec;
use uuid::Uuid;

use super::*;
use crate::{runs::folder::Folder, workplace::Limits};

/// What the server does with a call.
#[derive(Debug, Clone)]
enum Act {
    /// Keeps only so many bytes of the part.
    Keep(usize),
    /// Keeps the part, and its answer is lost.
    KeepSilently,
    /// Keeps nothing and answers this.
    Refuse(Status),
    /// Loses what it had.
    Forget,
    /// The run is cancelled meanwhile; keeps nothing and answers nothing of use.
    Cancel,
}

#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    ended: bool,
    acts: VecDeque<Act>,
    calls: usize,
}

/// A server that keeps one snapshot, and does with the first calls as it was told.
#[derive(Debug, Clone)]
struct Keeper {
    kept: Arc<Mutex<Kept>>,
    folder: Folder,
}

impl Keeper {
    /// Listens, and answers one method.
    async fn serve(self, listener: TcpListener) {
        while let Ok((tcp, _)) = listener.accept().await {
            let keeper = self.clone();
            let service = tower::service_fn(move |request: http::Request<hyper::body::Incoming>| {
                let keeper = keeper.clone();
                let put = tower::service_fn(move |request: Request<PutSnapshotPartRequest>| {
                    let answer = keeper.put_part(request.into_inner()).map(Response::new);
                    async move { answer }
                });
                async move {
                    assert_eq!(request.uri().path(), "/guardhouse.link.v1.DeviceSnapshots/PutPart");
                    let codec = ProstCodec::<PutSnapshotPartResponse, PutSnapshotPartRequest>::default();
                    Ok::<_, Infallible>(Grpc::new(codec).unary(put, request).await)
                }
            });
            tokio::spawn(async move {
                let connection = auto::Builder::new(TokioExecutor::new());
                let _ =
                    connection.serve_connection(TokioIo::new(tcp), TowerToHyperService::new(service)).await;
            });
        }
    }

    fn put_part(&self, request: PutSnapshotPartRequest) -> Result<PutSnapshotPartResponse, Status> {
        let PutSnapshotPartRequest { run_uuid, offset, content, last } = request;
        let mut kept = self.kept.lock().expect("not poisoned");
        kept.calls += 1;
        assert_eq!(run_uuid, RUN.to_string());
        let act = if kept.calls == 1 { None } else { kept.acts.pop_front() };
        let length = match act {
            Some(Act::Refuse(status)) => return Err(status),
            Some(Act::Cancel) => {
                self.folder.cancel().expect("asked");
                return Err(Status::unavailable("away"));
            }
            Some(Act::Forget) => {
                kept.bytes.truncate(1);
                0
            }
            Some(Act::Keep(length)) => length,
            Some(Act::KeepSilently) | None => content.len(),
        };
        if offset == kept.bytes.len() as u64 {
            let part = &content[..length.min(content.len())];
            kept.bytes.extend_from_slice(part);
            kept.ended |= last && part.len() == content.len();
        }
        match act {
            Some(Act::KeepSilently) => Err(Status::unavailable("the connection broke")),
            _ => Ok(PutSnapshotPartResponse { kept_bytes: kept.bytes.len() as u64 }),
        }
    }
}

const RUN: RunId = RunId(Uuid::from_u128(7));

/// Waits are as short as they can be.
#[derive(Debug)]
struct Zeros;

impl Entropy for Zeros {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

struct Bench {
    _root: TempDir,
    workplace: Workplace,
    kept: Arc<Mutex<Kept>>,
    address: String,
}

impl Bench {
    /// A server that does this with the calls behind the first one.
    async fn new(acts: &[Act]) -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let folder = Folder::of(root.path(), RUN);
        folder.create(&Order::default()).expect("made");
        let environment =
            Environment::new(Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH)), Arc::new(Zeros));
        let state = root.path().to_owned();
        let workplace =
            Workplace { run: RUN, folder: folder.clone(), state, limits: Limits::default(), environment };
        let kept = Arc::new(Mutex::new(Kept { acts: acts.iter().cloned().collect(), ..Kept::default() }));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(Keeper { kept: Arc::clone(&kept), folder }.serve(listener));
        Self { _root: root, workplace, kept, address }
    }

    /// An upload for which the server is not there the first times.
    fn upload(&self, absences: usize) -> Upload<'_> {
        let left = Cell::new(absences);
        let dial = move || -> Pin<Box<dyn Future<Output = Result<Channel, Trouble>> + '_>> {
            if let Some(fewer) = left.get().checked_sub(1) {
                left.set(fewer);
                return Box::pin(async { Err(Trouble::Passing("nobody answers".to_owned())) });
            }
            let endpoint = Endpoint::from_shared(self.address.clone()).expect("an address");
            Box::pin(
                async move { endpoint.connect().await.map_err(|error| Trouble::Passing(error.to_string())) },
            )
        };
        Upload::by(&self.workplace, Box::new(dial))
    }

    /// Sends three parts.
    async fn send(&self, absences: usize) -> Result<u64, Failure> {
        let mut upload = self.upload(absences);
        upload.ask().await?;
        for (number, part) in PARTS.iter().enumerate() {
            upload.put(part, number + 1 == PARTS.len()).await?;
        }
        Ok(upload.kept())
    }

    fn kept(&self) -> (Vec<u8>, bool) {
        let kept = self.kept.lock().expect("not poisoned");
        (kept.bytes.clone(), kept.ended)
    }
}

const PARTS: [&[u8]; 3] = [b"one part", b"another part", b"the end"];

#[tokio::test]
async fn everything_arrives_once_whatever_is_lost() {
    let away = || Act::Refuse(Status::unavailable("the server is shutting down"));
    let table: [&[Act]; 7] = [
        &[],
        &[away(), away(), Act::Refuse(Status::resource_exhausted("no room"))],
        &[Act::KeepSilently, Act::KeepSilently, Act::KeepSilently, Act::KeepSilently],
        &[Act::Keep(3), Act::Keep(2), away(), Act::Keep(1)],
        &[Act::Keep(0), Act::Keep(0)],
        &[Act::Keep(3), Act::KeepSilently, away()],
        &[Act::Refuse(Status::unauthenticated("the certificate is over")), Act::KeepSilently],
    ];
    for acts in table {
        let bench = Bench::new(acts).await;
        let sent = bench.send(2).await.expect("sent");
        assert_eq!(bench.kept(), (PARTS.concat(), true), "{acts:?}");
        assert_eq!(sent, PARTS.concat().len() as u64);
    }
}

#[tokio::test]
async fn what_the_server_does_not_take_ends_the_run() {
    let table: [(&[Act], &str, &str); 5] = [
        (&[Act::Refuse(Status::not_found("nobody wants it"))], "SNAPSHOT_NOT_WANTED", "nobody wants it"),
        (&[Act::Keep(8), Act::Forget], "UPLOAD_FAILED", "it has lost some"),
        (&[Act::Refuse(Status::unimplemented(""))], "UPLOAD_FAILED", "refuses"),
        (&[Act::Refuse(Status::invalid_argument("a part is too long"))], "UPLOAD_FAILED", "too long"),
        (&[Act::Keep(8), Act::Cancel], "CANCELLED", "cancelled"),
    ];
    for (acts, code, words) in table {
        let bench = Bench::new(acts).await;
        let failure = bench.send(0).await.expect_err("not taken");
        assert_eq!(failure.code, code, "{failure:?}");
        assert!(failure.reason.contains(words), "{failure:?}");
        assert!(!bench.kept().1);
    }
}

#[tokio::test]
async fn who_has_some_of_it_already_is_not_trusted() {
    let bench = Bench::new(&[]).await;
    bench.kept.lock().expect("not poisoned").bytes = vec![7];
    let failure = bench.send(0).await.expect_err("somebody else was there");
    assert_eq!(failure.code, "UPLOAD_FAILED");
    assert_eq!(bench.kept().0, [7]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stays_away_is_not_waited_for_for_ever() {
    let bench = Bench::new(&[]).await;
    let environment = Environment::new(
        Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH)),
        Arc::new(guardhouse_model::environment::SeededEntropy::new(7)),
    );
    let workplace = Workplace { environment, ..bench.workplace.clone() };
    let dial = || -> Pin<Box<dyn Future<Output = Result<Channel, Trouble>>>> {
        Box::pin(async { Err(Trouble::Passing("nobody answers".to_owned())) })
    };
    let mut upload = Upload::by(&workplace, Box::new(dial));
    let begin = Instant::now();
    let failure = upload.ask().await.expect_err("nobody is there");
    assert_eq!(failure.code, "UPLOAD_FAILED");
    assert!(failure.reason.contains("24 hours") && failure.reason.contains("nobody answers"), "{failure:?}");
    assert!(begin.elapsed() > TIME_LIMIT - Duration::from_secs(301), "{:?}", begin.elapsed());
    let progress = workplace.folder.progress().expect("said");
    assert_eq!(
        (progress.phase.as_str(), progress.message.as_str()),
        ("SENDING", "waiting for the server: nobody answers")
    );
}
