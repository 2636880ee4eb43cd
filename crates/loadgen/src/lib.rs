//! Puts load on a Guardhouse server that runs, and measures what that costs.
//!
//! [`agents`] simulates devices over the real link: one TLS connection with a client certificate per agent, one
//! stream, real frames. What is simulated is only the machine behind it: an order is answered at once, without a
//! process. [`rest`] calls the public API, as many callers at once or as many calls per second as are asked for.
//!
//! A library for the sake of its test, which runs it against a real server.

mod account;
pub mod agents;
mod api;
pub mod descriptors;
pub mod process;
pub mod report;
pub mod rest;
pub mod statistics;

use clap::{Parser, Subcommand};

use report::Report;

/// Puts load on a Guardhouse server and measures it.
#[derive(Debug, Parser)]
#[command(name = "guardhouse-loadgen", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Print one JSON object per figure: name, value, unit.
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Connect many simulated agents, give them tasks, kill their server, and measure how long everything takes.
    Agents(Box<agents::AgentsArgs>),
    /// Call the public API and measure how long the calls take.
    Rest(Box<rest::RestArgs>),
}

impl Cli {
    /// Puts the load on the server.
    ///
    /// # Errors
    /// Something could not be measured; the report holds what was measured before.
    pub async fn run(&self, report: &mut Report) -> anyhow::Result<()> {
        match &self.command {
            Command::Agents(args) => agents::run(args, report).await,
            Command::Rest(args) => rest::run(args, report).await,
        }
    }
}
