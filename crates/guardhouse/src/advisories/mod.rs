//! `guardhouse advisories`: the local store of known vulnerabilities.

mod fetch;
mod import;
mod place;
mod status;
mod update;

use std::{process::ExitCode, time::Duration};

use anyhow::bail;
use clap::Subcommand;
use guardhouse_advisories::Store;
use guardhouse_model::Environment;

pub use place::StoreArgs;

/// How long a command waits for another import to end.
const WAIT: Duration = Duration::from_secs(120);

/// Manage the known vulnerabilities that scans compare with.
#[derive(Debug, Subcommand)]
pub enum AdvisoriesCommand {
    /// Read advisories from files: OSV (zip, tar, folder, JSON), the JSON of Debian's security tracker, Alpine's secdb,
    /// RustSec's advisory-db.
    Import(import::ImportArgs),
    /// Say what is there, and how old it is.
    Status(status::StatusArgs),
    /// Fetch what has changed: the sources of a configuration, those named here, or those that were fetched before.
    Update(update::UpdateArgs),
    /// Remove a source.
    Remove {
        /// Its name, as `status` shows it.
        #[arg(value_name = "NAME")]
        name: String,

        #[command(flatten)]
        store: StoreArgs,
    },
}

impl AdvisoriesCommand {
    /// Carries out a command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let environment = Environment::system();
        match self {
            Self::Import(args) => args.run(&environment),
            Self::Status(args) => args.run(&environment),
            Self::Update(args) => args.run(&environment).await,
            Self::Remove { name, store } => {
                let path = store.path()?;
                // To remove something is no reason to make a store.
                guardhouse_advisories::store::sources(&path)?;
                if !Store::open(&path, WAIT)?.remove(&name)? {
                    bail!("there is no source {name:?}; see guardhouse advisories status");
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}
