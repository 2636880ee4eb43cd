//! A PostgreSQL database of our own, and what COPY does in it.

use std::{
    path::Path,
    process::Stdio,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::Context as _;
use reqwest::Url;
use tokio::process::Command;

use super::now;

/// A database that was made for a measurement.
#[derive(Debug)]
pub struct Database {
    /// Its address.
    pub url: String,
    name: String,
    /// The address of the database from which it was made.
    parent: String,
}

impl Database {
    /// Makes a database beside the one at `url`.
    ///
    /// # Errors
    /// There is no psql, or the role may not create databases.
    pub async fn create(url: &str) -> anyhow::Result<Self> {
        let mut own =
            Url::parse(url).context("--database-url is not postgres://USER:PASSWORD@HOST:PORT/DATABASE")?;
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("guardhouse_figures_{}_{count}", std::process::id());
        own.set_path(&name);
        let database = Self { url: own.to_string(), name, parent: url.to_owned() };
        // What an interrupted run with the same number may have left.
        psql(url, &[&format!("drop database if exists {}", database.name)]).await?;
        psql(url, &[&format!("create database {}", database.name)]).await?;
        Ok(database)
    }

    /// Copies the devices into a table with the same indexes, in one COPY; answers how many and how long it took,
    /// without the start of psql. `file` is used on the way.
    ///
    /// # Errors
    /// The database refuses it.
    pub async fn copy_devices(&self, file: &Path) -> anyhow::Result<(usize, Duration)> {
        let file = file.to_str().context("an odd folder")?;
        psql(&self.url, &[&format!(r"\copy devices to '{file}'")]).await?;
        psql(&self.url, &["create table peer (like devices including all)"]).await?;
        let begun = now();
        psql(&self.url, &["select 1"]).await?;
        let start = begun.elapsed();
        let begun = now();
        psql(&self.url, &[&format!(r"\copy peer from '{file}'")]).await?;
        let took = begun.elapsed().saturating_sub(start);
        let count = psql(&self.url, &["select count(*) from peer"]).await?;
        Ok((count.trim().parse().context("odd words of psql")?, took))
    }

    /// Drops it.
    ///
    /// # Errors
    /// Somebody uses it.
    pub async fn drop(self) -> anyhow::Result<()> {
        psql(&self.parent, &[&format!("drop database {} with (force)", self.name)]).await.map(drop)
    }
}

/// Runs commands; answers what they print.
async fn psql(url: &str, commands: &[&str]) -> anyhow::Result<String> {
    let mut psql = Command::new("psql");
    psql.args([
        "--no-psqlrc",
        "--quiet",
        "--tuples-only",
        "--no-align",
        "--set",
        "ON_ERROR_STOP=1",
        "--dbname",
        url,
    ]);
    psql.args(commands.iter().flat_map(|command| ["--command", command]));
    psql.stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let ended = psql.output().await.context("cannot run psql; install the PostgreSQL client")?;
    let said = String::from_utf8_lossy(&ended.stderr);
    anyhow::ensure!(ended.status.success(), "psql: {}", said.trim());
    Ok(String::from_utf8(ended.stdout)?)
}
