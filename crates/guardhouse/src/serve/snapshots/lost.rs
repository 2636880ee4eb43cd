//! Ends scans of devices whose snapshots nobody will send any more, so that none waits for ever.

use std::{collections::BTreeMap, time::Duration};

use guardhouse_contract::failure;
use guardhouse_model::{RunId, tasks::RunStatus};
use guardhouse_store::{LostSnapshot, SnapshotLoss, Store, StoreError};
use prost::Message as _;
use prost_types::Any;
use tokio::time::MissedTickBehavior;
use tracing::{info, warn};

use crate::serve::duty::Duty;

/// How often they are looked for. The first look is at the start.
const PERIOD: Duration = Duration::from_secs(1);

/// Most scans that one transaction ends.
const STEP: usize = 200;

/// Rest between two steps: the writer belongs to the workers and the API.
const REST: Duration = Duration::from_millis(20);

/// Longest reason, in bytes: what a device says is not trusted.
const LONGEST_REASON: usize = 1_000;

/// The duty of which one replica holds the lease.
pub const DUTY: &str = "lost snapshots of devices";

/// How long a replica has the duty to itself.
pub const LEASE: Duration = Duration::from_secs(60);

/// What ending such scans needs.
#[derive(Debug, Clone)]
pub struct Lost {
    /// Where they are.
    pub store: Store,
    /// The lease under which it is done.
    pub duty: Duty,
}

impl Lost {
    /// Ends scans, for as long as it is polled.
    pub async fn run(self) {
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.end().await {
                Ok(0) => {}
                Ok(scans) => info!(duty = DUTY, scans, "scans of devices ended that had no snapshot to come"),
                Err(error) => {
                    warn!(%error, "scans without a snapshot to come were not ended; the next look will")
                }
            }
        }
    }

    /// Ends what waits in vain now, unless another replica has that duty; answers how many scans.
    async fn end(&self) -> Result<usize, StoreError> {
        let mut ended = 0;
        loop {
            let now = self.duty.environment.now();
            let lost = self.store.agentless_snapshots_lost(now, STEP).await?;
            let found = lost.len();
            if found == 0 {
                return Ok(ended);
            }
            let Some(lease) = self.duty.take().await? else { return Ok(ended) };
            let reasons: BTreeMap<RunId, String> =
                lost.into_iter().map(|LostSnapshot { run, loss }| (run, reason(loss))).collect();
            ended += self.store.agentless_snapshots_fail(lease, reasons, now).await?;
            if found < STEP {
                return Ok(ended);
            }
            tokio::time::sleep(REST).await;
        }
    }
}

/// Why a scan ended, for people.
fn reason(loss: SnapshotLoss) -> String {
    match loss {
        SnapshotLoss::DeviceGone => "the device was deleted before it sent its snapshot".to_owned(),
        SnapshotLoss::OrderGone => {
            "the device task that ordered its snapshot was changed, cancelled or deleted".to_owned()
        }
        SnapshotLoss::Expired => "the device was not there for 24 hours".to_owned(),
        SnapshotLoss::RunEnded { status: RunStatus::Finished, .. } => {
            "the device says that it sent its snapshot, and the server has not all of it".to_owned()
        }
        SnapshotLoss::RunEnded { code, reason, result, .. } => {
            let failure = result.and_then(|result| Any::decode(result.as_slice()).ok());
            let failure = failure.and_then(|result| failure::of_result(&result));
            let (code, reason) = match failure {
                Some(failure) => (Some(failure.code), Some(failure.reason)),
                None => (code, reason),
            };
            let known: Vec<String> =
                [code, reason].into_iter().flatten().filter(|text| !text.is_empty()).collect();
            if known.is_empty() {
                return "the device did not take its snapshot, and does not say why".to_owned();
            }
            clean(&format!("the device did not take its snapshot: {}", known.join(": ")))
        }
    }
}

