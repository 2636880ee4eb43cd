//! Task runs: hand-out to devices, progress and results, lists.

mod cancel;
mod claim;
mod close;
mod count;
mod device_runs;
mod list;
mod overdue;
mod progress;
mod report;
mod suppress;

pub use cancel::cancel;
pub use close::close_open_of;
