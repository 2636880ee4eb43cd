//! End-to-end tests: the real server, the real agent and the real command, over loopback.
//!
//! Each module is one promise to users. Everything that a test starts lives in folders of its own and dies with
//! it. Tests wait for conditions, never for a time.

mod agentless_stores;
mod agentless_worker_access;
mod agentless_workers;
mod authorisation;
mod backup;
mod commands;
mod device_runs;
mod device_snapshots;
mod faces;
mod findings;
mod identity;
mod isolation;
mod kill_drills;
mod large_policies;
mod limits;
mod load;
mod policies;
mod replicas;
mod rights;
mod support;
mod tasks;
mod walk;
