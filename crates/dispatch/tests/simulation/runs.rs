//! The runs of an agent. Ledger, records and decisions are those of the real agent; this carries them out on a
//! simulated machine, step by step as `guardhouse_agent::runs::Runs` does on a real one.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::Rc,
};

use guardhouse_agent::{
    journal::{Entry, Ledger, Record, Settled, keep_until},
    outcome::{Failure, Outcome},
    policy::Ruling,
    runs::{
        decide::{Step, View, decide},
        folder::Facts,
    },
};
use guardhouse_contract::{
    link::{
        AgentFrame, CancelRun, Order, RunEnded, RunEndedAck, RunStarted, RunWithdrawn, Withdraw, agent_frame,
    },
    time::{from_proto, to_proto},
};
use guardhouse_model::{RunId, Timestamp, tasks};
use jiff::SignedDuration;

use crate::{device::Device, world::World};

/// How many runners work at the same time. Far fewer than of the real agent: orders that wait on a device can be
/// withdrawn, expire, and outlive a connection.
const SLOTS: usize = 2;

/// The agent was killed.
pub struct Died;

/// All runs of a device.
pub struct Runs {
    world: Rc<World>,
    pub device: Rc<Device>,
    place: usize,
    ledger: Ledger,
    clock_offset: Option<SignedDuration>,
    ordered: BTreeSet<RunId>,
    settled: bool,
    cancelled: BTreeSet<RunId>,
    watched: BTreeSet<RunId>,
    launches: BTreeMap<RunId, u32>,
    outbox: Option<VecDeque<AgentFrame>>,
}

impl Runs {
    /// Takes up the runs of an earlier life.
    pub fn new(world: Rc<World>, place: usize) -> Result<Self, Died> {
        let device = Rc::clone(&world.devices[place]);
        let mut ledger = Ledger::default();
        device.journal.borrow().iter().for_each(|record| ledger.apply(record));
        let mut runs = Self {
            world,
            device,
            place,
            ledger,
            clock_offset: None,
            ordered: BTreeSet::new(),
            settled: false,
            cancelled: BTreeSet::new(),
            watched: BTreeSet::new(),
            launches: BTreeMap::new(),
            outbox: None,
        };
        runs.advance()?;
        Ok(runs)
    }

    pub fn connected(&mut self, server_time: Option<Timestamp>) -> Result<(), Died> {
        let now = self.now();
        self.clock_offset = Some(server_time.map_or(SignedDuration::ZERO, |time| now.duration_until(time)));
        self.outbox = Some(VecDeque::new());
        self.ordered.clear();
        self.settled = false;
        let open: Vec<RunId> = self.ledger.open().map(|(run, _)| run).collect();
        open.into_iter().for_each(|run| self.report(run));
        self.advance()
    }

    pub fn disconnected(&mut self) {
        self.outbox = None;
    }

    pub fn next_frame(&mut self) -> Option<AgentFrame> {
        self.outbox.as_mut()?.pop_front()
    }

