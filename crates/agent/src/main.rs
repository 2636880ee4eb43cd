//! The endpoint agent as a program of its own.

use std::{ffi::OsString, process::ExitCode};

use clap::Parser as _;
use guardhouse_agent::{
    command::{self, Command},
    logging::{self, LogControl},
    version,
};

/// The endpoint agent of Guardhouse.
#[derive(Debug, clap::Parser)]
#[command(name = "guardhouse-agent", version = version::version(), arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let log = logging::begin("info");
    match start(cli.command, log) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(command: Command, log: LogControl) -> anyhow::Result<ExitCode> {
    let self_command = vec![OsString::from(command::THIS_PROGRAM)];
    // One thread: an agent waits almost all the time, and every thread costs memory on every machine.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let code = runtime.block_on(command::run(command, self_command, log));
    // A name lookup that hangs must not keep the process.
    runtime.shutdown_background();
    code
}
