//! `guardhouse restore`

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use crate::admin::DataDir;

/// Make a data folder from a backup. Devices do not carry out again what they did since.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// File that `guardhouse backup` wrote.
    file: PathBuf,

    #[command(flatten)]
    data_dir: DataDir,
}

/// Carries out the command.
pub fn run(args: &RestoreArgs) -> anyhow::Result<ExitCode> {
    guardhouse_store::restore(&args.file, &args.data_dir.data_dir)?;
    Ok(ExitCode::SUCCESS)
}
