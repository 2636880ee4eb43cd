//! Real processes, and clients for them.

mod agent;
mod api;
mod balancer;
mod grpc;
mod machine;
pub mod namespaces;
pub mod policies;
mod process;
pub mod scans;
mod server;
mod work;

use std::time::Duration;

pub use agent::Agent;
pub use api::{Answer, Api, Request, send};
pub use balancer::Balancer;
pub use grpc::{Grpc, plain_channel, tls_channel};
pub use machine::{Firmware, Machine, heard, say};
pub use process::{Process, guardhouse, run};
pub use server::{ADMIN, NOBODY, PASSWORD, READER, Server};
pub use work::{Evidence, group, of_devices, of_groups};

/// A uuid that names nothing.
pub const UNKNOWN: &str = "0193a1b2-0000-7000-8000-0000000000ff";

/// How often [`wait_for`] looks, and how long it rests between two looks: a minute, before a test gives up.
const LOOKS: u32 = 3_000;
const REST: Duration = Duration::from_millis(20);

/// Looks again and again until there is something to see.
pub async fn wait_for<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..LOOKS {
        if let Some(seen) = look().await {
            return seen;
        }
        tokio::time::sleep(REST).await;
    }
    panic!("this did not happen within a minute: {what}");
}
