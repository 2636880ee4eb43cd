//! A client for the tests: PostgreSQL's own.

#![allow(dead_code, reason = "not every test binary needs all of it")]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// How long anything may take that is waited for.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a session says after every answer, to tell where it ends.
const END: &str = "-- end";

fn psql(url: &str) -> Command {
    let mut psql = Command::new("psql");
    psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url]);
    psql
}

/// What a new connection answers to `sql`.
pub fn query(url: &str, sql: &str) -> Result<String, String> {
    let ended = psql(url).args(["-c", sql]).output().expect("psql is installed");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text").trim_end().to_owned();
    if ended.status.success() { Ok(text(ended.stdout)) } else { Err(text(ended.stderr)) }
}

/// Waits for a condition that nothing announces.
pub fn eventually(what: &str, is_so: impl Fn() -> bool + Send) {
    let (said, heard) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let (stop, stopped) = mpsc::channel::<()>();
        scope.spawn(move || {
            while !is_so() && stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
                thread::yield_now();
            }
            let _ = said.send(());
        });
        let came = heard.recv_timeout(PATIENCE);
        drop(stop);
        assert!(came.is_ok(), "not after {PATIENCE:?}: {what}");
    });
}

/// A connection that stays.
pub struct Session {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Session {
    /// Connects, and waits until that is done.
    pub fn start(url: &str) -> Self {
        let mut command = psql(url);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("psql is installed");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let mut session = Self { child, input, output };
        assert_eq!(session.query("select 'connected'").as_deref(), Some("connected"));
        session
    }

    /// What it answers to `sql`; none when the connection has ended.
    pub fn query(&mut self, sql: &str) -> Option<String> {
        writeln!(self.input, "{sql};\n\\echo {END}").ok()?;
        let mut lines = Vec::new();
        for line in self.output.by_ref().lines() {
            match line.ok()? {
                end if end == END => return Some(lines.join("\n")),
                line => lines.push(line),
            }
        }
        None
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        self.child.wait().expect("it is our child");
    }
}
