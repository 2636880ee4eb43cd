//! One connection of one device.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt as _, Stream, StreamExt as _, stream::FusedStream};
use guardhouse_contract::{
    automation::Action,
    link::{
        AgentFrame, CancelRun, DeviceState, GoAway, Inventory, Order, PolicyReport, RunEndedAck, ServerFrame,
        Settled, Welcome, Withdraw, agent_frame, go_away::Reason, server_frame::Kind,
    },
    time::to_proto,
};
use guardhouse_model::{DeviceId, RunId};
use guardhouse_store::{AgentRelease, Claim, DevicePolicy, OpenRun, RunReport, Store, StoreError};
use prost::Message as _;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tracing::{debug, info, warn};

use crate::{
    Dispatcher, forbidden, inventory,
    looks::Look,
    policies::{Document, report},
    progress, releases, results, states,
};

/// How long a fresh connection may take to say Hello.
const HELLO_LIMIT: Duration = Duration::from_secs(10);

/// How long a session goes without looking at the store when nothing wakes it: what a lost wake-up costs at most.
/// Each wait is a random part of this, at least three quarters, so that sessions that were woken together do not go
/// on looking together.
const SAFETY_POLL: Duration = Duration::from_secs(30);

/// The same after a look that failed.
const RETRY: Duration = Duration::from_secs(4);

/// How long looks may fail before the device is sent away: the store may be in reach of another replica. Shared among
/// the sessions like [`SAFETY_POLL`], so that they do not leave as one herd.
const FORSAKEN: Duration = Duration::from_secs(120);

/// Most frames that are taken together: bounds how long a wake-up waits for them.
const TOGETHER: usize = 64;

/// What a session did when it was time.
enum Acted {
    /// It passed progress on.
    Progress,
    /// It looked at the store.
    Looked,
}

/// The device ended the connection, or is no longer reachable through it.
struct Gone;

/// What a device is told of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// To carry it out.
    Order,
    /// Not to begin it.
    Withdraw,
    /// To stop it, if it can be stopped.
    Cancel,
}

struct Session<'a> {
    dispatcher: &'a Dispatcher,
    device: DeviceId,
    epoch: u64,
    out: mpsc::Sender<Box<ServerFrame>>,
    /// What was said of runs over this connection. Losing it costs a repetition, which the journal of the agent
    /// absorbs.
    sent: HashMap<RunId, Word>,
    /// What the device said of the progress of runs and the store has not heard yet; made with the first word.
    progress: Option<Box<progress::Waiting>>,
    /// The generation of the policy that was sent over this connection, or that the device began with. `None`: it
    /// never had one.
    policy: Option<[u8; 32]>,
    /// What the device said last of its policy, until it is kept.
    unkept: Option<Box<DevicePolicy>>,
    /// The version of its agent, as it said first.
    agent_version: Box<str>,
    /// The versions of the agent that were looked at for it.
    releases: Arc<[AgentRelease]>,
    /// Whether the device knows that a look has found no more.
    settled: bool,
}

