//! `StopManaging`: the agent leaves its server and the machine.
//!
//! The run itself only says what will go. It has to end, and the server to keep that, before anything can go: see
//! [`crate::departure`] for what follows.

use guardhouse_contract::{action::StopManagingResult, status::pack};

use crate::{
    outcome::{Failure, Outcome},
    service::Installation,
    workplace::Workplace,
};

/// A departure that may begin.
#[derive(Debug)]
pub struct Departure {
    removals: Vec<String>,
}

/// Finds out how the agent is on this machine.
///
/// # Errors
/// It is installed, and runs as a user who cannot remove it.
pub fn prepare(workplace: &Workplace) -> Result<Departure, Failure> {
    let installation = Installation::of(&workplace.state);
    if installation != Installation::Bare && !rustix::process::geteuid().is_root() {
        let reason = "the agent does not run as root and cannot remove itself; run \
                      \"guardhouse-agent uninstall --purge\" as root on the device, and delete the device";
        return Err(Failure::new("NOT_PRIVILEGED", reason));
    }
    Ok(Departure { removals: installation.describe(&workplace.state) })
}

impl Departure {
    /// Ends the run well; the agent goes when the server has kept that.
    pub async fn perform(self, _workplace: &Workplace) -> Outcome {
        let result = pack(&StopManagingResult { removals: self.removals });
        Outcome { succeeded: true, suppressed: false, result }
    }
}
