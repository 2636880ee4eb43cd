//! One connection of one device.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    time::Duration,
};

use futures_util::{FutureExt as _, Stream, StreamExt as _, future::try_join_all, stream::FusedStream};
use guardhouse_contract::{
    automation::Action,
    link::{
        AgentFrame, GoAway, Inventory, Order, RunEndedAck, ServerFrame, Welcome, Withdraw, agent_frame,
        go_away::Reason, server_frame::Kind,
    },
    time::to_proto,
};
use guardhouse_model::{DeviceId, RunId};
use guardhouse_store::{OpenRun, Store, StoreError, Work};
use prost::Message as _;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until, timeout},
};
use tracing::{debug, info, warn};

use crate::{Dispatcher, SAFETY_POLL, inventory, results};

/// How long a fresh connection may take to say Hello.
const HELLO_LIMIT: Duration = Duration::from_secs(10);

/// Most frames that are taken together: bounds how long a wake-up waits for them.
const TOGETHER: usize = 64;

/// The device ended the connection, or is no longer reachable through it.
struct Gone;

struct Session<'a> {
    dispatcher: &'a Dispatcher,
    device: DeviceId,
    out: mpsc::Sender<ServerFrame>,
    /// The runs that were sent over this connection, and whether as withdrawn. Losing it costs a repetition,
    /// which the journal of the agent absorbs.
    sent: HashMap<RunId, bool>,
}

/// Serves a connection to its end.
pub async fn serve(
    dispatcher: &Dispatcher,
    device: DeviceId,
    peer: Option<IpAddr>,
    frames: impl Stream<Item = AgentFrame> + Send + Unpin,
    out: mpsc::Sender<ServerFrame>,
) -> Result<(), StoreError> {
    let mut frames = frames.fuse();
    let mut session = Session { dispatcher, device, out, sent: HashMap::new() };
    let hello = match timeout(HELLO_LIMIT, frames.next()).await {
        Ok(Some(AgentFrame { kind: Some(agent_frame::Kind::Hello(hello)) })) => hello,
        _ => {
            debug!(%device, "the connection did not begin with Hello");
            return Ok(());
        }
    };
    let now = dispatcher.environment.now();
    let address = peer.map_or_else(String::new, |peer| peer.to_string());
    let Some(epoch) = dispatcher.store.device_connected(device, address, now).await? else {
        let _ = session.go_away(Reason::NotManaged).await;
        return Ok(());
    };
    let mut seat = dispatcher.registry.enter(device, epoch);
    if session.send(Kind::Welcome(Welcome { epoch, server_time: Some(to_proto(now)) })).await.is_err() {
        return Ok(());
    }
    info!(%device, epoch, "device connected");
    if let Some(inventory) = hello.inventory {
        session.report(inventory).await?;
    }

    let mut next_look = now_instant();
    let ended = loop {
        tokio::select! {
            biased;
            reason = closing(&mut seat.close) => {
                let _ = session.go_away(reason).await;
                break reason.as_str_name();
            }
            frame = frames.next() => match frame {
                Some(frame) => {
                    if session.receive_all(together(frame, &mut frames)).await?.is_err() {
                        break "not reachable";
                    }
                }
                None => break "closed by the device",
            },
            () = seat.wake.notified() => next_look = now_instant(),
            () = sleep_until(next_look) => {
                if session.reconcile().await?.is_err() {
                    break "not reachable, or no longer managed";
                }
                next_look = now_instant() + SAFETY_POLL;
            }
        }
    };
    info!(%device, epoch, ended, "device disconnected");
    Ok(())
}

