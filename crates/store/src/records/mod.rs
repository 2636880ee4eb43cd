//! What the verbs take and give: plain records.

mod access_keys;
mod agent_releases;
mod agentless;
mod device_runs;
mod devices;
mod dynamic_groups;
mod groups;
mod identity;
mod leases;
mod machines;
mod policies;
mod responses;
mod task_runs;
mod tasks;

pub use access_keys::*;
pub use agent_releases::*;
pub use agentless::*;
pub use device_runs::*;
pub use devices::*;
pub use dynamic_groups::*;
pub use groups::*;
pub use identity::*;
pub use leases::*;
pub use machines::*;
pub use policies::*;
pub use responses::*;
pub use task_runs::*;
pub use tasks::*;
