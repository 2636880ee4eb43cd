//! What the verbs take and give: plain records.

mod devices;
mod groups;
mod identity;
mod leases;
mod responses;
mod task_runs;
mod tasks;

pub use devices::*;
pub use groups::*;
pub use identity::*;
pub use leases::*;
pub use responses::*;
pub use task_runs::*;
pub use tasks::*;
