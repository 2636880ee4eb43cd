//! Pages of lists that continue behind a row.

use guardhouse_model::{Timestamp, agentless::TaskStatus};
use uuid::Uuid;

use super::AgentlessTaskFilter;

/// A page of root tasks, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentlessTasksPage {
    /// Which of them.
    pub filter: AgentlessTaskFilter,
    /// Only those that this schedule started.
    pub schedule: Option<Uuid>,
    /// Start and id of the last one of the page before.
    pub before: Option<(Timestamp, Uuid)>,
    /// How many it has at most.
    pub limit: usize,
}

/// A page of the subtasks of a root task, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentlessSubtasksPage {
    /// The root task.
    pub task: Uuid,
    /// Only those with one of these; none means all.
    pub statuses: Vec<TaskStatus>,
    /// Position of the last one of the page before.
    pub after: Option<u32>,
    /// How many it has at most.
    pub limit: usize,
}
