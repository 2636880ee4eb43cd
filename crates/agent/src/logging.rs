//! The log of a program: to standard error, as much as it was started with or as much as a policy says.
//!
//! Where standard error leads to the journal of systemd, each line begins with its priority as `<N>`, and leaves out what
//! the journal keeps beside it.

use std::{
    env, fmt,
    io::{self, IsTerminal as _},
    sync::Arc,
};

use guardhouse_contract::settings::LogLevel;
use tracing::{Level, Metadata};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// The environment variable that says what is written, in the language of `tracing` filters.
const VARIABLE: &str = "GUARDHOUSE_LOG";

/// Changes how much a program writes to its log.
#[derive(Clone)]
pub struct LogControl(Arc<dyn Fn(Option<LogLevel>) + Send + Sync>);

impl LogControl {
    /// `set` is called with the level of the policy, or without one when the program is to write what it was started
    /// with.
    pub fn new(set: impl Fn(Option<LogLevel>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(set))
    }

    /// The same log, of which `level` is written while no policy says otherwise. The environment variable
    /// `GUARDHOUSE_LOG` still counts before it.
    #[must_use]
    pub fn with_default(self, level: Option<LogLevel>) -> Self {
        match level {
            Some(_) if env::var_os(VARIABLE).is_none() => Self::new(move |other| self.set(other.or(level))),
            _ => self,
        }
    }

    /// Sets the level; `None`: as the program was started.
    pub fn set(&self, level: Option<LogLevel>) {
        (self.0)(level);
    }
}

impl fmt::Debug for LogControl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LogControl")
    }
}

/// Begins to write the log: what the environment variable `GUARDHOUSE_LOG` says, otherwise what `default` says.
/// Must be called once, by the program.
#[must_use]
pub fn begin(default: &'static str) -> LogControl {
    let started = move || EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(default));
    if leads_to_journal() {
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(started())
            .with_writer(Journal)
            .with_ansi(false)
            .without_time()
            .with_level(false)
            .with_filter_reloading();
        let handle = subscriber.reload_handle();
        subscriber.init();
        return control(started, move |filter| handle.reload(filter));
    }
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(started())
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_filter_reloading();
    let handle = subscriber.reload_handle();
    subscriber.init();
    control(started, move |filter| handle.reload(filter))
}

/// Changes the filter of a log by `reload`; `started` is the one with which the program was started.
fn control<E: fmt::Display>(
    started: impl Fn() -> EnvFilter + Send + Sync + 'static,
    reload: impl Fn(EnvFilter) -> Result<(), E> + Send + Sync + 'static,
) -> LogControl {
    LogControl::new(move |level| {
        let filter = level.map_or_else(&started, |level| EnvFilter::new(directive(level)));
        if let Err(error) = reload(filter) {
            tracing::warn!(%error, "cannot change how much is written to the log");
        }
    })
}

fn directive(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Unspecified | LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    }
}

/// Whether standard error is the stream that systemd connected to its journal: the environment variable outlives a
/// redirection, so it names the stream.
fn leads_to_journal() -> bool {
    let Some(named) = env::var("JOURNAL_STREAM").ok() else { return false };
    let Ok(found) = rustix::fs::fstat(io::stderr()) else { return false };
    named == format!("{}:{}", found.st_dev, found.st_ino)
}

/// Writes events to the journal, each with its priority.
struct Journal;

impl<'a> MakeWriter<'a> for Journal {
    type Writer = Lines<io::Stderr>;

    fn make_writer(&'a self) -> Self::Writer {
        Lines { prefix: priority(Level::INFO), inner: io::stderr() }
    }

    fn make_writer_for(&'a self, event: &Metadata<'_>) -> Self::Writer {
        Lines { prefix: priority(*event.level()), inner: io::stderr() }
    }
}

/// The priority of syslog, as a prefix that the journal takes off again.
fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "<3>",
        Level::WARN => "<4>",
        Level::INFO => "<6>",
        Level::DEBUG | Level::TRACE => "<7>",
    }
}

/// Writes whole events, every line of them with a prefix.
struct Lines<W> {
    prefix: &'static str,
    inner: W,
}

impl<W: io::Write> io::Write for Lines<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let mut text = Vec::with_capacity(event.len() + self.prefix.len());
        for line in event.split_inclusive(|&byte| byte == b'\n') {
            text.extend_from_slice(self.prefix.as_bytes());
            text.extend_from_slice(line);
        }
        // At once: a runner writes to the same stream.
        self.inner.write_all(&text)?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn every_line_has_the_priority_of_its_event() {
        for (level, expected) in [
            (Level::ERROR, "<3>one\n<3>two\n"),
            (Level::WARN, "<4>one\n<4>two\n"),
            (Level::INFO, "<6>one\n<6>two\n"),
            (Level::DEBUG, "<7>one\n<7>two\n"),
        ] {
            let mut written = Vec::new();
            let mut lines = Lines { prefix: priority(level), inner: &mut written };
            lines.write_all(b"one\ntwo\n").expect("written");
            assert_eq!(String::from_utf8_lossy(&written), expected);
        }
    }
}
