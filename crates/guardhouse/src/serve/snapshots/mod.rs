//! Looks after the snapshots that devices take of themselves for agentless scans: no scan waits for one that nobody sends,
//! and no archive stays that nobody wants.

pub mod archives;
pub mod lost;
#[cfg(test)]
mod tests;
