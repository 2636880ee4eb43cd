//! Where an action is carried out: what it may use, and how it talks to the agent meanwhile.

use std::{path::PathBuf, time::Duration};

use guardhouse_contract::{link::RunProgress, time};
use guardhouse_model::{Environment, RunId};

use crate::{runs::folder::Folder, system::capture};

/// What a runner gives to the action it carries out.
#[derive(Debug, Clone)]
pub struct Workplace {
    /// The run.
    pub run: RunId,
    /// The folder of the run.
    pub folder: Folder,
    /// The state folder of the agent: its identity and its policy are there.
    pub state: PathBuf,
    /// What a script may do.
    pub limits: Limits,
    /// Clock and randomness.
    pub environment: Environment,
}

impl Workplace {
    /// Says how far the action is. Only the last word counts; one that cannot be left costs nothing but itself.
    pub fn progress(&self, phase: &str, percent: Option<u32>, message: impl Into<String>) {
        let progress = RunProgress {
            run_uuid: self.run.to_string(),
            phase: phase.to_owned(),
            percent,
            message: message.into(),
            update_time: Some(time::to_proto(self.environment.now())),
        };
        if let Err(error) = self.folder.write_progress(&progress) {
            tracing::warn!(run = %self.run, %error, "cannot leave word of the progress");
        }
    }

    /// Whether the server asked to stop the run. An action that can stop asks between its steps.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.folder.is_cancelled()
    }
}

/// How long a script may run unless the agent is told otherwise.
pub const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(60 * 60);

/// What a script may do. A runner has those that were in force when it was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How long it may run.
    pub time_limit: Duration,
    /// Most bytes that are kept of each output stream, at most [`capture::CAP`].
    pub output_limit: usize,
    /// In or below which directories it may run; empty: anywhere. A script that names none runs in the first one.
    pub directories: Vec<PathBuf>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time_limit: DEFAULT_TIME_LIMIT, output_limit: capture::CAP, directories: Vec::new() }
    }
}
