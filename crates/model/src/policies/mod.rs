//! How the policies of a device become its settings.
//!
//! [`order`] says which target comes before which; the policies of the targets in this order, inside a target by
//! rank, are merged one by one by [`merge()`]. What a setting is, and what values there are, is not known here.

mod merge;
mod order;
mod path;

pub use merge::{Contribution, Fate, ListMerge, Merged, MergedValue, Setting, SettingValue, merge};
pub use order::{Target, order};
pub use path::SettingPath;
