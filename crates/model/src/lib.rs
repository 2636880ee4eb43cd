//! Ids, time and the rules of Guardhouse.
//!
//! Everything here is a plain function over plain data: no I/O, no ambient time, no ambient randomness. What
//! needs the present moment or fresh randomness is given an [`Environment`].

pub mod actions;
pub mod agentless;
pub mod device_runs;
pub mod dynamic_groups;
pub mod environment;
pub mod groups;
pub mod ids;
pub mod machines;
pub mod maintenance;
pub mod names;
pub mod policies;
pub mod rate;
pub mod tasks;

pub use actions::{Action, TAKE_SNAPSHOT};
pub use environment::{Clock, Entropy, Environment};
pub use ids::{AssignmentId, DeviceId, GroupId, PolicyId, RunId, TaskId, TemplateId, TriggerId};
pub use jiff::Timestamp;
