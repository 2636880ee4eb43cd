//! `SystemUpdate`.

use guardhouse_contract::pb::era::common::data_definition::task::os::SystemUpdate;

use super::{Failure, Outcome, workplace::Workplace};

/// The action, ready to begin. There is none yet: this agent version cannot carry it out.
#[derive(Debug)]
pub enum Update {}

/// Checks what can be checked without any effect.
///
/// # Errors
/// The action cannot begin.
pub fn prepare(_request: &SystemUpdate, _workplace: &Workplace) -> Result<Update, Failure> {
    Err(Failure::unsupported())
}

impl Update {
    /// Does it.
    pub async fn perform(self, _workplace: &Workplace) -> Outcome {
        match self {}
    }
}
