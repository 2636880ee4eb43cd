//! Task runs: hand-out to devices, progress and results, lists.

mod claim;
mod close;
mod list;
mod report;

pub use close::close_open_of;
