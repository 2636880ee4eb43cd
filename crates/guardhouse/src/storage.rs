//! Where the server keeps what it keeps: the same arguments for every command that works on it.

use std::{
    fmt, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::Context as _;
use clap::Args;
use guardhouse_store::{BackupError, Store, StoreError};

/// Where the server keeps what it keeps.
#[derive(Debug, Clone, Args)]
pub struct StorageArgs {
    /// Folder with everything that is kept: database, keys, the certificate ca.pem.
    #[arg(long, value_name = "DIR", default_value = "guardhouse-data", env = "GUARDHOUSE_DATA_DIR")]
    data_dir: PathBuf,

    #[command(flatten)]
    database: DatabaseArgs,
}

/// A database that servers share.
#[derive(Debug, Clone, Default, Args)]
pub struct DatabaseArgs {
    /// PostgreSQL database to keep everything in, which several servers may share; the data folder then holds
    /// only the certificate ca.pem. For example postgres://user@host:5432/name. Whoever lists the processes of this
    /// machine sees the arguments: give a password in the environment variable.
    #[arg(long, value_name = "URL", env = "GUARDHOUSE_DATABASE_URL", hide_env_values = true)]
    database_url: Option<DatabaseUrl>,
}

/// The address of a PostgreSQL database. It may hold a password, so it is never shown.
#[derive(Clone)]
struct DatabaseUrl(String);

impl DatabaseArgs {
    /// Opens the store in the database; `None`: there is none.
    pub async fn open(&self) -> anyhow::Result<Option<Store>> {
        match &self.database_url {
            None => Ok(None),
            Some(DatabaseUrl(url)) => Store::connect(url).await.map_err(explain).map(Some),
        }
    }
}

impl StorageArgs {
    /// SQLite in `data_dir`.
    pub fn folder(data_dir: PathBuf) -> Self {
        Self { data_dir, database: DatabaseArgs::default() }
    }

    /// Opens the store and makes it if it is not there.
    pub async fn open(&self) -> anyhow::Result<Store> {
        match self.database.open().await? {
            None => Store::open(&self.data_dir).context("cannot open the data folder"),
            Some(store) => Ok(store),
        }
    }

    /// A folder in the data folder; `None`: what is kept is in a database, which other machines share.
    pub fn folder_in(&self, name: &str) -> Option<PathBuf> {
        self.database.database_url.is_none().then(|| self.data_dir.join(name))
    }

    /// Writes a file of this machine into the data folder.
    pub fn write(&self, name: &str, content: &str) -> anyhow::Result<()> {
        let folder = &self.data_dir;
        if self.database.database_url.is_some() {
            make(folder).with_context(|| format!("cannot make the data folder {}", folder.display()))?;
        }
        let file = folder.join(name);
        fs::write(&file, content).with_context(|| format!("cannot write {}", file.display()))
    }

    /// Writes the store to the new file `file`.
    pub async fn back_up(&self, file: &Path) -> anyhow::Result<()> {
        match &self.database.database_url {
            None => Ok(guardhouse_store::backup(&self.data_dir, file)?),
            Some(DatabaseUrl(url)) => {
                guardhouse_store::backup_postgres(url, file).await.map_err(explain_copy)
            }
        }
    }

    /// Makes a new store of the backup `file`.
    pub async fn restore(&self, file: &Path) -> anyhow::Result<()> {
        match &self.database.database_url {
            None => Ok(guardhouse_store::restore(file, &self.data_dir)?),
            Some(DatabaseUrl(url)) => {
                guardhouse_store::restore_postgres(file, url).await.map_err(explain_copy)
            }
        }
    }
}

/// Makes the data folder if it is not there. It belongs to the account of the server alone.
fn make(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

/// Says what to do about a database that is not there.
fn explain(error: StoreError) -> anyhow::Error {
    let advice = match &error {
        StoreError::Address { .. } => "check --database-url or GUARDHOUSE_DATABASE_URL",
        StoreError::Unavailable(_) => {
            "check that PostgreSQL runs there, has that database and lets the account in, or correct --database-url \
             or GUARDHOUSE_DATABASE_URL"
        }
        _ => return anyhow::Error::new(error).context("cannot open the database"),
    };
    anyhow::anyhow!("{error}; {advice}")
}

fn explain_copy(error: BackupError) -> anyhow::Error {
    match error {
        BackupError::Store(error) => explain(error),
        other => other.into(),
    }
}

impl FromStr for DatabaseUrl {
    type Err = std::convert::Infallible;

    /// Takes anything: a refusal at this point would repeat the text.
    fn from_str(url: &str) -> Result<Self, Self::Err> {
        Ok(Self(url.to_owned()))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl")
    }
}