/// Serves a connection to its end.
///
/// There is such a future for every connected device, and nearly all of them rest: what runs only for a while has a
/// box of its own.
pub async fn serve(
    dispatcher: &Dispatcher,
    device: DeviceId,
    peer: Option<IpAddr>,
    frames: impl Stream<Item = AgentFrame> + Send + Unpin,
    out: mpsc::Sender<Box<ServerFrame>>,
) -> Result<(), Arc<StoreError>> {
    let mut frames = frames.fuse();
    let mut session = Session {
        dispatcher,
        device,
        epoch: 0,
        out,
        sent: HashMap::new(),
        progress: None,
        policy: None,
        unkept: None,
        agent_version: Box::default(),
        releases: Arc::default(),
        settled: false,
    };
    let hello = match Box::pin(timeout(HELLO_LIMIT, frames.next())).await {
        Ok(Some(AgentFrame { kind: Some(agent_frame::Kind::Hello(hello)) })) => hello,
        _ => {
            debug!(%device, "the connection did not begin with Hello");
            return Ok(());
        }
    };
    let now = dispatcher.environment.now();
    let address = peer.map_or_else(String::new, |peer| peer.to_string());
    let Some(epoch) = Box::pin(dispatcher.store.device_connected(device, address, now)).await? else {
        let _ = session.go_away(Reason::NotManaged).await;
        return Ok(());
    };
    session.epoch = epoch;
    let seat = dispatcher.registry.enter(device, epoch);
    if epoch > 1 {
        // An earlier connection may still stand, at another replica: its next look finds that it is superseded.
        dispatcher.outbox.add(&[device]);
    }
    if session.send(Kind::Welcome(Welcome { epoch, server_time: Some(to_proto(now)) })).await.is_err() {
        return Ok(());
    }
    info!(%device, epoch, "device connected");
    if let Some(inventory) = hello.inventory {
        session.agent_version = inventory.agent_version.as_str().into();
        Box::pin(session.report(inventory)).await?;
    }
    if let Some(state) = hello.state {
        Box::pin(session.report_state(state)).await?;
    }
    if let Some(report) = hello.policy_report {
        // What is no generation is that of no policy: the device hears what its policy is.
        session.policy = Some(report::generation(&report).unwrap_or_default());
        Box::pin(session.report_policy(report)).await;
    }

    let mut next_look = now_instant();
    let mut forsaken = None;
    let ended = loop {
        if let Some(reason) = seat.closed() {
            let _ = session.go_away(reason).await;
            break reason.as_str_name();
        }
        tokio::select! {
            biased;
            frame = frames.next() => match frame {
                Some(frame) => {
                    if Box::pin(session.receive_all(together(frame, &mut frames))).await?.is_err() {
                        break "not reachable";
                    }
                }
                None => break "closed by the device",
            },
            () = seat.rung() => next_look = now_instant(),
            () = sleep_until(session.progress_due(next_look)) => match Box::pin(session.act(next_look)).await {
                Ok(Ok(Acted::Progress)) => {}
                Ok(Ok(Acted::Looked)) => {
                    next_look = session.later(SAFETY_POLL);
                    forsaken = None;
                }
                Ok(Err(Gone)) => break "not reachable, not managed or superseded",
                // The link still stands: giving it up would only add a herd to what troubles the store.
                Err(error) => {
                    next_look = session.later(RETRY);
                    if *forsaken.get_or_insert_with(|| session.later(FORSAKEN)) < next_look {
                        let _ = session.go_away(Reason::ShuttingDown).await;
                        break "the store is out of reach";
                    }
                    debug!(%device, %error, "the store could not be asked for work; trying again");
                }
            },
        }
    };
    info!(%device, epoch, ended, "device disconnected");
    Ok(())
}

