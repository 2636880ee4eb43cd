//! `guardhouse backup`

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use crate::storage::StorageArgs;

/// Write everything that the server keeps, keys included, to one file. The server may run.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// File to write; it must not exist. Only its owner may read it: whoever holds it can be the server.
    file: PathBuf,

    #[command(flatten)]
    storage: StorageArgs,
}

/// Carries out the command.
pub async fn run(args: &BackupArgs) -> anyhow::Result<ExitCode> {
    args.storage.back_up(&args.file).await?;
    Ok(ExitCode::SUCCESS)
}
