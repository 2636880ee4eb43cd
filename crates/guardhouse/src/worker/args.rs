//! How scans are carried out, and what their queue is like: the same arguments for a server and for a worker.

use std::{
    path::{Component, PathBuf},
    process,
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;
use guardhouse_detect::Knowledge;
use guardhouse_locations::Folders;
use guardhouse_worker::Settings;

use crate::{
    advisories::StoreArgs,
    duration,
    scan::{child, size},
};

/// How agentless scans are carried out on this machine.
#[derive(Debug, Clone, Args)]
pub struct WorkArgs {
    /// How many agentless scans run at a time on this machine, up to 64; 0: none.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(0..=64))]
    pub workers: u16,

    #[command(flatten)]
    advisories: StoreArgs,

    /// How much memory the process of each scan may have, as 512M or 4G.
    #[arg(long, value_name = "SIZE", default_value = "2G", value_parser = size::parse)]
    scan_memory: u64,

    /// Folder for what scans copy and unpack, with room for the largest images; that for temporary files without.
    #[arg(long, value_name = "DIR")]
    scan_folder: Option<PathBuf>,

    /// A folder of this machine that targets may lie in, or below; repeat it for several. Without it: every folder that the
    /// user may read whom this runs as.
    #[arg(long = "location-folder", value_name = "PATH", value_parser = absolute)]
    location_folders: Vec<PathBuf>,
}

/// What the queue of agentless scans is like.
#[derive(Debug, Clone, Args)]
pub struct QueueArgs {
    /// How long a worker may say nothing until its scans are given to another one; at least 5s.
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = lease)]
    pub worker_lease: Duration,

    /// How long a scan may take, however large its target is; at least 1s. Without it: six hours, and two minutes more for
    /// each GiB.
    #[arg(long, value_name = "TIME", value_parser = time_limit)]
    pub scan_time_limit: Option<Duration>,

    /// How long is kept what agentless scans found, with their reports and tasks. Of an asset only what the newest scan
    /// found is kept.
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = duration::parse)]
    pub keep_results: Duration,
}

/// A worker speaks once a second.
fn lease(text: &str) -> Result<Duration, String> {
    let lease = duration::parse(text)?;
    let least = Duration::from_secs(5);
    if lease < least { Err(format!("{text:?} is too short; at least 5s is right")) } else { Ok(lease) }
}

/// What takes no time finds nothing.
fn time_limit(text: &str) -> Result<Duration, String> {
    let limit = duration::parse(text)?;
    if limit < Duration::from_secs(1) {
        Err(format!("{text:?} is too short; at least 1s is right"))
    } else {
        Ok(limit)
    }
}

impl WorkArgs {
    /// Without scans on this machine.
    pub fn none() -> Self {
        let advisories = StoreArgs::default();
        Self { workers: 0, advisories, scan_memory: 2 << 30, scan_folder: None, location_folders: Vec::new() }
    }

    /// Which folders of this machine may be locations.
    pub fn folders(&self) -> Folders {
        Folders::below(self.location_folders.clone())
    }

    /// How a worker works by them.
    ///
    /// # Errors
    /// The system does not say which program this is.
    pub fn settings(&self) -> anyhow::Result<Settings> {
        Ok(Settings {
            name: name(),
            slots: usize::from(self.workers),
            knowledge: Knowledge {
                // Without a home folder there is no store that nobody named: then nothing is compared, and reports say so.
                store: self.advisories.path().unwrap_or_default(),
                is_required: self.advisories.is_named(),
                ..Knowledge::default()
            },
            threads: None,
            max_memory: self.scan_memory,
            scratch: self.scan_folder.clone().unwrap_or_else(std::env::temp_dir),
            folders: self.folders(),
            launch: child::launch().context("this program cannot be started once more, to scan")?,
        })
    }
}

impl Default for QueueArgs {
    fn default() -> Self {
        Self {
            worker_lease: Duration::from_secs(120),
            scan_time_limit: None,
            keep_results: Duration::from_secs(30 * 24 * 3_600),
        }
    }
}

/// A folder of which nobody has to guess where it is.
fn absolute(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let is_plain = path.is_absolute() && !path.components().any(|part| part == Component::ParentDir);
    if is_plain { Ok(path) } else { Err("an absolute path without .. is right, as /srv/images".to_owned()) }
}

/// What a worker is called: its machine and its process.
fn name() -> String {
    let uname = rustix::system::uname();
    let host: String =
        uname.nodename().to_string_lossy().chars().filter(|letter| !letter.is_control()).collect();
    format!("{}/{}", host.chars().take(80).collect::<String>(), process::id())
}
