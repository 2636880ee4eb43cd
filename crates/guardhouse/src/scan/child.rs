//! The scanning process: this program once more, with a hidden command.

use std::{env, ffi::OsString, path::PathBuf, process::ExitCode};

use clap::Args;
use guardhouse_scan::{
    process::{self, Targets},
    supervisor::Launch,
};

/// The name of the hidden command.
pub const COMMAND: &str = "scan-process";

/// Read a target in a process that can do nothing else. Started by guardhouse scan, which gives it the rest of its
/// orders on its standard input.
#[derive(Debug, Args)]
pub struct ScanProcessArgs {
    /// A file that the target may refer to.
    #[arg(long)]
    also: Vec<PathBuf>,

    /// The folder for temporary files.
    #[arg(long)]
    scratch: Option<PathBuf>,

    /// What is read.
    target: PathBuf,
}

/// The life of the scanning process. To be called before the program has any other thread.
pub fn run(args: ScanProcessArgs) -> ExitCode {
    let ScanProcessArgs { also, scratch, target } = args;
    process::run(&Targets { target, also, scratch }, process::analysers)
}

/// How this program starts itself.
///
/// # Errors
/// The system does not say which program this is.
pub fn launch() -> std::io::Result<Launch> {
    Ok(Launch { program: env::current_exe()?, arguments: vec![OsString::from(COMMAND)] })
}
