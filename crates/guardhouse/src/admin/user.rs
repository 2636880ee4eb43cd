//! `guardhouse user`

use std::{io::Read as _, process::ExitCode};

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use guardhouse_contract::{Access, Account};
use guardhouse_identity::Accounts;
use guardhouse_model::Environment;

use crate::{client::without_line_end, storage::StorageArgs};

/// Manage accounts.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add an account for an administrator or an automation.
    Add {
        /// Name of the account, for example an e-mail address.
        name: String,

        /// Read the password from standard input; one line end after it does not count.
        #[arg(long, required = true)]
        password_stdin: bool,

        /// What the account may do through the API.
        #[arg(long, value_enum, default_value_t = AccessArg::Full)]
        access: AccessArg,

        /// An action that the account may use in tasks; repeat it for several. Without it: all of them.
        #[arg(long = "action", value_name = "NAME")]
        actions: Vec<String>,

        #[command(flatten)]
        storage: StorageArgs,
    },
    /// Say which actions an account may use in tasks. An access token lives out its hour with those it was issued for.
    SetActions {
        /// Name of the account.
        name: String,

        /// An action that the account may use; repeat it for several.
        #[arg(long = "action", value_name = "NAME", required_unless_present_any = ["all", "none"])]
        actions: Vec<String>,

        /// It may use every action.
        #[arg(long, conflicts_with_all = ["actions", "none"])]
        all: bool,

        /// It may use no action.
        #[arg(long, conflicts_with = "actions")]
        none: bool,

        #[command(flatten)]
        storage: StorageArgs,
    },
    /// List the accounts.
    List {
        #[command(flatten)]
        storage: StorageArgs,
    },
    /// Give an account another password; its sessions end.
    SetPassword {
        /// Name of the account.
        name: String,

        /// Read the password from standard input; one line end after it does not count.
        #[arg(long, required = true)]
        password_stdin: bool,

        #[command(flatten)]
        storage: StorageArgs,
    },
    /// Remove an account; its sessions end, an access token lives out its hour.
    Remove {
        /// Name of the account.
        name: String,

        #[command(flatten)]
        storage: StorageArgs,
    },
}

/// What an account may do.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum AccessArg {
    /// Everything.
    Full,
    /// Only what reads.
    Read,
    /// Carry out agentless scans, as guardhouse worker does, and nothing else.
    Worker,
    /// Nothing: it can sign in, and every call is refused.
    None,
}

/// Carries out a command.
pub async fn run(command: UserCommand) -> anyhow::Result<ExitCode> {
    match command {
        UserCommand::Add { name, password_stdin: _, access, actions, storage } => {
            let access = match access {
                AccessArg::Full => Access::Full,
                AccessArg::Read => Access::Read,
                AccessArg::Worker => Access::Worker,
                AccessArg::None => Access::None,
            };
            let actions = (!actions.is_empty()).then_some(actions);
            let account = accounts(&storage).await?.add(&name, &read_password()?, access, actions).await?;
            println!("{}", account.uuid);
        }
        UserCommand::SetActions { name, actions, all, none: _, storage } => {
            let actions = (!all).then_some(actions);
            accounts(&storage).await?.set_actions(&name, actions).await?;
        }
        UserCommand::List { storage } => {
            for Account { uuid, name, access, actions } in accounts(&storage).await?.list().await? {
                let actions = match actions {
                    None => String::new(),
                    Some(none) if none.is_empty() => "  (no actions)".to_owned(),
                    Some(some) => format!("  (only {})", some.join(", ")),
                };
                println!("{uuid}  {access:?}  {name}{actions}");
            }
        }
        UserCommand::SetPassword { name, password_stdin: _, storage } => {
            accounts(&storage).await?.set_password(&name, &read_password()?).await?;
        }
        UserCommand::Remove { name, storage } => accounts(&storage).await?.remove(&name).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn accounts(storage: &StorageArgs) -> anyhow::Result<Accounts> {
    Ok(Accounts::new(storage.open().await?, Environment::system()))
}

fn read_password() -> anyhow::Result<String> {
    let mut password = String::new();
    std::io::stdin().read_to_string(&mut password).context("cannot read the password")?;
    Ok(without_line_end(&password).to_owned())
}
