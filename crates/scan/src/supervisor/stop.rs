//! The wish to end a scan, from another thread.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Stops the scans that it was given to. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Has the scans end, those that are still to begin included.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether they are to end.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
