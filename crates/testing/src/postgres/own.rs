//! A server that a test may treat badly.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    ops::Deref,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, ChildStderr, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::process::Pid;

use super::{Server, install, processes};

/// The database account that owns everything; `supervise.sh` makes it.
const USER: &str = "guardhouse";

/// How long a server may take to be made and started, also after a crash.
const PATIENCE: Duration = Duration::from_secs(120);

/// How the server runs.
const SETTINGS: &[&str] = &[
    // Only the unix socket.
    "listen_addresses=",
    // What was committed survives the death of the server, not that of the machine. Nothing here outlives the machine.
    "fsync=off",
    "full_page_writes=off",
    // Plans must not depend on when statistics happened to be collected.
    "autovacuum=off",
    "max_connections=200",
    // A client that connects while the server stops, and then says nothing, holds it up that long.
    "authentication_timeout=5s",
    "max_wal_size=256MB",
];

/// What the server writes to its log when it can be used.
const READY: &str = "database system is ready to accept connections";

/// A PostgreSQL of one test: it can be paused, stopped and started. It ends with the value.
#[derive(Debug)]
pub struct OwnServer {
    server: Server,
    /// While it runs: the process that watches over it.
    supervisor: Option<Child>,
}

impl OwnServer {
    /// Makes a server and starts it.
    pub(super) fn make() -> Self {
        let mut mktemp = install::as_account("mktemp");
        // Not the folder for temporary files of whoever runs the tests: the path of a socket must fit into 107 bytes,
        // and the account of the server must get there.
        mktemp.args(["-d", "/tmp/guardhouse-postgres.XXXXXX"]);
        let folder = PathBuf::from(install::run(mktemp));
        let mut own = Self { server: Server::own_at(folder, USER), supervisor: None };
        own.start();
        own
    }

    /// Starts the server again and waits until it can be used: after a stop it first recovers from its log.
    ///
    /// # Panics
    ///
    /// When it runs, or does not start; what it says to that is in the message.
    pub fn start(&mut self) {
        assert!(self.supervisor.is_none(), "the server runs already");
        let mut command = install::as_account("sh");
        command.args(["-c", include_str!("supervise.sh"), "supervise"]);
        command.arg(install::programs()).arg(self.server.folder());
        command.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
        // A group of its own: Ctrl-C is for the tests, and the end of the input for the server.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut supervisor = command.spawn().expect("there is a shell");
        let log = supervisor.stderr.take().expect("it is piped");
        self.supervisor = Some(supervisor);
        wait_until_ready(log);
    }

    /// Stops the server at once, as a crash of all of its processes does: sessions are cut off in the middle, what was
    /// committed is there again after [`OwnServer::start`]. A paused server is stopped, too.
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub fn stop_immediately(&mut self) {
        let supervisor = self.supervisor.take().expect("the server runs");
        self.end(supervisor, b"keep\n");
    }

    /// Stops every process of the server where it is: connections stay, nothing answers, new ones are not accepted.
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub fn pause(&self) {
        processes::pause(self.main_process());
    }

    /// Lets a paused server go on.
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub fn resume(&self) {
        processes::resume(self.main_process());
    }

    /// The id of the server's main process; it is the parent of all others.
    ///
    /// # Panics
    ///
    /// When it does not run.
    #[must_use]
    pub fn main_process(&self) -> Pid {
        self.running().expect("the server does not run")
    }

    fn running(&self) -> Option<Pid> {
        let file = fs::read_to_string(self.server.folder().join("data/postmaster.pid")).ok()?;
        Pid::from_raw(file.lines().next()?.parse().ok()?)
    }

    /// Ends the server with a last word to the process that watches over it.
    fn end(&mut self, mut supervisor: Child, word: &[u8]) {
        // Its other processes could not obey while they are paused.
        self.running().into_iter().for_each(processes::resume);
        let mut stdin = supervisor.stdin.take().expect("it is piped");
        stdin.write_all(word).expect("it listens until then");
        drop(stdin);
        supervisor.wait().expect("it is our child");
    }
}

/// Everything that any server can do.
impl Deref for OwnServer {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        if let Some(supervisor) = self.supervisor.take() {
            self.end(supervisor, b"");
        } else {
            let mut remove = install::as_account("rm");
            remove.arg("-rf").arg(self.server.folder());
            // A panic would hide the one of a test that fails just now.
            install::try_run(remove).map_or_else(|failed| eprintln!("{failed}"), drop);
        }
    }
}

/// Waits for the line of the log that says that the server can be used; the rest of the log is read and forgotten.
fn wait_until_ready(log: ChildStderr) {
    let (said, heard) = mpsc::channel();
    thread::spawn(move || {
        let mut before = Vec::new();
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            if line.contains(READY) {
                before.clear();
                // Nobody listens any more when this took too long.
                let _ = said.send(Ok(()));
            }
            before.push(line);
        }
        let _ = said.send(Err(before.join("\n")));
    });
    match heard.recv_timeout(PATIENCE) {
        Ok(Ok(())) => {}
        Ok(Err(log)) => panic!("PostgreSQL does not start:\n{log}"),
        Err(_) => panic!("PostgreSQL is not ready after {PATIENCE:?}"),
    }
}
