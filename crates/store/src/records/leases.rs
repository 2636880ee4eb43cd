//! Duties of one process at a time.

/// The right to a duty, as it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The duty.
    pub duty: &'static str,
    /// Higher for every new holder: the highest counts.
    pub fence: u64,
}
