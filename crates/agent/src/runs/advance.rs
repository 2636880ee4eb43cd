//! Looks at all runs, decides what comes next for each, records it and does it.

use std::collections::BTreeSet;

use guardhouse_contract::{
    link::{Order, RunEnded},
    time,
};
use guardhouse_model::{RunId, Timestamp, maintenance::Opening, tasks};
use jiff::{SignedDuration, tz::TimeZone};

use super::{
    Runs, RunsError,
    decide::{MAX_LAUNCHES, Step, View, decide},
    folder::{Facts, Folder},
    together::{self, Kind},
    watch,
};
use crate::{
    actions,
    journal::{Entry, Record, Run},
    kill_points,
    policy::Ruling,
};

impl Runs {
    /// Does for every run what comes next, until nothing is left to do but wait.
    pub(super) fn advance(&mut self) -> Result<(), RunsError> {
        loop {
            let mut plan = Plan::default();
            let now = self.environment.now();
            let opening = self.rules.opening(now, TimeZone::system);
            let looks = self.looks(opening)?;
            let exclusive_waits = looks.iter().any(|look| {
                look.kind == Kind::Exclusive
                    && matches!(decide(look.view.clone()), Step::Start | Step::Launch)
            });
            let mut at_work: Vec<Kind> = self.watched.iter().map(|run| self.kind(*run)).collect();
            at_work.extend(
                looks.iter().filter(|look| look.view.facts == Facts::RunnerAlive).map(|look| look.kind),
            );
            for Look { run, kind, mut view } in looks {
                let folder = Folder::of(&self.root, run);
                let failed = |source| RunsError::Folder { run, source };
                let Some(Entry::Open(known)) = self.journal.ledger().get(run) else { continue };
                let delayed = view.ruling == Ruling::Delayed;
                let expired = view.expired;
                let silent = !matches!(view.facts, Facts::NotBegun)
                    && (known.started || view.facts != Facts::NoFolder);
                let held = together::held_until(kind, self.power_action, now);
                view.slot_free = held.is_none() && together::may_begin(kind, &at_work, exclusive_waits);
                match decide(view) {
                    Step::Wait => {
                        plan.delayed.extend(delayed.then_some(run));
                        plan.due.extend(self.expires_at(&known.order).filter(|_| expired == Some(false)));
                        plan.due.extend(held);
                    }
                    Step::Start => {
                        folder.create(&known.order).map_err(failed)?;
                        plan.records.push(Record::Started(run));
                        plan.launched.push(run);
                        at_work.push(kind);
                    }
                    Step::Launch => {
                        plan.launched.push(run);
                        at_work.push(kind);
                    }
                    Step::Adopt => {
                        plan.records.extend((!known.started).then_some(Record::Started(run)));
                        plan.adopted.push(run);
                    }
                    Step::End(outcome) => {
                        plan.silent.extend(silent.then_some(run));
                        plan.end(run, self.ended(run, outcome));
                    }
                    Step::Report(ended) => plan.end(run, ended),
                    // If the barrier was passed meanwhile, the runner is alive: the next round adopts it.
                    Step::Abandon(failure) if folder.pass_barrier().map_err(failed)? => {
                        plan.end(run, self.ended(run, failure.into()));
                    }
                    Step::Abandon(_) => plan.again = true,
                }
            }
            if let (Opening::OpensAt(opens), false) = (opening, plan.delayed.is_empty()) {
                plan.due.push(opens);
            }
            self.due = plan.due.iter().min().copied();
            self.delayed = std::mem::take(&mut plan.delayed);
            self.silent.append(&mut plan.silent);
            let again = plan.again;
            if !self.carry_out(plan)? && !again {
                return Ok(());
            }
        }
    }

