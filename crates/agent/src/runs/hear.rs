//! What the server says of runs: orders, withdrawals, cancellations, acknowledgements.

use std::io;

use guardhouse_contract::link::{CancelRun, Order, RunEndedAck, Withdraw};
use guardhouse_model::{RunId, actions::Action};

use super::{Runs, RunsError, folder::Folder};
use crate::journal::{Entry, Record, Settled, keep_until};

impl Runs {
    /// Takes orders. A run that is known already is only reported again, unless it was withdrawn: then it is
    /// wanted after all.
    ///
    /// # Errors
    /// A run cannot be recorded.
    pub fn order(&mut self, orders: Vec<Order>) -> Result<(), RunsError> {
        let mut records = Vec::new();
        for order in orders {
            let Ok(run) = order.run_uuid.parse::<RunId>() else {
                tracing::warn!(run = order.run_uuid, "ignoring an order whose run is not a uuid");
                continue;
            };
            match self.journal.ledger().get(run) {
                None | Some(Entry::Settled(Settled::Withdrawn, _)) => {
                    self.ordered.insert(run);
                    records.push(Record::Accepted(run, order));
                }
                Some(entry) => {
                    if entry.is_not_started() {
                        self.ordered.insert(run);
                    }
                    self.report(run);
                }
            }
        }
        self.journal.append(records)?;
        self.advance()
    }

    /// Withdraws a run, unless it was started.
    ///
    /// # Errors
    /// The withdrawal cannot be recorded.
    pub fn withdraw(&mut self, Withdraw { run_uuid }: Withdraw) -> Result<(), RunsError> {
        let Ok(run) = run_uuid.parse::<RunId>() else { return Ok(()) };
        let known = self.journal.ledger().get(run);
        let order = match known {
            None => None,
            Some(entry @ Entry::Open(known)) if entry.is_not_started() => Some(&known.order),
            // Its RunStarted and RunEnded tell, or have told.
            Some(Entry::Open(_)) => return Ok(()),
            Some(Entry::Settled(Settled::Withdrawn, _)) => {
                self.report(run);
                return Ok(());
            }
            Some(Entry::Settled(Settled::Acknowledged, _)) => return Ok(()),
        };
        // An order that is not known was lost with an earlier link.
        let until = keep_until(order, self.environment.now());
        self.journal.append(vec![Record::Settled(run, Settled::Withdrawn, until)])?;
        self.ordered.remove(&run);
        self.report(run);
        Ok(())
    }

    /// The run by which the device leaves, if the server has stored the end of one and it ended well.
    #[must_use]
    pub fn departure(&self, acks: &[RunEndedAck]) -> Option<RunId> {
        acks.iter().filter_map(|ack| ack.run_uuid.parse().ok()).find(|&run| {
            let Some(Entry::Open(known)) = self.journal.ledger().get(run) else { return false };
            known.ended.as_ref().is_some_and(|ended| ended.succeeded)
                && known
                    .order
                    .action
                    .as_ref()
                    .is_some_and(|action| action.name == Action::StopManaging.name())
        })
    }

    /// Stops a run, if it can be stopped: one that has not begun ends here, one that has is asked to end.
    ///
    /// # Errors
    /// A run cannot be recorded.
    pub fn cancel(&mut self, CancelRun { run_uuid }: CancelRun) -> Result<(), RunsError> {
        let Ok(run) = run_uuid.parse::<RunId>() else { return Ok(()) };
        match self.journal.ledger().get(run) {
            // The order was lost with an earlier link. What was withdrawn has not begun.
            None | Some(Entry::Settled(Settled::Withdrawn, _)) => {
                let folder = Folder::of(&self.root, run);
                // A folder that the journal does not know tells more.
                let order = folder.order().unwrap_or(Order { run_uuid, ..Default::default() });
                self.journal.append(vec![Record::Accepted(run, order)])?;
            }
            Some(Entry::Open(known)) if known.ended.is_none() => {}
            Some(_) => {
                self.report(run);
                return Ok(());
            }
        }
        self.cancelled.insert(run);
        match Folder::of(&self.root, run).cancel() {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(RunsError::Folder { run, source: error });
            }
            // Without a folder no runner was started.
            Ok(()) | Err(_) => {}
        }
        self.advance()
    }

    /// The server has said all that was to be said when the link opened.
    ///
    /// # Errors
    /// A run cannot be recorded.
    pub fn settled(&mut self) -> Result<(), RunsError> {
        self.settled = true;
        self.advance()
    }

    /// The server stored the end of a run.
    ///
    /// # Errors
    /// The acknowledgement cannot be recorded.
    pub fn acknowledged(&mut self, acks: Vec<RunEndedAck>) -> Result<(), RunsError> {
        let mut records = Vec::new();
        for run in acks.iter().filter_map(|ack| ack.run_uuid.parse::<RunId>().ok()) {
            if let Some(Entry::Open(known)) = self.journal.ledger().get(run)
                && known.ended.is_some()
            {
                let until = keep_until(Some(&known.order), self.environment.now());
                records.push(Record::Settled(run, Settled::Acknowledged, until));
            }
        }
        self.journal.append(records)?;
        Ok(())
    }
}
