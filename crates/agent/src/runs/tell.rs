//! What the server is told of runs, and the outbox in which that waits.

use guardhouse_contract::{
    link::{AgentFrame, RunEnded, RunStarted, RunWithdrawn, agent_frame},
    time,
};
use guardhouse_model::RunId;

use super::Runs;
use crate::{
    journal::{Entry, Settled},
    outcome::{Failure, Outcome},
};

impl Runs {
    /// Puts what the server should know about a run into the outbox.
    pub(super) fn report(&mut self, run: RunId) {
        let run_uuid = run.to_string();
        match self.journal.ledger().get(run) {
            Some(Entry::Open(known)) => {
                let ended = known.ended.clone();
                if known.started {
                    self.send(agent_frame::Kind::RunStarted(RunStarted { run_uuid }));
                }
                if let Some(ended) = ended {
                    self.send(agent_frame::Kind::RunEnded(ended));
                }
            }
            Some(Entry::Settled(Settled::Withdrawn, _)) => {
                self.send(agent_frame::Kind::RunWithdrawn(RunWithdrawn { run_uuid }));
            }
            // The server asks for what it had acknowledged: it was put back to an earlier state.
            Some(Entry::Settled(Settled::Acknowledged, _)) => {
                let failure = Failure::new(
                    "RESULT_FORGOTTEN",
                    "the device carried this run out earlier and its result was acknowledged; it is not repeated",
                );
                let ended = self.ended(run, failure.into());
                self.send(agent_frame::Kind::RunEnded(ended));
            }
            None => {}
        }
    }

    fn send(&mut self, kind: agent_frame::Kind) {
        // Without a link there is nobody to tell; `connected` reports everything.
        if let Some(outbox) = &mut self.outbox {
            outbox.push_back(AgentFrame { kind: Some(kind) });
        }
    }

    pub(super) fn ended(&self, run: RunId, Outcome { succeeded, suppressed, result }: Outcome) -> RunEnded {
        RunEnded {
            run_uuid: run.to_string(),
            succeeded,
            result: Some(result),
            end_time: Some(time::to_proto(self.environment.now())),
            suppressed,
        }
    }
}
