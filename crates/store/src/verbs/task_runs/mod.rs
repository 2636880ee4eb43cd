//! Task runs: hand-out to devices, progress and results, lists.

mod claim;
mod list;
mod report;
