//! What many subtasks of agentless scans cost: `agentless_list`, `agentless_queue`.

pub mod list;
pub mod queue;
mod sides;
