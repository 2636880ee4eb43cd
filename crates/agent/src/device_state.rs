//! What the device is in for a while, as the server is told: gathered from the files that say so, whenever the link
//! opens and whenever something may have changed it.

use std::path::Path;

use guardhouse_contract::{
    link::{DeviceState, Isolation},
    time,
};

use crate::{isolation::kept::Kept, power};

/// What the files in a state folder say. What cannot be read is left out, and the log says so.
#[must_use]
pub fn gather(folder: &Path) -> DeviceState {
    let power_action = power::recorded(folder).map(|scheduled| (&scheduled).into());
    DeviceState { isolation: isolation(folder), power_action, ..Default::default() }
}

fn isolation(folder: &Path) -> Option<Isolation> {
    let kept = match Kept::load(folder) {
        Ok(kept) => kept,
        Err(error) => {
            tracing::error!(%error, "the server is told that this device is not isolated");
            return None;
        }
    };
    // A change that is still being made does not count yet.
    let isolation = kept.settled?;
    let isolation_time = Some(time::to_proto(isolation.isolation_time));
    Some(Isolation { isolation_time, run_uuid: isolation.run_uuid })
}
