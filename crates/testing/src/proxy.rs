//! Connections that can be cut.

use std::{
    future::poll_fn,
    net::SocketAddr,
    path::PathBuf,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    task::{Context, Poll, ready},
    thread,
};

use tokio::{
    io::{self, AsyncRead, AsyncReadExt as _, AsyncWrite},
    net::{TcpListener, TcpStream, UnixStream},
    runtime, select,
    sync::watch,
};

/// Bytes that are under way in one direction of a connection, at most.
const BUFFER: usize = 16 * 1024;

/// A listener on loopback that passes connections on to a server, until it is told not to.
///
/// It works on a thread of its own, so that it goes on while a test waits; it ends with the value, and so do its
/// connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: watch::Sender<State>,
    /// How many bytes the server has sent.
    sent: Arc<AtomicU64>,
}

/// What a proxy does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    way: Way,
    /// How often everything was cut. A connection lives as long as this stays what it was when it began.
    cuts: u64,
    /// How many bytes the server may have sent, of all connections since the beginning.
    most: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    Frozen,
    Cut,
}

/// Where connections lead.
#[derive(Debug, Clone)]
enum Upstream {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Proxy {
    /// A proxy in front of a server that listens on TCP.
    ///
    /// # Panics
    ///
    /// When there is no port left.
    #[must_use]
    pub fn to_tcp(server: SocketAddr) -> Self {
        Self::start(Upstream::Tcp(server))
    }

    /// A proxy in front of a server that listens on a unix socket.
    ///
    /// # Panics
    ///
    /// When there is no port left.
    #[must_use]
    pub fn to_unix(server: impl Into<PathBuf>) -> Self {
        Self::start(Upstream::Unix(server.into()))
    }

    fn start(upstream: Upstream) -> Self {
        let (state, states) = watch::channel(State { way: Way::Open, cuts: 0, most: u64::MAX });
        let (said, heard) = mpsc::channel();
        let sent = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&sent);
        thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
                said.send(listener.local_addr().expect("it is bound")).expect("the other side waits");
                let mut end = states.clone();
                // The value is gone when its channel is.
                let ended = async { while end.changed().await.is_ok() {} };
                select! {
                    () = ended => {}
                    () = accept(listener, upstream, states, counted) => {}
                }
            });
        });
        Self { address: heard.recv().expect("the thread says it or panics"), state, sent }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends all connections, as a router that sends resets, and every new one as soon as it is made. What was under way
    /// is lost. When this returns, nothing passes any more; the ends learn of it a moment later.
    pub fn cut(&self) {
        self.state
            .send_modify(|state| *state = State { way: Way::Cut, cuts: state.cuts + 1, most: u64::MAX });
    }

    /// Keeps all connections and passes nothing, not even that one was closed; new ones seem to be made. When this
    /// returns, nothing passes any more.
    pub fn freeze(&self) {
        self.state.send_modify(|state| state.way = Way::Frozen);
    }

    /// Lets so many bytes of the server pass, and then nothing of it any more.
    pub fn freeze_after(&self, bytes: u64) {
        self.state.send_modify(|state| state.most = self.sent.load(Ordering::SeqCst) + bytes);
    }

    /// Whether what [`Proxy::freeze_after`] lets pass has passed.
    #[must_use]
    pub fn is_used_up(&self) -> bool {
        let mut is_used_up = false;
        // As if to change it: this waits for who passes bytes at the moment, and has not counted them yet.
        self.state.send_if_modified(|state| {
            is_used_up = self.sent.load(Ordering::SeqCst) >= state.most;
            false
        });
        is_used_up
    }

    /// Ends what [`Proxy::cut`], [`Proxy::freeze`] or [`Proxy::freeze_after`] began. What waited in a frozen connection
    /// goes on its way.
    pub fn heal(&self) {
        self.state.send_modify(|state| (state.way, state.most) = (Way::Open, u64::MAX));
    }
}

