//! Sends events to webhooks, at least once, until they are taken or given up.

mod sender;

use std::time::Duration;

use futures_util::future::join_all;
use guardhouse_identity::Sealing;
use guardhouse_model::{Timestamp, agentless::webhooks::next_try};
use guardhouse_services::prepare_delivery;
use guardhouse_store::{DeliveryState, DeliveryTried, DueDelivery, Store};
use tokio::time::MissedTickBehavior;
use tracing::{info, warn};

use self::sender::Answer;
use super::duty::Duty;

pub use self::sender::Sender;

/// How often deliveries are looked for.
const PERIOD: Duration = Duration::from_secs(1);

/// How often those are looked for that are to be forgotten.
const SWEEP: Duration = Duration::from_secs(3_600);

/// How long deliveries are shown that are over.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);

/// Most deliveries that are sent at the same time.
const STEP: usize = 32;

/// Most deliveries that one transaction forgets.
const SWEEP_STEP: usize = 500;

/// The duty of which one replica holds the lease.
pub const DUTY: &str = "agentless webhooks";

/// How long a replica has the duty to itself: longer than a round of tries takes.
pub const LEASE: Duration = Duration::from_secs(60);

/// What sending events needs.
#[derive(Debug, Clone)]
pub struct Webhooks {
    /// Where they are.
    pub store: Store,
    /// The lease under which it is done.
    pub duty: Duty,
    /// Opens the secrets.
    pub sealing: Sealing,
    /// The way to the receivers.
    pub sender: Sender,
}

impl Webhooks {
    /// Sends what is due, for as long as it is polled.
    pub async fn run(self) {
        let mut ticks = tokio::time::interval(PERIOD);
        // A round of receivers that do not answer takes longer than the period.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sweeps = tokio::time::interval(SWEEP);
        loop {
            let done = tokio::select! {
                _ = ticks.tick() => self.send_due().await.map(drop),
                _ = sweeps.tick() => self.forget_old().await,
            };
            if let Err(error) = done {
                warn!(%error, "webhooks were not served; the next round will");
            }
        }
    }

    /// Sends what is due now, unless another replica has that duty; answers how many deliveries were tried.
    async fn send_due(&self) -> anyhow::Result<usize> {
        let environment = &self.duty.environment;
        let due = self.store.agentless_deliveries_due(environment.now(), STEP).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let Some(lease) = self.duty.take().await? else { return Ok(0) };
        let tried = join_all(due.iter().map(|due| self.send(due))).await;
        let count = tried.len();
        for tried in tried {
            self.store.agentless_delivery_settle(lease, tried).await?;
        }
        Ok(count)
    }

    async fn send(&self, due: &DueDelivery) -> DeliveryTried {
        let environment = &self.duty.environment;
        let answer = match prepare_delivery(due, &self.sealing, environment.now()) {
            Ok(prepared) => self.sender.send(&due.url, prepared).await,
            Err(error) => {
                warn!(%error, webhook = %due.delivery.webhook, "an event cannot be signed");
                Answer { status: 0, trouble: "the secret of the webhook cannot be opened".to_owned() }
            }
        };
        let tried = judge(due, answer, environment.now());
        let delivery = &due.delivery;
        match tried.state {
            DeliveryState::Delivered => {}
            DeliveryState::Waiting => info!(
                webhook = %delivery.webhook, delivery = %delivery.id, trouble = tried.trouble,
                "an event was not taken, and is sent again later"
            ),
            DeliveryState::GivenUp => warn!(
                webhook = %delivery.webhook, delivery = %delivery.id, trouble = tried.trouble,
                "an event was not taken for a day, and is given up"
            ),
        }
        tried
    }

    /// Forgets deliveries that have been over for long, unless another replica has that duty.
    async fn forget_old(&self) -> anyhow::Result<()> {
        let Some(lease) = self.duty.take().await? else { return Ok(()) };
        let before = self.duty.environment.now().checked_sub(KEPT)?;
        while self.store.agentless_deliveries_expire(lease, before, SWEEP_STEP).await? == SWEEP_STEP {}
        Ok(())
    }
}

/// What an answer makes of a delivery.
fn judge(due: &DueDelivery, answer: Answer, now: Timestamp) -> DeliveryTried {
    let delivery = &due.delivery;
    let is_taken = (200..300).contains(&answer.status);
    let next_time =
        next_try(delivery.create_time, delivery.tries.saturating_add(1), now).filter(|_| !is_taken);
    let state = match (is_taken, next_time) {
        (true, _) => DeliveryState::Delivered,
        (false, Some(_)) => DeliveryState::Waiting,
        (false, None) => DeliveryState::GivenUp,
    };
    DeliveryTried {
        id: delivery.id,
        tries: delivery.tries,
        now,
        state,
        next_time,
        status: answer.status,
        trouble: answer.trouble,
    }
}

#[cfg(test)]
mod tests;
