//! How far the runs are that are at work: what their runners leave in their folders, passed on to the server.

use guardhouse_contract::link::{AgentFrame, agent_frame};

use super::{Runs, folder::Folder};

impl Runs {
    /// Whether a runner works of whose progress the server can be told.
    #[must_use]
    pub fn may_progress(&self) -> bool {
        self.outbox.is_some() && !self.watched.is_empty()
    }

    /// Puts what runners said since the last call into the outbox: at most one frame for each run. Nothing of it is
    /// journalled: what is lost with a link is said anew on the next one, and a run that ended needs none.
    pub fn tell_progress(&mut self) {
        let Some(outbox) = &mut self.outbox else { return };
        self.progress.retain(|run, _| self.watched.contains(run));
        for &run in &self.watched {
            let Some(mut progress) = Folder::of(&self.root, run).progress() else { continue };
            // The folder says which run it is, whatever stands in it.
            progress.run_uuid = run.to_string();
            if self.progress.get(&run) != Some(&progress) {
                self.progress.insert(run, progress.clone());
                outbox.push_back(AgentFrame { kind: Some(agent_frame::Kind::RunProgress(progress)) });
            }
        }
    }
}
