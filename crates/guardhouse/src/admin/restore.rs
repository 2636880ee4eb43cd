//! `guardhouse restore`

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use crate::storage::StorageArgs;

/// Make a data folder, or fill a new database, from a backup. Devices do not carry out again what they did since.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// File that `guardhouse backup` wrote, whichever of the two it was made of.
    file: PathBuf,

    #[command(flatten)]
    storage: StorageArgs,
}

/// Carries out the command.
pub async fn run(args: &RestoreArgs) -> anyhow::Result<ExitCode> {
    args.storage.restore(&args.file).await?;
    Ok(ExitCode::SUCCESS)
}