    /// What is known about every run that is not ended and that no watched runner works on, in the order of their ids.
    fn looks(&self, opening: Opening) -> Result<Vec<Look>, RunsError> {
        let open = self.journal.ledger().open().filter(|(_, known)| known.ended.is_none());
        let look = |(run, known): (RunId, &Run)| {
            let folder = Folder::of(&self.root, run);
            let name = known.order.action.as_ref().map_or("", |action| &action.name);
            let view = View {
                ordered: self.ordered.contains(&run),
                settled: self.settled,
                cancelled: self.cancelled.contains(&run) || folder.is_cancelled(),
                started: known.started,
                facts: folder.facts().map_err(|source| RunsError::Folder { run, source })?,
                refusal: actions::recognise(known.order.action.as_ref()).err(),
                expired: self.is_expired(&known.order),
                ruling: self.rules.ruling(name, opening),
                slot_free: true,
                launches: self.launches.get(&run).copied().unwrap_or(0),
            };
            Ok(Look { run, kind: Kind::of(name), view })
        };
        open.filter(|(run, _)| !self.watched.contains(run)).map(look).collect()
    }

    /// The kind of a run that is open.
    fn kind(&self, run: RunId) -> Kind {
        let action = match self.journal.ledger().get(run) {
            Some(Entry::Open(known)) => known.order.action.as_ref(),
            _ => None,
        };
        Kind::of(action.map_or("", |action| &action.name))
    }

    /// Records the plan, then acts on it; answers whether a launch failed and the runs must be looked at again.
    fn carry_out(&mut self, plan: Plan) -> Result<bool, RunsError> {
        self.journal.append(plan.records)?;
        for &run in plan.launched.iter().chain(&plan.ended) {
            self.ordered.remove(&run);
            self.report(run);
        }
        for run in plan.ended {
            self.launches.remove(&run);
            self.cancelled.remove(&run);
            self.remove_folder(run);
        }

        let mut failed = false;
        let limits = self.rules.run_command.limits(self.time_limit);
        for run in plan.launched {
            let launches = self.launches.entry(run).or_insert(0);
            *launches += 1;
            match self.launcher.launch(&Folder::of(&self.root, run), run, &limits, self.exits.clone()) {
                Ok(()) => {
                    self.watched.insert(run);
                    self.kill_point.reach(kill_points::RUNNER_SPAWNED);
                }
                Err(error) => {
                    tracing::error!(%run, %error, "cannot start a runner");
                    *launches = MAX_LAUNCHES;
                    failed = true;
                }
            }
        }
        for run in plan.adopted {
            tracing::info!(%run, "waiting for a runner of an earlier life of the agent");
            watch::adopt(&Folder::of(&self.root, run), run, self.exits.clone())
                .map_err(|source| RunsError::Folder { run, source })?;
            self.watched.insert(run);
        }
        Ok(failed)
    }

    /// Whether an order may no longer begin by the clock of the server; `None` while that clock is unknown.
    fn is_expired(&self, order: &Order) -> Option<bool> {
        let now = self.environment.now().saturating_add(self.clock_offset?).unwrap_or(Timestamp::MAX);
        let expiry = order.expire_time.as_ref().and_then(time::from_proto);
        Some(expiry.is_some_and(|expiry| !tasks::may_begin(expiry, now)))
    }

    /// The moment from which an order is expired, by the clock of the device; `None` where it never is, and while the
    /// clock of the server is unknown.
    fn expires_at(&self, order: &Order) -> Option<Timestamp> {
        let expiry = order.expire_time.as_ref().and_then(time::from_proto)?;
        // It may still begin at the moment itself.
        expiry.checked_sub(self.clock_offset?).ok()?.checked_add(SignedDuration::from_millis(1)).ok()
    }
}

/// A run that is looked at.
struct Look {
    run: RunId,
    kind: Kind,
    /// As if nothing else were at work.
    view: View,
}

/// What one look at all runs decided.
#[derive(Debug, Default)]
struct Plan {
    records: Vec<Record>,
    launched: Vec<RunId>,
    adopted: Vec<RunId>,
    ended: Vec<RunId>,
    delayed: BTreeSet<RunId>,
    silent: Vec<RunId>,
    due: Vec<Timestamp>,
    again: bool,
}

impl Plan {
    fn end(&mut self, run: RunId, ended: RunEnded) {
        self.records.push(Record::Ended(run, ended));
        self.ended.push(run);
    }
}
