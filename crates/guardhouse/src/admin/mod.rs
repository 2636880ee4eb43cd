//! Commands that work on a data folder, beside a running server or without one.

pub mod backup;
pub mod enrolment_token;
pub mod restore;
pub mod user;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use guardhouse_store::Store;

/// Which data folder to work on.
#[derive(Debug, Args)]
pub struct DataDir {
    /// Data folder of the server.
    #[arg(long, value_name = "DIR", default_value = "guardhouse-data", env = "GUARDHOUSE_DATA_DIR")]
    data_dir: PathBuf,
}

impl DataDir {
    fn open(&self) -> anyhow::Result<Store> {
        Store::open(&self.data_dir).context("cannot open the data folder")
    }
}
