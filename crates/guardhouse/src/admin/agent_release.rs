//! `guardhouse agent-release`

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail, ensure};
use clap::Subcommand;
use guardhouse_identity::ReleaseKey;
use guardhouse_link::release::{Release, platform_of_program, version_of_program};
use guardhouse_model::Environment;
use guardhouse_store::{AgentRelease, Wanted};

use crate::storage::StorageArgs;

/// The largest program that is taken, in bytes: agents take none that is larger.
const LARGEST: u64 = 512 * 1024 * 1024;

/// Manage the versions of the agent that the server has for its devices.
#[derive(Debug, Subcommand)]
pub enum AgentReleaseCommand {
    /// Keep a version of the agent, signed by this server. No device gets it before `use`.
    Import {
        /// The program guardhouse-agent. It says itself which version it is, and for which platform.
        #[arg(value_name = "FILE")]
        program: PathBuf,

        #[command(flatten)]
        storage: StorageArgs,
    },
    /// List the versions, and which of them devices are to have.
    List {
        #[command(flatten)]
        storage: StorageArgs,
    },
    /// Let devices with an earlier version have this one, on every platform for which there is one.
    Use {
        /// The version.
        #[arg(id = "release", value_name = "VERSION")]
        version: String,

        /// Also devices with a later version.
        #[arg(long)]
        downgrade: bool,

        #[command(flatten)]
        storage: StorageArgs,
    },
    /// Let devices keep what they have.
    Withdraw {
        /// The version that they were to have.
        #[arg(id = "release", value_name = "VERSION")]
        version: String,

        #[command(flatten)]
        storage: StorageArgs,
    },
    /// Remove a version. Devices that have it keep it.
    Delete {
        /// The version.
        #[arg(id = "release", value_name = "VERSION")]
        version: String,

        #[command(flatten)]
        storage: StorageArgs,
    },
}

/// Carries out a command.
pub async fn run(command: AgentReleaseCommand) -> anyhow::Result<ExitCode> {
    match command {
        AgentReleaseCommand::Import { program, storage } => import(&program, &storage).await?,
        AgentReleaseCommand::List { storage } => {
            for release in storage.open().await?.agent_releases_list().await? {
                let wanted = match release.wanted {
                    Wanted::Nowhere => "-",
                    Wanted::Upgrade => "in use",
                    Wanted::Everywhere => "in use, also for later versions",
                };
                println!("{}  {}  {} bytes  {wanted}", release.version, release.platform, release.size_bytes);
            }
        }
        AgentReleaseCommand::Use { version, downgrade, storage } => {
            let wanted = if downgrade { Wanted::Everywhere } else { Wanted::Upgrade };
            want(version, wanted, &storage).await?;
        }
        AgentReleaseCommand::Withdraw { version, storage } => {
            want(version, Wanted::Nowhere, &storage).await?
        }
        AgentReleaseCommand::Delete { version, storage } => {
            if storage.open().await?.agent_release_delete(version.clone()).await? == 0 {
                bail!("there is no version {version}; see guardhouse agent-release list");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn want(version: String, wanted: Wanted, storage: &StorageArgs) -> anyhow::Result<()> {
    if storage.open().await?.agent_release_want(version.clone(), wanted).await? == 0 {
        bail!("there is no version {version}; see guardhouse agent-release list");
    }
    Ok(())
}

async fn import(path: &PathBuf, storage: &StorageArgs) -> anyhow::Result<()> {
    let length = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.len();
    ensure!(length <= LARGEST, "{} has {length} bytes; no agent takes more than {LARGEST}", path.display());
    let program = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let platform = platform_of_program(&program).with_context(|| {
        format!(
            "{} is not a program for Linux on x86_64 or aarch64; give the file guardhouse-agent",
            path.display()
        )
    })?;
    let version = version_of_program(&program).with_context(|| {
        format!(
            "{} does not say which version of the agent it is; give the file guardhouse-agent",
            path.display()
        )
    })?;
    let (version, platform) = (version.to_owned(), platform.to_owned());

    let environment = Environment::system();
    let store = storage.open().await?;
    let key = ReleaseKey::load_or_create(&store, &environment).await?;
    let sha256 = guardhouse_identity::sha256(&program).to_vec();
    let size_bytes = program.len() as u64;
    let signature =
        Release { version: &version, platform: &platform, size_bytes, sha256: &sha256 }.sign(key.pair());
    let release = AgentRelease {
        version: version.clone(),
        platform: platform.clone(),
        size_bytes,
        sha256,
        signature,
        import_time: environment.now(),
        wanted: Wanted::Nowhere,
    };
    if !store.agent_release_add(release, program).await? {
        bail!("there is a version {version} for {platform} already; delete it first to replace it");
    }
    println!("{version}  {platform}");
    Ok(())
}
