//! Runs: from an order to its acknowledged end.
//!
//! Each action is carried out by a process of its own, the runner ([`runner`]), so that neither a crash nor an
//! update of the agent takes a script along. Agent and runner share nothing but the folder of the run
//! ([`folder`]). What comes next for a run is decided by a pure function of what the journal and the folder
//! say ([`mod@decide`]), again after every event and every start; [`Runs`] carries the decisions out.

mod advance;
pub mod cancel;
pub mod decide;
pub mod folder;
mod hear;
mod progress;
pub mod runner;
mod tell;
pub mod together;
mod watch;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io,
    path::PathBuf,
    time::Duration,
};

use guardhouse_contract::link::{AgentFrame, RunProgress};
use guardhouse_model::{Environment, RunId, Timestamp};
use jiff::SignedDuration;
use tokio::sync::mpsc;

use crate::{
    journal::{Entry, Journal, JournalError, Run},
    kill_points::KillPoint,
    policy::Rules,
};
use folder::Folder;
pub use watch::Launcher;

/// Why the agent cannot go on. It stops; a restart begins from what the journal and the folders say.
#[derive(Debug, thiserror::Error)]
pub enum RunsError {
    /// The journal fails.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The folder of a run fails.
    #[error("cannot use the folder of run {run}; is the disk full or read-only?")]
    Folder {
        /// The run.
        run: RunId,
        /// What the system says.
        source: io::Error,
    },
}

/// All runs of the device, and the one place that changes them.
#[derive(Debug)]
pub struct Runs {
    journal: Journal,
    root: PathBuf,
    launcher: Launcher,
    /// How long a script may run, whatever the policy says.
    time_limit: Duration,
    rules: Rules,
    environment: Environment,
    kill_point: KillPoint,
    /// What to add to the clock of the device to get that of the server; unknown before the first Welcome.
    clock_offset: Option<SignedDuration>,
    /// Runs not started that the server ordered over the present link, or over the last one while there is none.
    /// Others may have been withdrawn while the device was away: the server says so, or orders them again.
    ordered: BTreeSet<RunId>,
    /// The server has said over the present link, or over the last one while there is none, all that was to be said when it
    /// opened.
    settled: bool,
    /// Runs that are to be stopped, as this life of the agent heard.
    cancelled: BTreeSet<RunId>,
    /// Runs whose runner is at work and will be heard of through `exits`.
    watched: BTreeSet<RunId>,
    launches: BTreeMap<RunId, u32>,
    /// The last word of the progress of runs that are at work, as it was sent over the present link.
    progress: BTreeMap<RunId, RunProgress>,
    /// Runs that wait for a maintenance window.
    delayed: BTreeSet<RunId>,
    /// When the device restarts or is switched off, if that is scheduled.
    power_action: Option<Timestamp>,
    /// Runs that ended without a word of their runner: see [`Runs::take_silent`].
    silent: Vec<RunId>,
    /// When a waiting run has to be looked at though nothing happened: a window opens, or it expires.
    due: Option<Timestamp>,
    exits: mpsc::UnboundedSender<RunId>,
    /// What is to be sent; absent while there is no link.
    outbox: Option<VecDeque<AgentFrame>>,
}

impl Runs {
    /// Takes up the runs of an earlier life of the agent, within the rules that are in force. Scripts may run for
    /// `time_limit`, or less where the rules say so. Every run that comes out of the answered receiver must be given to
    /// [`Runs::runner_exited`].
    ///
    /// # Errors
    /// A folder cannot be used.
    pub fn new(
        journal: Journal,
        root: PathBuf,
        launcher: Launcher,
        time_limit: Duration,
        rules: Rules,
        environment: Environment,
        kill_point: KillPoint,
    ) -> Result<(Self, mpsc::UnboundedReceiver<RunId>), RunsError> {
        let (exits, exited) = mpsc::unbounded_channel();
        let mut runs = Self {
            journal,
            root,
            launcher,
            time_limit,
            rules,
            environment,
            kill_point,
            clock_offset: None,
            ordered: BTreeSet::new(),
            settled: false,
            cancelled: BTreeSet::new(),
            watched: BTreeSet::new(),
            launches: BTreeMap::new(),
            progress: BTreeMap::new(),
            delayed: BTreeSet::new(),
            power_action: None,
            silent: Vec::new(),
            due: None,
            exits,
            outbox: None,
        };
        runs.remove_finished_folders();
        runs.advance()?;
        Ok((runs, exited))
    }