async fn accept(
    listener: TcpListener,
    upstream: Upstream,
    states: watch::Receiver<State>,
    sent: Arc<AtomicU64>,
) {
    while let Ok((client, _)) = listener.accept().await {
        let born = *states.borrow();
        if born.way == Way::Cut {
            continue;
        }
        let (upstream, states, sent) = (upstream.clone(), states.clone(), Arc::clone(&sent));
        tokio::spawn(async move {
            let mut until = states.clone();
            select! {
                // Both end with both sockets being closed; which of them failed does not matter.
                _ = connect(client, upstream, states, sent) => {}
                _ = until.wait_for(|state| state.cuts != born.cuts) => {}
            }
        });
    }
}

async fn connect(
    client: TcpStream,
    upstream: Upstream,
    mut states: watch::Receiver<State>,
    sent: Arc<AtomicU64>,
) -> io::Result<()> {
    wait_until_open(&mut states).await?;
    // What is small is sent at once, as on a direct connection.
    client.set_nodelay(true)?;
    match upstream {
        Upstream::Tcp(address) => {
            let server = TcpStream::connect(address).await?;
            server.set_nodelay(true)?;
            pass_both(client, server, states, &sent).await
        }
        Upstream::Unix(path) => pass_both(client, UnixStream::connect(path).await?, states, &sent).await,
    }
}

async fn pass_both<C, S>(
    client: C,
    server: S,
    states: watch::Receiver<State>,
    sent: &AtomicU64,
) -> io::Result<()>
where
    C: AsyncRead + AsyncWrite,
    S: AsyncRead + AsyncWrite,
{
    let (client_read, client_write) = io::split(client);
    let (server_read, server_write) = io::split(server);
    tokio::try_join!(
        pass(client_read, server_write, states.clone(), None),
        pass(server_read, client_write, states, Some(sent)),
    )?;
    Ok(())
}

/// Passes bytes on until there are no more, and that there are no more. Those of the server are counted in `sent`.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut states: watch::Receiver<State>,
    sent: Option<&AtomicU64>,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let filled = from.read(&mut buffer).await?;
        let mut left = &buffer[..filled];
        loop {
            wait_until_open(&mut states).await?;
            if let Some(sent) = sent {
                let is_more = |state: &State| sent.load(Ordering::SeqCst) < state.most;
                states.wait_for(is_more).await.map_err(|_| io::ErrorKind::ConnectionAborted)?;
            }
            let mut step = pin!(&mut to);
            let passed = poll_fn(|context| while_open(&states, context, step.as_mut(), left, sent)).await?;
            left = &left[passed.unwrap_or(0)..];
            if left.is_empty() && passed.is_some() {
                break;
            }
        }
        if filled == 0 {
            return Ok(());
        }
    }
}

/// Writes what fits, or shuts down when there is nothing to write; nothing when the way is not open. The state cannot
/// change while this looks at it: so nothing passes once the state was changed.
fn while_open<W: AsyncWrite>(
    states: &watch::Receiver<State>,
    context: &mut Context<'_>,
    to: Pin<&mut W>,
    bytes: &[u8],
    sent: Option<&AtomicU64>,
) -> Poll<io::Result<Option<usize>>> {
    let state = states.borrow();
    // Connections share a thread: nobody else counts meanwhile.
    let left = sent.map_or(u64::MAX, |sent| state.most.saturating_sub(sent.load(Ordering::SeqCst)));
    if state.way != Way::Open || left == 0 {
        return Poll::Ready(Ok(None));
    }
    let passed = if bytes.is_empty() {
        ready!(to.poll_shutdown(context)).map(|()| 0)
    } else {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        ready!(to.poll_write(context, &bytes[..most]))
    };
    if let (Some(sent), Ok(passed)) = (sent, &passed) {
        sent.fetch_add(*passed as u64, Ordering::SeqCst);
    }
    Poll::Ready(passed.map(Some))
}

async fn wait_until_open(states: &mut watch::Receiver<State>) -> io::Result<()> {
    let open = states.wait_for(|state| state.way == Way::Open).await;
    open.map(|_| ()).map_err(|_| io::ErrorKind::ConnectionAborted.into())
}
