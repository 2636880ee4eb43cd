//! The end of the agent.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, PermissionsExt as _},
    path::Path,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::protocol::{Answer, LARGEST_REQUEST, Request, read_request};

/// Connections at the same time; more have to wait.
const CONNECTIONS: usize = 16;

/// Connections of one user at the same time; more are closed. Nobody keeps the others out.
const CONNECTIONS_OF_USER: usize = 4;

/// How long a client may take to send its request, and to take the answer.
const CLIENT_TIME: Duration = Duration::from_secs(5);

/// How long is waited before the next connection is taken when one could not be.
const PAUSE: Duration = Duration::from_secs(1);

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The user.
    pub uid: u32,
    /// The process, where the kernel tells.
    pub pid: Option<i32>,
}

/// Begins to listen, in place of an earlier life of the same agent. Everybody may connect who gets to the folder, which
/// is made where it is missing.
///
/// # Errors
/// What the system says; also when the path is longer than the address of a socket can be (107 bytes).
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    if let Some(folder) = path.parent()
        && !folder.exists()
    {
        DirBuilder::new().mode(0o755).create(folder)?;
        // Whatever mask the process was started with.
        fs::set_permissions(folder, Permissions::from_mode(0o755))?;
    }
    if fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
        fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o666))?;
    Ok(listener)
}

/// Answers everybody who connects, by `answer`; never returns.
pub async fn serve<F, A>(listener: UnixListener, answer: F)
where
    F: Fn(Peer, Request) -> A + Clone + Send + 'static,
    A: Future<Output = Answer> + Send,
{
    let mut connections: JoinSet<u32> = JoinSet::new();
    let mut users: Vec<u32> = Vec::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if users.len() < CONNECTIONS => {
                let peer = match &accepted {
                    Ok((stream, _)) => stream.peer_cred().map(|peer| Peer { uid: peer.uid(), pid: peer.pid() }),
                    Err(error) => Err(io::Error::from(error.kind())),
                };
                match (accepted, peer) {
                    (Ok((stream, _)), Ok(peer)) => {
                        if users.iter().filter(|uid| **uid == peer.uid).count() >= CONNECTIONS_OF_USER {
                            tracing::warn!(uid = peer.uid, "too many connections of one user to the control socket");
                            continue;
                        }
                        users.push(peer.uid);
                        let answer = answer.clone();
                        connections.spawn(async move {
                            converse(stream, peer, answer).await;
                            peer.uid
                        });
                    }
                    (Err(error), _) | (_, Err(error)) => {
                        tracing::warn!(%error, "cannot take a connection to the control socket");
                        sleep(PAUSE).await;
                    }
                }
            }
            Some(ended) = connections.join_next() => {
                // A task that panicked does not say whose it was; all are counted anew when none is left.
                match ended {
                    Ok(uid) => users.iter().position(|user| *user == uid).map(|at| users.swap_remove(at)),
                    Err(_) => None,
                };
                if connections.is_empty() {
                    users.clear();
                }
            }
        }
    }
}

/// One connection: a request, its answer, the end.
async fn converse<F, A>(stream: UnixStream, peer: Peer, answer: F)
where
    F: Fn(Peer, Request) -> A,
    A: Future<Output = Answer>,
{
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    // One more byte than is allowed shows that it is too long.
    let mut bounded = (&mut stream).take(LARGEST_REQUEST as u64 + 1);
    let read = timeout(CLIENT_TIME, bounded.read_until(b'\n', &mut line)).await;
    if !matches!(read, Ok(Ok(length)) if length > 0) {
        tracing::debug!(uid = peer.uid, "a client of the control socket sent no request");
        return;
    }
    let answer = match read_request(&line) {
        Ok(request) => answer(peer, request).await,
        Err(failure) => failure.into(),
    };
    let mut text = serde_json::to_vec(&answer).expect("an answer has only text as keys");
    text.push(b'\n');
    if !matches!(timeout(CLIENT_TIME, stream.write_all(&text)).await, Ok(Ok(()))) {
        tracing::debug!(uid = peer.uid, "a client of the control socket did not take its answer");
    }
}
