//! `guardhouse user`

use std::{io::Read as _, process::ExitCode};

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use guardhouse_contract::Access;
use guardhouse_identity::Accounts;
use guardhouse_model::Environment;

use crate::admin::DataDir;

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

        #[command(flatten)]
        data_dir: DataDir,
    },
}

/// What an account may do.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum AccessArg {
    /// Everything.
    Full,
    /// Only what reads.
    Read,
    /// Nothing: it can sign in, and every call is refused.
    None,
}

/// Carries out a command.
pub async fn run(command: UserCommand) -> anyhow::Result<ExitCode> {
    let UserCommand::Add { name, password_stdin: _, access, data_dir } = command;
    let mut password = String::new();
    std::io::stdin().read_to_string(&mut password).context("cannot read the password")?;
    let password = password.strip_suffix('\n').unwrap_or(&password);
    let password = password.strip_suffix('\r').unwrap_or(password);

    let access = match access {
        AccessArg::Full => Access::Full,
        AccessArg::Read => Access::Read,
        AccessArg::None => Access::None,
    };
    let accounts = Accounts::new(data_dir.open()?, Environment::system());
    let account = accounts.add(&name, password, access).await?;
    println!("{}", account.uuid);
    Ok(ExitCode::SUCCESS)
}
