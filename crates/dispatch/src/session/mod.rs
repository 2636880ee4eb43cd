//! One connection of one device: here the loop that waits for both ends, in `hear` what the device says, in `tell` what
//! it is told.

mod hear;
mod tell;

use std::{collections::HashMap, net::IpAddr, sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt as _};
use guardhouse_contract::{
    link::{AgentFrame, GoAway, ServerFrame, Welcome, agent_frame, go_away::Reason, server_frame::Kind},
    time::to_proto,
};
use guardhouse_model::{DeviceId, RunId};
use guardhouse_store::{AgentRelease, Claim, DevicePolicy, StoreError};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tracing::{debug, info};

use self::{hear::together, tell::Word};
use crate::{Dispatcher, policies::report, progress};

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

/// What a session did when it was time.
enum Acted {
    /// It passed progress on.
    Progress,
    /// It looked at the store.
    Looked,
}

/// The device ended the connection, or is no longer reachable through it.
struct Gone;

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

    /// A moment in three quarters of `wait` to all of it.
    fn later(&self, wait: Duration) -> Instant {
        let share = f64::from(u16::from_le_bytes(self.dispatcher.environment.random())) / 65_536.0;
        let quarter = wait / 4;
        now_instant() + wait - quarter.mul_f64(share)
    }

    async fn go_away(&self, reason: Reason) -> Result<(), Gone> {
        self.send(Kind::GoAway(GoAway { reason: reason.into() })).await
    }

    async fn send(&self, kind: Kind) -> Result<(), Gone> {
        self.out.send(Box::new(ServerFrame { kind: Some(kind) })).await.map_err(|_| Gone)
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "tokio's clock, which tests can hold still; it only paces looks"
)]
pub fn now_instant() -> Instant {
    Instant::now()
}
