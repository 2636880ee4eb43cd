//! `LogOffComputerUser`.

use super::{Failure, Outcome, workplace::Workplace};

/// The action, ready to begin. There is none yet: this agent version cannot carry it out.
#[derive(Debug)]
pub enum LogOff {}

/// Checks what can be checked without any effect.
///
/// # Errors
/// The action cannot begin.
pub fn prepare(_workplace: &Workplace) -> Result<LogOff, Failure> {
    Err(Failure::unsupported())
}

impl LogOff {
    /// Does it.
    pub async fn perform(self, _workplace: &Workplace) -> Outcome {
        match self {}
    }
}
