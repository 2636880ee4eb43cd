//! What the records add up to.

use std::collections::BTreeMap;

use guardhouse_contract::{
    link::{Order, RunEnded},
    time,
};
use guardhouse_model::{RunId, Timestamp, tasks};
use jiff::SignedDuration;

use crate::journal::{Record, Settled};

/// How long after the expiry of its order a settled run is remembered: more than clocks differ.
const MARGIN: SignedDuration = SignedDuration::from_hours(24);

/// Everything the agent knows about its runs. Runs are ordered by id, and ids by the time the server made them:
/// older orders come first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger(BTreeMap<RunId, Entry>);

/// What the agent knows about one run.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// There is something left to do, be it only to report the end.
    Open(Box<Run>),
    /// There is nothing left to do; remembered until the given moment so that it is not done again.
    Settled(Settled, Timestamp),
}

impl Entry {
    /// Whether the run was accepted, and neither started nor ended nor settled since.
    #[must_use]
    pub fn is_not_started(&self) -> bool {
        matches!(self, Self::Open(run) if !run.started && run.ended.is_none())
    }
}

/// A run with something left to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// What to do.
    pub order: Order,
    /// The runner may have been started.
    pub started: bool,
    /// The end, to be reported until the server acknowledges it.
    pub ended: Option<RunEnded>,
}

impl Ledger {
    /// What is known about a run.
    #[must_use]
    pub fn get(&self, run: RunId) -> Option<&Entry> {
        self.0.get(&run)
    }

    /// The runs with something left to do, oldest first.
    pub fn open(&self) -> impl Iterator<Item = (RunId, &Run)> {
        self.0.iter().filter_map(|(id, entry)| match entry {
            Entry::Open(run) => Some((*id, run.as_ref())),
            Entry::Settled(..) => None,
        })
    }

    /// Adds a record. A record that does not fit what is known changes nothing.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::Accepted(id, order) => {
                // What was withdrawn has not begun: the server may order it again.
                if matches!(self.0.get(id), None | Some(Entry::Settled(Settled::Withdrawn, _))) {
                    let run = Run { order: order.clone(), started: false, ended: None };
                    self.0.insert(*id, Entry::Open(Box::new(run)));
                }
            }
            Record::Started(id) => {
                if let Some(Entry::Open(run)) = self.0.get_mut(id) {
                    run.started = true;
                }
            }
            Record::Ended(id, ended) => {
                if let Some(Entry::Open(run)) = self.0.get_mut(id) {
                    run.ended.get_or_insert_with(|| ended.clone());
                }
            }
            Record::Settled(id, how, until) => {
                self.0.insert(*id, Entry::Settled(*how, *until));
            }
        }
    }

    /// The fewest records that add up to this ledger at `now`.
    #[must_use]
    pub fn records(&self, now: Timestamp) -> Vec<Record> {
        let mut records = Vec::new();
        for (&id, entry) in &self.0 {
            match entry {
                Entry::Open(run) => {
                    records.push(Record::Accepted(id, run.order.clone()));
                    records.extend(run.started.then_some(Record::Started(id)));
                    records.extend(run.ended.clone().map(|ended| Record::Ended(id, ended)));
                }
                Entry::Settled(how, until) if *until >= now => {
                    records.push(Record::Settled(id, *how, *until))
                }
                Entry::Settled(..) => {}
            }
        }
        records
    }

    /// Forgets settled runs whose time is over at `now`.
    pub fn forget(&mut self, now: Timestamp) {
        self.0.retain(|_, entry| !matches!(entry, Entry::Settled(_, until) if *until < now));
    }
}

/// Until when a run must be remembered once it is settled: as long as the server could hand it out again, and a
/// margin. Without a usable order that is the longest a trigger may live.
#[must_use]
pub fn keep_until(order: Option<&Order>, now: Timestamp) -> Timestamp {
    let expiry = order.and_then(|order| order.expire_time.as_ref()).and_then(time::from_proto);
    let longest = now.saturating_add(tasks::LONGEST_EXPIRY).unwrap_or(Timestamp::MAX);
    expiry.unwrap_or(longest).max(now).saturating_add(MARGIN).unwrap_or(Timestamp::MAX)
}