impl Session<'_> {
    fn claim(&self) -> Claim {
        Claim { device: self.device, epoch: self.epoch }
    }

    /// When the store is to hear of progress, or `next_look` if that is earlier.
    fn progress_due(&self, next_look: Instant) -> Instant {
        let waiting = self.progress.as_ref().and_then(|waiting| waiting.due(now_instant()));
        waiting.map_or(next_look, |due| due.min(next_look))
    }

    /// Does what is due: passes progress on, or looks at the store.
    async fn act(&mut self, next_look: Instant) -> Result<Result<Acted, Gone>, Arc<StoreError>> {
        if now_instant() < next_look {
            self.pass_progress_on().await;
            return Ok(Ok(Acted::Progress));
        }
        Ok(self.reconcile().await?.map(|()| Acted::Looked))
    }

    /// Lets the store hear how far runs are. It may fail: the next word will do.
    async fn pass_progress_on(&mut self) {
        let Some(waiting) = &mut self.progress else { return };
        let now = self.dispatcher.environment.now();
        let heard = waiting.let_go(self.device, now, now_instant());
        let _ = self.dispatcher.progress.ask(heard).await;
    }

    /// Sends what the device has to know and does not know yet.
    async fn reconcile(&mut self) -> Result<Result<(), Gone>, Arc<StoreError>> {
        loop {
            let (runs, policy) = match self.dispatcher.looks.ask(self.claim()).await? {
                Look::Known { runs, policy } => (runs, policy),
                Look::NotManaged => {
                    let _ = self.go_away(Reason::NotManaged).await;
                    return Ok(Err(Gone));
                }
                Look::Superseded => {
                    let _ = self.go_away(Reason::Superseded).await;
                    return Ok(Err(Gone));
                }
            };
            // Before the orders: it rules them.
            if self.tell_policy(&policy).await.is_err() {
                return Ok(Err(Gone));
            }
            let open: HashSet<RunId> = runs.iter().map(|run| run.id).collect();
            self.sent.retain(|run, _| open.contains(run));
            let mut news = 0;
            for run in runs {
                let word = word(&run);
                if self.sent.get(&run.id) == Some(&word) {
                    continue;
                }
                news += 1;
                self.sent.insert(run.id, word);
                if let Some(news) = self.announce(run, word).await?
                    && self.send(news).await.is_err()
                {
                    return Ok(Err(Gone));
                }
            }
            // The store hands out a bounded number at a time: look again while there may be more.
            if news < Store::HAND_OUT {
                break;
            }
        }
        if self.tell_releases().await.is_err() {
            return Ok(Err(Gone));
        }
        if !self.settled {
            self.settled = true;
            if self.send(Kind::Settled(Settled {})).await.is_err() {
                return Ok(Err(Gone));
            }
        }
        self.keep_policy_report().await;
        Ok(Ok(()))
    }

    /// Tells the device which versions of the agent it is to have, when that has changed.
    async fn tell_releases(&mut self) -> Result<(), Gone> {
        let wanted = self.dispatcher.releases.wanted().await;
        if *wanted == *self.releases {
            return Ok(());
        }
        for release in wanted.iter().filter(|release| !self.releases.contains(release)) {
            if releases::is_for(release, &self.agent_version) {
                self.send(Kind::AgentRelease(releases::frame(release))).await?;
            }
        }
        self.releases = wanted;
        Ok(())
    }

    /// What the device is told of a run. `None`: nothing, as the server forbids its action and has ended it. A run that has
    /// begun, as far as is known, is not ended: the device says how it goes.
    async fn announce(&self, run: OpenRun, word: Word) -> Result<Option<Kind>, StoreError> {
        let run_uuid = run.id.to_string();
        match word {
            Word::Withdraw => return Ok(Some(Kind::Withdraw(Withdraw { run_uuid }))),
            // Never ordered first: the agent would begin it.
            Word::Cancel => return Ok(Some(Kind::CancelRun(CancelRun { run_uuid }))),
            Word::Order => {}
        }
        let action = Action::decode(run.action.as_slice())
            .map_err(|error| StoreError::Inconsistent(format!("action of run {run_uuid}: {error}")))?;
        let (now, forbidden) = (self.dispatcher.environment.now(), &self.dispatcher.forbidden);
        if let Some(end) = forbidden::end(forbidden, self.device, run.id, &action, now)
            && self.dispatcher.store.task_run_suppress(end).await?
        {
            info!(device = %self.device, run = run_uuid, action = action.name, "the server forbids the action");
            return Ok(None);
        }
        let expire_time = Some(to_proto(run.expire_time));
        Ok(Some(Kind::Order(Order { run_uuid, action: Some(action), expire_time })))
    }

    /// Sends the policy of the device, if it has another one.
    async fn tell_policy(&mut self, policy: &Document) -> Result<(), Gone> {
        let generation = policy.effective.generation;
        let is_news = match self.policy {
            Some(known) => known != generation,
            None => !policy.effective.is_empty(),
        };
        if !is_news || !policy.is_deliverable() {
            return Ok(());
        }
        self.policy = Some(generation);
        self.send(Kind::Policy(policy.effective.frame())).await
    }

    /// Takes frames that arrived together: what they say of runs goes to the store as one question. Inventories go
    /// on their own, and only the last counts, as each says everything; so it is with reports of the policy.
    async fn receive_all(&mut self, frames: Vec<AgentFrame>) -> Result<Result<(), Gone>, Arc<StoreError>> {
        let (mut reports, mut withdrawn, mut acknowledgements) = (Vec::new(), Vec::new(), Vec::new());
        let (mut inventory, mut policy_report, mut state) = (None, None, None);
        let device = self.device;
        for frame in frames {
            match frame.kind {
                Some(agent_frame::Kind::RunStarted(started)) => {
                    let run = self.run_id(&started.run_uuid);
                    let time = self.dispatcher.environment.now();
                    reports.extend(run.map(|run| RunReport::Started { run, device, time }));
                }
                Some(agent_frame::Kind::RunEnded(ended)) => {
                    acknowledgements.push(ended.run_uuid.clone());
                    if let Some(run) = self.run_id(&ended.run_uuid) {
                        // What ended has begun: keeping both would be a write too many.
                        reports.retain(|report| !is_start_of(run, report));
                        if let Some(waiting) = &mut self.progress {
                            waiting.forget(run);
                        }
                        let now = self.dispatcher.environment.now();
                        reports.push(RunReport::Ended(results::judge(device, run, ended, now)));
                    }
                }
                Some(agent_frame::Kind::RunWithdrawn(frame)) => {
                    withdrawn.extend(self.run_id(&frame.run_uuid));
                }
                Some(agent_frame::Kind::Inventory(frame)) => inventory = Some(frame),
                Some(agent_frame::Kind::PolicyReport(frame)) => policy_report = Some(frame),
                Some(agent_frame::Kind::RunProgress(said)) => {
                    if let Some(run) = self.run_id(&said.run_uuid)
                        && !self.progress.get_or_insert_default().take(run, said)
                    {
                        debug!(%device, %run, "progress that cannot be kept");
                    }
                }
                Some(agent_frame::Kind::State(frame)) => state = Some(frame),
                Some(agent_frame::Kind::Hello(_)) | None => {
                    debug!(%device, "a frame without meaning here")
                }
            }
        }
        if let Some(state) = state {
            // Before the end of the run that changed it, as the agent says it: who sees that end finds the state.
            self.report_state(state).await?;
        }
        if !reports.is_empty() {
            self.keep(reports).await?;
        }
        for run_uuid in acknowledgements {
            // Only now: what is acknowledged is on disk. An unknown run is acknowledged too, because the device
            // would repeat it for ever.
            if self.send(Kind::RunEndedAck(RunEndedAck { run_uuid })).await.is_err() {
                return Ok(Err(Gone));
            }
        }
        for run in withdrawn {
            self.dispatcher.store.task_run_withdrawn(run, self.claim()).await?;
            // The device may have become a target again while the withdrawal was under way.
            self.dispatcher.registry.wake(&[device]);
        }
        if let Some(inventory) = inventory {
            self.report(inventory).await?;
        }
        if let Some(report) = policy_report {
            self.report_policy(report).await;
        }
        Ok(Ok(()))
    }

    async fn keep(&self, reports: Vec<RunReport>) -> Result<(), Arc<StoreError>> {
        let runs: Vec<RunId> = reports.iter().map(RunReport::run).collect();
        let known = self.dispatcher.reports.ask(reports).await?;
        for (run, _) in runs.iter().zip(known).filter(|(_, known)| !known) {
            warn!(device = %self.device, %run, "the device reported a run that is not known");
        }
        Ok(())
    }

    async fn report(&self, inventory: Inventory) -> Result<(), StoreError> {
        let store = &self.dispatcher.store;
        let Some(kept) = store.device_get(self.device).await? else { return Ok(()) };
        match inventory::report(&kept.attributes, inventory) {
            // The same report comes with every connection; it must not become a write.
            Ok(report)
                if report.host_name == kept.original_display_name && report.attributes == kept.attributes => {
            }
            Ok(report) => {
                store.device_reported(self.device, report).await?;
                // It may be in other dynamic groups now: what they ask of it comes at once.
                self.dispatcher.registry.wake(&[self.device]);
            }
            Err(error) => warn!(device = %self.device, %error, "the inventory is not kept"),
        }
        Ok(())
    }

    async fn report_state(&self, state: DeviceState) -> Result<(), StoreError> {
        let report = states::judge(state, self.dispatcher.environment.now());
        self.dispatcher.store.device_state_report(self.claim(), report).await
    }

    async fn report_policy(&mut self, report: PolicyReport) {
        match report::judge(report, self.dispatcher.environment.now()) {
            Some(report) => {
                self.unkept = Some(Box::new(report));
                self.keep_policy_report().await;
            }
            None => warn!(device = %self.device, "the device reported a policy without a valid generation"),
        }
    }

    /// Keeps what the device said last of its policy. It may fail: the next look tries again.
    async fn keep_policy_report(&mut self) {
        if let Some(report) = &self.unkept
            && self.dispatcher.policy_reports.ask((self.claim(), (**report).clone())).await.is_ok()
        {
            self.unkept = None;
        }
    }

    /// A moment in three quarters of `wait` to all of it.
    fn later(&self, wait: Duration) -> Instant {
        let share = f64::from(u16::from_le_bytes(self.dispatcher.environment.random())) / 65_536.0;
        let quarter = wait / 4;
        now_instant() + wait - quarter.mul_f64(share)
    }

    fn run_id(&self, text: &str) -> Option<RunId> {
        text.parse().inspect_err(|_| warn!(device = %self.device, "a run without a valid id")).ok()
    }

    async fn go_away(&self, reason: Reason) -> Result<(), Gone> {
        self.send(Kind::GoAway(GoAway { reason: reason.into() })).await
    }

    async fn send(&self, kind: Kind) -> Result<(), Gone> {
        self.out.send(Box::new(ServerFrame { kind: Some(kind) })).await.map_err(|_| Gone)
    }
}

/// A frame and those that are already there behind it.
fn together(first: AgentFrame, rest: &mut (impl FusedStream<Item = AgentFrame> + Unpin)) -> Vec<AgentFrame> {
    let mut frames = vec![first];
    // The end of the stream is not lost here: the next look finds it again, as the stream is fused.
    while frames.len() < TOGETHER
        && let Some(Some(frame)) = rest.next().now_or_never()
    {
        frames.push(frame);
    }
    frames
}

fn is_start_of(ended: RunId, report: &RunReport) -> bool {
    matches!(report, RunReport::Started { run, .. } if *run == ended)
}

fn word(run: &OpenRun) -> Word {
    match run {
        OpenRun { withdrawn: true, .. } => Word::Withdraw,
        OpenRun { cancelled: true, .. } => Word::Cancel,
        OpenRun { .. } => Word::Order,
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "tokio's clock, which tests can hold still; it only paces looks"
)]
pub fn now_instant() -> Instant {
    Instant::now()
}
