//! What every measurement needs: the binaries, and a place on a real disk.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;
use guardhouse_loadgen::descriptors;
use serde::Deserialize;

/// Packages whose binaries are measured or measure.
const PACKAGES: [&str; 3] = ["guardhouse", "guardhouse-agent", "guardhouse-loadgen"];

/// The binaries, and how much of the full size is measured.
#[derive(Debug)]
pub struct Setup {
    /// `guardhouse`
    pub server: PathBuf,
    /// `guardhouse-agent`
    pub agent: PathBuf,
    /// `guardhouse-loadgen`
    pub generator: PathBuf,
    /// Where data folders go. Not the folder for temporary files of the system, which may be in memory.
    pub folders: PathBuf,
    /// Connections that one process can hold here.
    pub most_connections: usize,
    scale: f64,
}

/// What cargo says of a binary that is built, as far as it is used here.
#[derive(Debug, Deserialize)]
struct Artifact {
    executable: Option<PathBuf>,
}

impl Setup {
    /// Builds the binaries.
    ///
    /// # Errors
    /// They do not build.
    pub fn new(scale: f64) -> anyhow::Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--release", "--message-format", "json-render-diagnostics"]);
        command.args(PACKAGES.iter().flat_map(|package| ["--package", package]));
        let built = command.stderr(std::process::Stdio::inherit()).output().context("cannot run cargo")?;
        anyhow::ensure!(built.status.success(), "the binaries do not build");
        let lines = String::from_utf8(built.stdout).context("odd words of cargo")?;
        let executables: Vec<PathBuf> = lines
            .lines()
            .filter_map(|line| serde_json::from_str::<Artifact>(line).ok()?.executable)
            .collect();
        let find = |name: &str| {
            let found = executables.iter().find(|path| path.file_name().is_some_and(|file| file == name));
            found.cloned().with_context(|| format!("cargo built no {name}"))
        };
        let [server, agent, generator] = PACKAGES;
        let server = find(server)?;
        let folders = server.parent().and_then(Path::parent).context("a binary without a folder")?;
        let folders = folders.join("figures");
        std::fs::create_dir_all(&folders)
            .with_context(|| format!("cannot make the folder {}", folders.display()))?;
        Ok(Self {
            agent: find(agent)?,
            generator: find(generator)?,
            server,
            folders,
            most_connections: descriptors::most_sockets()?,
            scale,
        })
    }

    /// A size at the scale that is asked for; at least `least`.
    pub fn sized(&self, full: usize, least: usize) -> usize {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "between 0 and a few millions"
        )]
        let sized = (full as f64 * self.scale).round() as usize;
        sized.clamp(least.min(full), full)
    }

    /// The share of the full size that is measured, above 0 and at most 1.
    pub const fn scale(&self) -> f64 {
        self.scale
    }

    /// A new folder, removed with its handle.
    ///
    /// # Errors
    /// The disk is full or not writable.
    pub fn folder(&self) -> anyhow::Result<tempfile::TempDir> {
        tempfile::tempdir_in(&self.folders)
            .with_context(|| format!("cannot make a folder in {}", self.folders.display()))
    }
}
