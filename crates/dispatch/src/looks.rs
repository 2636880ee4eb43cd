//! What there is to do for devices that look, many at a time.

use std::{iter::zip, sync::Arc};

use guardhouse_model::{DeviceId, Timestamp};
use guardhouse_store::{Claim, OpenRun, Store, StoreError, Work};

use crate::policies::{Document, Policies};

/// What a session finds.
#[derive(Debug)]
pub enum Look {
    /// The device does not exist (any more).
    NotManaged,
    /// The device has a later connection.
    Superseded,
    /// What the device is to know.
    Known {
        /// Runs that are not over.
        runs: Vec<OpenRun>,
        /// What its policies say.
        policy: Arc<Document>,
    },
}

/// Looks for several sessions; the answers are in the order of the claims.
pub async fn look_together(
    store: &Store,
    policies: &Policies,
    claims: Vec<Claim>,
    now: Timestamp,
) -> Result<Vec<Look>, StoreError> {
    let devices: Vec<DeviceId> = claims.iter().map(|claim| claim.device).collect();
    let work = store.task_runs_claim(claims, now).await?;
    // Behind the work: no task gets ahead of a policy that was assigned before it was created.
    let managed = zip(devices, &work).filter(|(_, work)| matches!(work, Work::Runs(_)));
    let managed: Vec<DeviceId> = managed.map(|(device, _)| device).collect();
    let mut documents = policies.of_devices(managed).await?.into_iter();
    let look = |work| match work {
        Work::NotManaged => Look::NotManaged,
        Work::Superseded => Look::Superseded,
        Work::Runs(runs) => {
            Look::Known { runs, policy: documents.next().expect("each device has a document") }
        }
    };
    Ok(work.into_iter().map(look).collect())
}
