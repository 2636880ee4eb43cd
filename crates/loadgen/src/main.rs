//! Simulates many agents against a running server and measures what that costs.
//!
//! Everything goes over the real link: one TLS connection with a client certificate per agent, one stream, real
//! frames. What is simulated is only the machine behind it: an order is answered at once, without a process.
//! The figures go to standard output, everything else to standard error.

mod agents;
mod api;
mod descriptors;
mod process;
mod report;
mod statistics;

use std::{io::IsTerminal as _, process::ExitCode};

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// Puts load on a Guardhouse server and measures it.
#[derive(Debug, Parser)]
#[command(name = "guardhouse-loadgen", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Connect many simulated agents, give all of them tasks, and measure how long results take.
    Agents(Box<agents::AgentsArgs>),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("GUARDHOUSE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).init();
    let outcome = match cli.command {
        Command::Agents(args) => agents::run(*args).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
