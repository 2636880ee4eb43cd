//! Reports of tasks and subtasks.

use uuid::Uuid;

/// A report that is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportWanted {
    /// Of a root task, from the reports of its subtasks.
    Task(Uuid),
    /// Of a subtask, from its JSON.
    Subtask(Uuid),
}

/// Which document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFormat {
    /// The report as JSON.
    Json,
    /// A page for people.
    Html,
}

impl ReportFormat {
    /// As it is kept, and as addresses end.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Html => "html",
        }
    }
}
