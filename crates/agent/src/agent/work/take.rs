//! Frames of the server, and what they change.

use guardhouse_contract::link::{AgentRelease, ServerFrame, go_away::Reason, server_frame};
use guardhouse_link::release::own_platform;

use super::{super::AgentError, Work};

/// What frames that arrived together changed, besides the runs.
#[derive(Default)]
pub(super) struct Taken {
    /// Why the server closes the link.
    pub(super) goes_away: Option<Reason>,
    /// The server has said what it had to say when the link opened.
    pub(super) settled: bool,
    /// There was a policy.
    pub(super) policy: bool,
    /// The device is to leave.
    pub(super) departs: bool,
    /// The version of the agent that the device should have.
    pub(super) release: Option<AgentRelease>,
}

impl Work {
    /// Takes frames that arrived together, in the order of their arrival.
    pub(super) fn take(&mut self, frames: Vec<ServerFrame>) -> Result<Taken, AgentError> {
        let (mut orders, mut acks, mut taken) = (Vec::new(), Vec::new(), Taken::default());
        for kind in frames.into_iter().filter_map(|frame| frame.kind) {
            match kind {
                // Orders that came together share one sync to disk.
                server_frame::Kind::Order(order) => orders.push(order),
                server_frame::Kind::RunEndedAck(ack) => acks.push(ack),
                server_frame::Kind::Withdraw(withdraw) => {
                    // It may concern an order that came with it.
                    self.runs.order(std::mem::take(&mut orders))?;
                    self.runs.withdraw(withdraw)?;
                }
                server_frame::Kind::Policy(policy) => {
                    // It rules the orders behind it.
                    self.runs.order(std::mem::take(&mut orders))?;
                    self.policies.take(policy)?;
                    self.obey()?;
                    taken.policy = true;
                }
                server_frame::Kind::CancelRun(cancel) => {
                    // The same.
                    self.runs.order(std::mem::take(&mut orders))?;
                    self.runs.cancel(cancel)?;
                }
                server_frame::Kind::Settled(_) => taken.settled = true,
                server_frame::Kind::GoAway(go_away) => taken.goes_away = Some(go_away.reason()),
                // The server says them all, as it need not know what kind of machine this is.
                server_frame::Kind::AgentRelease(release) => {
                    taken.release =
                        Some(release).filter(|release| release.platform == own_platform()).or(taken.release);
                }
                server_frame::Kind::Welcome(_) | server_frame::Kind::EnrolAnew(_) => {}
            }
        }
        if let Some(run) = self.runs.departure(&acks) {
            // Before the journal forgets the run. What was ordered with its acknowledgement will not be done.
            self.departure.begin(run)?;
            self.runs.acknowledged(acks)?;
            return Ok(Taken { departs: true, ..taken });
        }
        self.runs.order(orders)?;
        self.runs.acknowledged(acks)?;
        if taken.settled {
            self.runs.settled()?;
        }
        Ok(taken)
    }
}
