//! Tools of the project itself: `cargo xtask figures` measures what the project promises.

mod figures;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tools of the project itself.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure every figure that the project promises, with real servers on this machine.
    Figures(figures::FiguresArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Figures(args) => figures::run(args).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