impl Session<'_> {
    /// Sends what the device has to know and does not know yet.
    async fn reconcile(&mut self) -> Result<Result<(), Gone>, StoreError> {
        loop {
            let store = &self.dispatcher.store;
            let now = self.dispatcher.environment.now();
            let turn = self.dispatcher.turns.acquire().await.expect("the semaphore is never closed");
            let work = store.task_runs_claim(self.device, now).await?;
            drop(turn);
            let runs = match work {
                Work::Runs(runs) => runs,
                Work::NotManaged => {
                    let _ = self.go_away(Reason::NotManaged).await;
                    return Ok(Err(Gone));
                }
            };
            let open: HashSet<RunId> = runs.iter().map(|run| run.id).collect();
            self.sent.retain(|run, _| open.contains(run));
            let mut news = 0;
            for run in runs {
                if self.sent.get(&run.id) == Some(&run.withdrawn) {
                    continue;
                }
                news += 1;
                self.sent.insert(run.id, run.withdrawn);
                if self.send(announce(run)?).await.is_err() {
                    return Ok(Err(Gone));
                }
            }
            // The store hands out a bounded number at a time: look again while there may be more.
            if news < Store::HAND_OUT {
                return Ok(Ok(()));
            }
        }
    }

    /// Takes frames that arrived together. Their writes wait together too, and so share a commit: a device
    /// that reports many runs at once, as after a lost connection, does not cost a flush for each. Frames about
    /// runs may overtake each other on the way to the store, which keeps the first end of a run and lets no
    /// start undo it; inventories may not.
    async fn receive_all(&self, frames: Vec<AgentFrame>) -> Result<Result<(), Gone>, StoreError> {
        let is_inventory = |frame: &AgentFrame| matches!(frame.kind, Some(agent_frame::Kind::Inventory(_)));
        let (inventories, runs): (Vec<_>, Vec<_>) = frames.into_iter().partition(is_inventory);
        let outcomes = try_join_all(runs.into_iter().map(|frame| self.receive(frame))).await?;
        // Only the last counts: each says everything.
        if let Some(last) = inventories.into_iter().next_back() {
            self.receive(last).await?.ok();
        }
        Ok(outcomes.into_iter().collect())
    }

    async fn receive(&self, frame: AgentFrame) -> Result<Result<(), Gone>, StoreError> {
        let store = &self.dispatcher.store;
        let device = self.device;
        match frame.kind {
            Some(agent_frame::Kind::RunStarted(started)) => {
                if let Some(run) = self.run_id(&started.run_uuid) {
                    store.task_run_started(run, device).await?;
                }
            }
            Some(agent_frame::Kind::RunEnded(ended)) => {
                let run_uuid = ended.run_uuid.clone();
                if let Some(run) = self.run_id(&run_uuid) {
                    let end = results::judge(device, run, ended, self.dispatcher.environment.now());
                    if !store.task_run_ended(end).await? {
                        warn!(%device, %run, "the device ended a run that is not known");
                    }
                }
                // Only now: what is acknowledged is on disk. An unknown run is acknowledged too, because the
                // device would repeat it for ever.
                return Ok(self.send(Kind::RunEndedAck(RunEndedAck { run_uuid })).await);
            }
            Some(agent_frame::Kind::RunWithdrawn(withdrawn)) => {
                if let Some(run) = self.run_id(&withdrawn.run_uuid) {
                    store.task_run_withdrawn(run, device).await?;
                    // The device may have become a target again while the withdrawal was under way.
                    self.dispatcher.wake(&[device]);
                }
            }
            Some(agent_frame::Kind::Inventory(inventory)) => self.report(inventory).await?,
            Some(agent_frame::Kind::Hello(_)) | None => debug!(%device, "a frame without meaning here"),
        }
        Ok(Ok(()))
    }

    async fn report(&self, inventory: Inventory) -> Result<(), StoreError> {
        let store = &self.dispatcher.store;
        let Some(kept) = store.device_get(self.device).await? else { return Ok(()) };
        match inventory::report(&kept.attributes, inventory) {
            Ok(report) => {
                store.device_reported(self.device, report).await?;
            }
            Err(error) => warn!(device = %self.device, %error, "the inventory is not kept"),
        }
        Ok(())
    }

    fn run_id(&self, text: &str) -> Option<RunId> {
        text.parse().inspect_err(|_| warn!(device = %self.device, "a run without a valid id")).ok()
    }

    async fn go_away(&self, reason: Reason) -> Result<(), Gone> {
        self.send(Kind::GoAway(GoAway { reason: reason.into() })).await
    }

    async fn send(&self, kind: Kind) -> Result<(), Gone> {
        self.out.send(ServerFrame { kind: Some(kind) }).await.map_err(|_| Gone)
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

fn announce(run: OpenRun) -> Result<Kind, StoreError> {
    let run_uuid = run.id.to_string();
    if run.withdrawn {
        return Ok(Kind::Withdraw(Withdraw { run_uuid }));
    }
    let action = Action::decode(run.action.as_slice())
        .map_err(|error| StoreError::Inconsistent(format!("action of run {run_uuid}: {error}")))?;
    Ok(Kind::Order(Order { run_uuid, action: Some(action), expire_time: Some(to_proto(run.expire_time)) }))
}

/// Waits until the session is to end; answers why.
async fn closing(close: &mut watch::Receiver<Option<Reason>>) -> Reason {
    let reason = close.wait_for(Option::is_some).await;
    reason.ok().and_then(|reason| *reason).unwrap_or(Reason::Superseded)
}

#[allow(
    clippy::disallowed_methods,
    reason = "tokio's clock, which tests can hold still; it only paces looks"
)]
fn now_instant() -> Instant {
    Instant::now()
}
