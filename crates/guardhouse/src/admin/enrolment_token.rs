//! `guardhouse enrollment-token`

use std::{process::ExitCode, sync::Arc, time::Duration};

use clap::Subcommand;
use guardhouse_identity::{Authority, EnrolmentTokens};
use guardhouse_model::{Environment, GroupId, groups::LOST_AND_FOUND};

use crate::{duration, storage::StorageArgs};

/// Manage enrolment tokens.
#[derive(Debug, Subcommand)]
pub enum EnrolmentTokenCommand {
    /// Create a token with which hosts enrol. It is printed once and not kept.
    Create {
        /// Group for hosts that claim no imported placeholder; Lost & found when left out.
        #[arg(long, value_name = "UUID", default_value_t = LOST_AND_FOUND)]
        group: GroupId,

        /// How many hosts may enrol with it.
        #[arg(long, value_name = "N", default_value_t = 1)]
        uses: u32,

        /// How long it is good for.
        #[arg(long, value_name = "TIME", default_value = "24h", value_parser = duration::parse)]
        ttl: Duration,

        #[command(flatten)]
        storage: StorageArgs,
    },
}

/// Carries out a command.
pub async fn run(command: EnrolmentTokenCommand) -> anyhow::Result<ExitCode> {
    let EnrolmentTokenCommand::Create { group, uses, ttl, storage } = command;
    let (store, environment) = (storage.open().await?, Environment::system());
    let authority = Arc::new(Authority::load_or_create(&store, &environment).await?);
    let token = EnrolmentTokens::new(store, environment, authority).create(group, uses, ttl).await?;
    println!("{token}");
    Ok(ExitCode::SUCCESS)
}