    pub fn order(&mut self, orders: Vec<Order>) -> Result<(), Died> {
        let mut records = Vec::new();
        for order in orders {
            let run: RunId = order.run_uuid.parse().expect("a run");
            match self.ledger.get(run) {
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
        self.append(records)?;
        self.advance()
    }

    pub fn withdraw(&mut self, withdraw: &Withdraw) -> Result<(), Died> {
        let run: RunId = withdraw.run_uuid.parse().expect("a run");
        let order = match self.ledger.get(run) {
            None => None,
            Some(entry @ Entry::Open(known)) if entry.is_not_started() => Some(&known.order),
            Some(Entry::Open(_) | Entry::Settled(Settled::Acknowledged, _)) => return Ok(()),
            Some(Entry::Settled(Settled::Withdrawn, _)) => {
                self.report(run);
                return Ok(());
            }
        };
        let until = keep_until(order, self.now());
        self.append(vec![Record::Settled(run, Settled::Withdrawn, until)])?;
        self.ordered.remove(&run);
        self.report(run);
        Ok(())
    }

    pub fn cancel(&mut self, cancel: &CancelRun) -> Result<(), Died> {
        let run: RunId = cancel.run_uuid.parse().expect("a run");
        match self.ledger.get(run) {
            None | Some(Entry::Settled(Settled::Withdrawn, _)) => {
                let order = Order { run_uuid: cancel.run_uuid.clone(), ..Default::default() };
                self.append(vec![Record::Accepted(run, order)])?;
            }
            Some(Entry::Open(known)) if known.ended.is_none() => {}
            Some(_) => {
                self.report(run);
                return Ok(());
            }
        }
        self.cancelled.insert(run);
        if let Some(folder) = self.device.folders.borrow_mut().get_mut(&run) {
            folder.cancelled = true;
        }
        self.advance()
    }

    pub fn settled(&mut self) -> Result<(), Died> {
        self.settled = true;
        self.advance()
    }

    pub fn acknowledged(&mut self, acks: &[RunEndedAck]) -> Result<(), Died> {
        let mut records = Vec::new();
        for run in acks.iter().map(|ack| ack.run_uuid.parse::<RunId>().expect("a run")) {
            if let Some(Entry::Open(known)) = self.ledger.get(run)
                && known.ended.is_some()
            {
                let until = keep_until(Some(&known.order), self.now());
                records.push(Record::Settled(run, Settled::Acknowledged, until));
            }
        }
        self.append(records)
    }

    pub fn runners_exited(&mut self) -> Result<(), Died> {
        let device = Rc::clone(&self.device);
        self.watched.retain(|run| device.facts(*run) == Facts::RunnerAlive);
        self.advance()
    }

    /// Does for every run what comes next.
    fn advance(&mut self) -> Result<(), Died> {
        let (mut records, mut launched, mut ended, mut adopted) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let open = self.ledger.open().filter(|(_, known)| known.ended.is_none());
        for (run, known) in open.filter(|(run, _)| !self.watched.contains(run)) {
            let view = View {
                ordered: self.ordered.contains(&run),
                settled: self.settled,
                cancelled: self.cancelled.contains(&run) || self.device.is_cancelled(run),
                started: known.started,
                facts: self.device.facts(run),
                refusal: None,
                expired: self.is_expired(&known.order),
                ruling: Ruling::Free,
                slot_free: self.watched.len() + launched.len() < SLOTS,
                launches: self.launches.get(&run).copied().unwrap_or(0),
            };
            let outcome = match decide(view) {
                Step::Wait => continue,
                Step::Start => {
                    self.device.folders.borrow_mut().entry(run).or_default();
                    records.push(Record::Started(run));
                    launched.push(run);
                    continue;
                }
                Step::Launch => {
                    launched.push(run);
                    continue;
                }
                Step::Adopt => {
                    records.extend((!known.started).then_some(Record::Started(run)));
                    adopted.push(run);
                    continue;
                }
                Step::Report(outcome) => outcome,
                Step::End(outcome) => self.ended(run, outcome),
                Step::Abandon(failure) => {
                    // Nobody passes the barrier any more.
                    self.device.folders.borrow_mut().entry(run).or_default().begun = true;
                    self.ended(run, failure.into())
                }
            };
            records.push(Record::Ended(run, outcome));
            ended.push(run);
        }
        self.append(records)?;
        for &run in launched.iter().chain(&ended) {
            self.ordered.remove(&run);
            self.report(run);
        }
        for run in ended {
            self.launches.remove(&run);
            self.cancelled.remove(&run);
            self.device.folders.borrow_mut().remove(&run);
        }
        for run in launched {
            *self.launches.entry(run).or_insert(0) += 1;
            self.device.launch(&self.world, run);
            self.watched.insert(run);
        }
        self.watched.extend(adopted);
        Ok(())
    }

    /// Writes to the journal, if the agent lives so long.
    fn append(&mut self, records: Vec<Record>) -> Result<(), Died> {
        if records.is_empty() {
            return Ok(());
        }
        let doomed = self.device.doomed.replace(false);
        if doomed && self.world.chance(50) {
            return Err(Died);
        }
        for record in &records {
            self.ledger.apply(record);
            if let Record::Ended(run, ended) = record {
                self.world.notes.borrow_mut().ended(*run, ended);
            }
            let what = match record {
                Record::Accepted(run, _) => format!("accepts {run}"),
                Record::Started(run) => format!("starts {run}"),
                Record::Ended(run, _) => format!("ends {run}"),
                Record::Settled(run, how, _) => format!("settles {run}: {how:?}"),
            };
            self.world.note(&format!("device {} {what}", self.place));
        }
        self.device.journal.borrow_mut().extend(records);
        if doomed { Err(Died) } else { Ok(()) }
    }

    /// Puts what the server should know about a run into the outbox.
    fn report(&mut self, run: RunId) {
        let run_uuid = run.to_string();
        match self.ledger.get(run) {
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
            Some(Entry::Settled(Settled::Acknowledged, _)) => {
                self.world
                    .violation(format!("run {run} was ordered again after its result was acknowledged"));
                let failure = Failure::new("RESULT_FORGOTTEN", "it is not repeated");
                let ended = self.ended(run, failure.into());
                self.send(agent_frame::Kind::RunEnded(ended));
            }
            None => {}
        }
    }

    /// Keeps the policy of the device, if the agent lives so long.
    pub fn keep_policy(&mut self, generation: [u8; 32]) -> Result<(), Died> {
        let doomed = self.device.doomed.replace(false);
        if doomed && self.world.chance(50) {
            return Err(Died);
        }
        self.device.policy.set(Some(generation));
        self.world.note(&format!("device {} keeps policy {:02x?}", self.place, &generation[..4]));
        if doomed { Err(Died) } else { Ok(()) }
    }

    /// Puts a frame into the outbox.
    pub fn send(&mut self, kind: agent_frame::Kind) {
        if let Some(outbox) = &mut self.outbox {
            outbox.push_back(AgentFrame { kind: Some(kind) });
        }
    }

    fn ended(&self, run: RunId, Outcome { succeeded, suppressed, result }: Outcome) -> RunEnded {
        let end_time = Some(to_proto(self.now()));
        RunEnded { run_uuid: run.to_string(), succeeded, result: Some(result), end_time, suppressed }
    }

    fn is_expired(&self, order: &Order) -> Option<bool> {
        let now = self.now().saturating_add(self.clock_offset?).unwrap_or(Timestamp::MAX);
        let expiry = order.expire_time.as_ref().and_then(from_proto);
        Some(expiry.is_some_and(|expiry| !tasks::may_begin(expiry, now)))
    }

    fn now(&self) -> Timestamp {
        self.world.environment.now().saturating_add(self.device.skew).unwrap_or(Timestamp::MAX)
    }
}
