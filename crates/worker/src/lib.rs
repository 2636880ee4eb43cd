//! Carries out agentless scans. A worker takes subtasks from a queue, makes their targets readable, has them scanned, and
//! tells the queue how far they are and how they ended. It keeps nothing: killed at any moment, it leaves leases that run
//! out and a folder that the next worker removes.
//!
//! ```text
//! worker      the loop: takes subtasks, tells progress once a second, ends
//!  ├ subtask  one subtask, from its address to its end
//!  │  ├ outcome  what is said of a scan; plain functions
//!  │  └ parts    its report, as it is handed in
//!  ├ board    what is in hand: how far it is, and who wants it to stop
//!  ├ queue    where subtasks come from: the store, or a server
//!  └ scratch  the folder for what is copied
//! ```

mod board;
mod outcome;
mod parts;
mod queue;
pub mod scratch;
mod settings;
mod subtask;
mod worker;

pub use queue::Queue;
pub use settings::Settings;
pub use worker::Worker;
