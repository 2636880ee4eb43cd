//! The load generator. Figures go to standard output, everything else to standard error.

use std::{io::IsTerminal as _, process::ExitCode};

use clap::Parser as _;
use guardhouse_loadgen::{Cli, report::Report};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("GUARDHOUSE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).init();
    let mut report = Report::default();
    let outcome = cli.run(&mut report).await;
    // What was measured before something went wrong is worth seeing too.
    let printed = report.print(cli.json).map_err(anyhow::Error::from);
    match outcome.and(printed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
