//! The log of a program: to standard error, as much as it was started with or as much as a policy says.

use std::{
    fmt,
    io::{self, IsTerminal as _},
    sync::Arc,
};

use guardhouse_contract::settings::LogLevel;
use tracing_subscriber::EnvFilter;

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
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(started())
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_filter_reloading();
    let handle = subscriber.reload_handle();
    subscriber.init();
    LogControl::new(move |level| {
        let filter = level.map_or_else(started, |level| EnvFilter::new(directive(level)));
        if let Err(error) = handle.reload(filter) {
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
