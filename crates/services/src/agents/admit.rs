//! Whether the machine behind a new link is the device that its certificate names.

use std::{net::IpAddr, time::Duration};

use guardhouse_contract::link::{
    AgentFrame, EnrolAnew, GoAway, Hello, ServerFrame, agent_frame, go_away::Reason, server_frame::Kind,
};
use guardhouse_identity::Failure;
use guardhouse_model::DeviceId;
use guardhouse_store::{MachineArrival, MachineMet};
use tokio::time::timeout;
use tokio_stream::{Stream, StreamExt as _, once};
use tracing::{debug, info, warn};

use super::machine;
use crate::Context;

/// How long a fresh connection may take to say Hello.
const HELLO_LIMIT: Duration = Duration::from_secs(10);

/// What is to become of a link.
pub enum Admitted<S> {
    /// It is served; these are its frames, with Hello.
    Device(S),
    /// It is told this, and ends.
    Refused(ServerFrame),
    /// It ends: nothing was said.
    Silent,
}

/// Waits for Hello and judges the machine that says it. A machine that waits for a decision has no connection: it counts
/// no epoch, and does not fence the device that is connected.
///
/// # Errors
/// The store failed: the device should connect again.
pub async fn admit(
    context: &Context,
    device: DeviceId,
    peer: Option<IpAddr>,
    mut frames: impl Stream<Item = AgentFrame> + Send + Unpin,
) -> Result<Admitted<impl Stream<Item = AgentFrame> + Send + Unpin>, Failure> {
    let first = timeout(HELLO_LIMIT, frames.next()).await;
    let Ok(Some(AgentFrame { kind: Some(agent_frame::Kind::Hello(hello)) })) = first else {
        debug!(%device, "the connection did not begin with Hello");
        return Ok(Admitted::Silent);
    };
    if let Some(refusal) = judge(context, device, peer, &hello).await? {
        return Ok(Admitted::Refused(ServerFrame { kind: Some(refusal) }));
    }
    // Boxed: it is read at once, and the stream lives on for as long as the device is connected.
    let hello = Box::new(AgentFrame { kind: Some(agent_frame::Kind::Hello(hello)) });
    Ok(Admitted::Device(once(hello).map(|hello| *hello).chain(frames)))
}

/// What is said to a machine that is not let in.
async fn judge(
    context: &Context,
    device: DeviceId,
    peer: Option<IpAddr>,
    hello: &Hello,
) -> Result<Option<Kind>, Failure> {
    if hello.machine.is_none() {
        return Ok(None);
    }
    let Ok(machine) = machine(hello.machine.as_ref()) else {
        warn!(%device, "the device told digests of its machine that are none; they are ignored");
        return Ok(None);
    };
    let arrival = MachineArrival {
        device,
        machine,
        host_name: hello.inventory.as_ref().map(|said| said.host_name.clone()).unwrap_or_default(),
        public_ip_address: peer.map_or_else(String::new, |peer| peer.to_string()),
        question_id: context.environment.uuid(),
        now: context.environment.now(),
    };
    Ok(match context.store.device_meet(arrival).await? {
        // One that does not exist is sent away by its session.
        None | Some(MachineMet::Device { raised: false }) => None,
        Some(MachineMet::Device { raised: true }) => {
            warn!(%device, "another machine was connected as this device; see guardhouse identity list");
            None
        }
        Some(MachineMet::Held) => {
            warn!(%device, ?peer, "another machine says it is this device; see guardhouse identity list");
            Some(Kind::GoAway(GoAway { reason: Reason::IdentityInQuestion.into() }))
        }
        Some(MachineMet::EnrolAnew { question, group }) => {
            info!(%device, %question, "the machine is to enrol anew, as was decided");
            match context.enrolment.create_for_newcomer(question, group).await {
                Ok(token) => Some(Kind::EnrolAnew(EnrolAnew { token: token.to_string() })),
                Err(error) => {
                    warn!(%device, %error, "no token for a machine that is to enrol anew; it will ask again");
                    Some(Kind::GoAway(GoAway { reason: Reason::IdentityInQuestion.into() }))
                }
            }
        }
    })
}
