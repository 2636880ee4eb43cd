//! `ShutdownComputer`: restarts the device or switches it off.
//!
//! The run is FINISHED when that is scheduled ([`crate::power`]): the device cannot report later.

use guardhouse_contract::{
    pb::era::common::data_definition::task::os::{PowerActions, ShutdownComputer},
    status::pack,
};

use crate::{
    outcome::{Failure, Outcome},
    power,
    workplace::Workplace,
};

/// The action, ready to begin.
#[derive(Debug)]
pub struct Shutdown {
    restart: bool,
    actions: PowerActions,
}

/// Reads the request. Without `actions`, the user may neither put it off nor cancel it.
///
/// # Errors
/// None: what the device can do about it shows when it is scheduled.
pub fn prepare(request: &ShutdownComputer, _workplace: &Workplace) -> Result<Shutdown, Failure> {
    Ok(Shutdown { restart: request.restart, actions: request.actions.unwrap_or_default() })
}

impl Shutdown {
    /// Does it.
    pub async fn perform(self, workplace: &Workplace) -> Outcome {
        if workplace.is_cancelled() {
            return Failure::new("CANCELLED", "the run was stopped before anything was scheduled").into();
        }
        let reason = match self.restart {
            true => "The administrator of this computer restarts it.",
            false => "The administrator of this computer switches it off.",
        };
        match power::schedule(workplace, self.restart, &self.actions, reason).await {
            Ok(result) => Outcome { succeeded: true, suppressed: false, result: pack(&result) },
            Err(failure) => failure.into(),
        }
    }
}
