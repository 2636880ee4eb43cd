//! The isolation of the device from the network: what is kept of it, the rules, and who looks after them.

pub mod kept;
pub mod network;
