//! Answers that their clients come back for.

use guardhouse_model::Timestamp;
use uuid::Uuid;

/// A call that runs and whose answer is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewResponse {
    /// What the client comes back with.
    pub id: Uuid,
    /// SHA-256 over account and request.
    pub request: [u8; 32],
    /// From this moment on the call counts as dropped, unless it has ended before.
    pub expire_time: Timestamp,
}

/// What there is for a client that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponseOutcome {
    /// No such call for this request, or its answer was taken, or it has expired.
    Unknown,
    /// The call still runs.
    Running,
    /// The answer, as it was encoded. It is gone from the store.
    Answer(Vec<u8>),
}