/// One line, not too long, that every database keeps.
fn clean(text: &str) -> String {
    let mut text: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    text.truncate(text.floor_char_boundary(LONGEST_REASON));
    text
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::{
        action::{ActionFailure, TakeSnapshotResult},
        status::pack,
    };
    use guardhouse_model::{agentless::TaskStatus, tasks::run_id};
    use guardhouse_store::{Claim, RunEnd, RunReport};

    use super::*;
    use crate::serve::snapshots::tests::{House, house};

    fn ended(status: RunStatus, code: Option<&str>, reason: Option<&str>, result: Option<&Any>) -> String {
        let result = result.map(Any::encode_to_vec);
        let (code, reason) = (code.map(str::to_owned), reason.map(str::to_owned));
        super::reason(SnapshotLoss::RunEnded { status, code, reason, result })
    }

    #[test]
    fn a_scan_says_why_there_is_no_snapshot() {
        use RunStatus::{Failed, Finished, Suppressed};
        let failure =
            |reason: &str| ActionFailure { code: "SNAPSHOT_FAILED".to_owned(), reason: reason.to_owned() };
        let said = pack(&TakeSnapshotResult { failure: Some(failure("no room")), ..Default::default() });
        let did_not = "the device did not take its snapshot";
        let table = [
            (ended(Failed, Some("X"), None, Some(&said)), format!("{did_not}: SNAPSHOT_FAILED: no room")),
            (
                ended(Suppressed, None, None, Some(&pack(&failure("not now")))),
                format!("{did_not}: SNAPSHOT_FAILED: not now"),
            ),
            (
                ended(Failed, Some("DEVICE_RETIRED"), Some("it left"), None),
                format!("{did_not}: DEVICE_RETIRED: it left"),
            ),
            (ended(Failed, None, None, None), format!("{did_not}, and does not say why")),
            (
                ended(Finished, None, None, None),
                "the device says that it sent its snapshot, and the server has not all of it".to_owned(),
            ),
        ];
        for (reason, expected) in table {
            assert_eq!(reason, expected);
        }
    }

    #[test]
    fn what_a_device_says_is_bounded() {
        let failure =
            ActionFailure { code: "C".to_owned(), reason: format!("a\0b\n{}", "ä".repeat(10_000)) };
        let reason = ended(RunStatus::Failed, None, None, Some(&pack(&failure)));
        assert!(reason.starts_with("the device did not take its snapshot: C: a b ä"), "{reason}");
        assert!(reason.len() <= LONGEST_REASON && !reason.contains(char::is_control));
    }

    #[tokio::test]
    async fn no_scan_waits_for_ever() {
        let House { store, duty, clock, device, .. } = &house().await;
        let lost = Lost { store: store.clone(), duty: duty.clone() };
        let subtask = |task: u128| async move {
            let subtask = store.agentless_subtask_get(House::subtask(task)).await.expect("reads");
            let subtask = subtask.expect("is there");
            (subtask.status, subtask.reason)
        };
        let trigger = House::scan(store, duty, *device, 1).await;
        assert_eq!(lost.end().await.expect("works"), 0);
        let now = duty.environment.now();
        store.task_runs_claim(vec![Claim { device: *device, epoch: 0 }], now).await.expect("works");
        let failure = ActionFailure { code: "SNAPSHOT_FAILED".to_owned(), reason: "no room".to_owned() };
        let result = pack(&TakeSnapshotResult { failure: Some(failure), ..Default::default() });
        let end = RunEnd {
            run: run_id(trigger, *device),
            device: *device,
            status: RunStatus::Failed,
            end_time: now,
            result: Some(result.encode_to_vec()),
            code: Some("SNAPSHOT_FAILED".to_owned()),
        };
        store.task_runs_report(vec![RunReport::Ended(end)]).await.expect("writes");
        assert_eq!(lost.end().await.expect("works"), 1);
        let reason = "the device did not take its snapshot: SNAPSHOT_FAILED: no room";
        assert_eq!(subtask(1).await, (TaskStatus::Failed, reason.to_owned()));

        House::scan(store, duty, *device, 2).await;
        clock.advance(24 * 3_600);
        assert_eq!(lost.end().await.expect("works"), 0);
        clock.advance(1);
        assert_eq!(lost.end().await.expect("works"), 1);
        assert_eq!(
            subtask(2).await,
            (TaskStatus::Failed, "the device was not there for 24 hours".to_owned())
        );
    }

    #[tokio::test]
    async fn one_process_has_the_duty() {
        let House { store, duty, clock, device, .. } = &house().await;
        let lost = Lost { store: store.clone(), duty: duty.clone() };
        House::scan(store, duty, *device, 1).await;
        clock.advance(25 * 3_600);
        let other = Duty { holder: uuid::Uuid::from_u128(99), ..duty.clone() };
        other.take().await.expect("writes").expect("is free");
        assert_eq!(lost.end().await.expect("works"), 0);
        other.give_up().await;
        assert_eq!(lost.end().await.expect("works"), 1);
    }
}
