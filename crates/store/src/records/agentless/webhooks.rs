//! Who is told when scans end.

use guardhouse_model::{Timestamp, agentless::TaskStatus};
use uuid::Uuid;

/// What webhooks are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentlessEvent {
    /// A task is over.
    TaskFinished = 1,
    /// A subtask failed or took too long.
    SubtaskFailed = 2,
}

impl AgentlessEvent {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::TaskFinished, Self::SubtaskFailed];

    /// The event with this number.
    #[must_use]
    pub fn numbered(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|event| *event as i32 == number)
    }
}

/// An address that is told of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentlessWebhook {
    /// Identity.
    pub id: Uuid,
    /// Where events are sent.
    pub url: String,
    /// What they are signed with, encrypted.
    pub sealed_secret: Vec<u8>,
    /// Which events.
    pub events: Vec<AgentlessEvent>,
    /// When it was created.
    pub create_time: Timestamp,
}

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is to be sent, for the first time or again.
    Waiting = 1,
    /// The receiver took it.
    Delivered = 2,
    /// The receiver did not take it.
    GivenUp = 3,
}

impl DeliveryState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::GivenUp];

    /// The state with this number.
    #[must_use]
    pub fn numbered(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|state| *state as i32 == number)
    }
}

/// An event on its way to a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentlessDelivery {
    /// Identity: what every try sends.
    pub id: Uuid,
    /// Where it goes.
    pub webhook: Uuid,
    /// What happened.
    pub event: AgentlessEvent,
    /// The task; it may be gone.
    pub task: Uuid,
    /// Its name.
    pub task_name: String,
    /// The subtask, of events of one.
    pub subtask: Option<Uuid>,
    /// Its asset; empty for events of a task.
    pub instance_id: String,
    /// How the task or the subtask ended.
    pub status: TaskStatus,
    /// Why it ended otherwise than well, in a sentence.
    pub reason: String,
    /// When it happened.
    pub create_time: Timestamp,
    /// How the delivery stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub tries: u32,
    /// When it is tried next; `None`: never.
    pub next_time: Option<Timestamp>,
    /// What the receiver answered last, as an HTTP status; 0: it did not.
    pub last_status: u32,
    /// Why the last try failed, in a sentence; empty: it did not, or there was none.
    pub trouble: String,
}

/// A delivery that is to be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDelivery {
    /// The delivery.
    pub delivery: AgentlessDelivery,
    /// Where it goes.
    pub url: String,
    /// What it is signed with, encrypted.
    pub sealed_secret: Vec<u8>,
}

/// A delivery that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryTried {
    /// Which.
    pub id: Uuid,
    /// How often it had been tried before.
    pub tries: u32,
    /// Now.
    pub now: Timestamp,
    /// How it stands.
    pub state: DeliveryState,
    /// When it is tried next, where it waits.
    pub next_time: Option<Timestamp>,
    /// What the receiver answered, as an HTTP status; 0: it did not.
    pub status: u32,
    /// Why it failed, in a sentence; empty: it did not.
    pub trouble: String,
}