    /// The link stands: learns the clock of the server and reports every run that is not settled.
    ///
    /// # Errors
    /// A run cannot be recorded.
    pub fn connected(&mut self, server_time: Option<Timestamp>) -> Result<(), RunsError> {
        let now = self.environment.now();
        self.clock_offset = Some(server_time.map_or(SignedDuration::ZERO, |time| now.duration_until(time)));
        self.outbox = Some(VecDeque::new());
        self.ordered.clear();
        self.progress.clear();
        self.settled = false;
        let open: Vec<RunId> = self.journal.ledger().open().map(|(run, _)| run).collect();
        open.into_iter().for_each(|run| self.report(run));
        self.advance()?;
        self.tell_progress();
        Ok(())
    }

    /// The link is gone: what was not sent is reported again on the next one.
    pub fn disconnected(&mut self) {
        self.outbox = None;
    }

    /// Whether something is to be sent.
    #[must_use]
    pub fn has_frames(&self) -> bool {
        self.outbox.as_ref().is_some_and(|outbox| !outbox.is_empty())
    }

    /// Takes what is to be sent next.
    pub fn next_frame(&mut self) -> Option<AgentFrame> {
        self.outbox.as_mut()?.pop_front()
    }

    /// The runner of a run is over.
    ///
    /// # Errors
    /// The end cannot be recorded.
    pub fn runner_exited(&mut self, run: RunId) -> Result<(), RunsError> {
        self.watched.remove(&run);
        self.advance()
    }

    /// Puts other rules in force. They rule what begins from now on, runs that wait included.
    ///
    /// # Errors
    /// A run cannot be recorded.
    pub fn rule(&mut self, rules: Rules) -> Result<(), RunsError> {
        self.rules = rules;
        self.advance()
    }

    /// Learns when the device restarts or is switched off, or that it does not: some runs wait for that.
    ///
    /// # Errors
    /// A run cannot be recorded.
    pub fn expect_power_action(&mut self, time: Option<Timestamp>) -> Result<(), RunsError> {
        self.power_action = time;
        self.advance()
    }

    /// The runs that ended without a word of their runner, since this was asked last: killed in the middle of the action,
    /// most likely. The server is told that they failed; what they did that is still to come has to be taken back.
    pub fn take_silent(&mut self) -> Vec<RunId> {
        std::mem::take(&mut self.silent)
    }

    /// When [`Runs::look`] has to be called though nothing happened.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        self.due
    }

    /// Looks at what waits: a maintenance window may have opened, a run may have expired.
    ///
    /// # Errors
    /// A run cannot be recorded.
    pub fn look(&mut self) -> Result<(), RunsError> {
        self.advance()
    }

    /// Whether a device that comes from time to time may leave: nothing is to be sent or to be acknowledged, and no
    /// run is in progress or about to begin. Runs that wait for a maintenance window can wait without a link.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let waits = |run: &RunId, known: &Run| {
            let perhaps_withdrawn = !known.started && !self.ordered.contains(run);
            known.ended.is_none() && (perhaps_withdrawn || self.delayed.contains(run))
        };
        let mut open = self.journal.ledger().open();
        self.watched.is_empty() && !self.has_frames() && open.all(|(run, known)| waits(&run, known))
    }

    /// Whether a run succeeded that has ended and is not settled; `None` of all others.
    #[must_use]
    pub fn succeeded(&self, run: RunId) -> Option<bool> {
        match self.journal.ledger().get(run) {
            Some(Entry::Open(known)) => known.ended.as_ref().map(|ended| ended.succeeded),
            _ => None,
        }
    }

    /// Removes what an earlier life left behind. Folders that the journal does not know stay: they are all that
    /// keeps their runs from being repeated should the journal have been lost.
    fn remove_finished_folders(&self) {
        for run in folder::list(&self.root) {
            match self.journal.ledger().get(run) {
                Some(Entry::Open(known)) if known.ended.is_none() => {}
                Some(_) => self.remove_folder(run),
                None => tracing::warn!(%run, "the journal does not know this run; keeping its folder"),
            }
        }
    }

    fn remove_folder(&self, run: RunId) {
        if let Err(error) = Folder::of(&self.root, run).remove() {
            tracing::warn!(%run, %error, "cannot remove the folder of an ended run; trying again at the next start");
        }
    }
}

#[cfg(test)]
mod tests;
