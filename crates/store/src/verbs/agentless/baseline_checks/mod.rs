//! Checks of the configuration, and how they turned out in the newest scans.

mod list;
mod replace;

pub use replace::replace;
