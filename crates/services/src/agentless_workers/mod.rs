//! What workers of agentless scans ask for and hand in.

pub mod findings;
