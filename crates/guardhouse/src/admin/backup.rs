//! `guardhouse backup`

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use crate::admin::DataDir;

/// Write everything that the server keeps, keys included, to one file. The server may run.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// File to write; it must not exist. Only its owner may read it: whoever holds it can be the server.
    file: PathBuf,

    #[command(flatten)]
    data_dir: DataDir,
}

/// Carries out the command.
pub fn run(args: &BackupArgs) -> anyhow::Result<ExitCode> {
    guardhouse_store::backup(&args.data_dir.data_dir, &args.file)?;
    Ok(ExitCode::SUCCESS)
}
