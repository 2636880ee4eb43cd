//! `guardhouse access-key`

use std::{process::ExitCode, time::Duration};

use clap::Subcommand;
use guardhouse_identity::{AccessKeys, access_keys::AccessKey};
use guardhouse_model::Environment;

use crate::{duration, output::printable, storage::StorageArgs};

/// Manage access keys.
#[derive(Debug, Subcommand)]
pub enum AccessKeyCommand {
    /// Create a key. Its secret is printed once and cannot be shown again.
    Create {
        /// Name of the account that the key belongs to: it may do what the account may.
        #[arg(long, value_name = "NAME")]
        user: String,

        /// What the key is for.
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        description: String,

        /// Make a temporary key, good for this long. It has a security token, which requests must bring along.
        #[arg(long, value_name = "TIME", value_parser = duration::parse)]
        temporary: Option<Duration>,

        #[command(flatten)]
        storage: StorageArgs,
    },
    /// List the keys, without their secrets.
    List {
        /// Only those of the account with this name.
        #[arg(long, value_name = "NAME")]
        user: Option<String>,

        #[command(flatten)]
        storage: StorageArgs,
    },
    /// Refuse requests that are signed with a key until it is enabled again.
    Disable {
        /// The key, by its id.
        id: String,

        #[command(flatten)]
        storage: StorageArgs,
    },
    /// Accept requests that are signed with a key again.
    Enable {
        /// The key, by its id.
        id: String,

        #[command(flatten)]
        storage: StorageArgs,
    },
    /// Remove a key for good.
    Revoke {
        /// The key, by its id.
        id: String,

        #[command(flatten)]
        storage: StorageArgs,
    },
}

/// Carries out a command.
pub async fn run(command: AccessKeyCommand) -> anyhow::Result<ExitCode> {
    match command {
        AccessKeyCommand::Create { user, description, temporary, storage } => {
            let created = open(&storage).await?.create(&user, &description, temporary).await?;
            println!("AccessKeyId: {}", created.id);
            println!("AccessKeySecret: {}", created.secret);
            if let Some(token) = created.security_token {
                println!("SecurityToken: {token}");
            }
            if let Some(time) = created.expire_time {
                println!("Expiration: {time:.0}");
            }
        }
        AccessKeyCommand::List { user, storage } => {
            for key in open(&storage).await?.list(user.as_deref()).await? {
                println!("{}", line(&key));
            }
        }
        AccessKeyCommand::Disable { id, storage } => open(&storage).await?.set_active(&id, false).await?,
        AccessKeyCommand::Enable { id, storage } => open(&storage).await?.set_active(&id, true).await?,
        AccessKeyCommand::Revoke { id, storage } => open(&storage).await?.revoke(&id).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A key, its account, whether it is good, when it was used, and what it is for.
fn line(key: &AccessKey) -> String {
    let state = if key.is_active { "active" } else { "disabled" };
    let expiry = key.expire_time.map_or_else(String::new, |time| format!("  until {time:.0}"));
    let used = key.use_time.map_or_else(|| "never used".to_owned(), |time| format!("used {time:.0}"));
    let description =
        if key.description.is_empty() { String::new() } else { format!("  {}", key.description) };
    printable(&format!("{}  {}  {state}{expiry}  {used}{description}", key.id, key.account.name))
}

async fn open(storage: &StorageArgs) -> anyhow::Result<AccessKeys> {
    Ok(AccessKeys::open(storage.open().await?, Environment::system()).await?)
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::{Access, Account};
    use guardhouse_model::Timestamp;

    use super::*;

    #[test]
    fn a_key_is_a_line() {
        let account =
            Account { uuid: uuid::Uuid::nil(), name: "ada".to_owned(), access: Access::Read, actions: None };
        let key = AccessKey {
            id: "GHkey".to_owned(),
            account,
            description: String::new(),
            is_active: true,
            create_time: Timestamp::UNIX_EPOCH,
            use_time: None,
            expire_time: None,
        };
        assert_eq!(line(&key), "GHkey  ada  active  never used");
        let time = Some(Timestamp::UNIX_EPOCH);
        let description = "büro\u{1b}[2J".to_owned();
        let key = AccessKey { is_active: false, use_time: time, expire_time: time, description, ..key };
        let expected =
            "GHkey  ada  disabled  until 1970-01-01T00:00:00Z  used 1970-01-01T00:00:00Z  büro\\u{1b}[2J";
        assert_eq!(line(&key), expected);
    }
}
