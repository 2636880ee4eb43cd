//! Makes the reports of agentless scans that are over, beside everything else.
//!
//! It is no duty of one process: each takes a report that nobody else has, and what a process leaves unfinished is taken by
//! another after a while.

use std::time::Duration;

use guardhouse_services::ReportMaker;
use tracing::warn;

/// How often a process looks whether reports are wanted.
const PERIOD: Duration = Duration::from_secs(1);

/// Makes reports, for as long as it is polled.
pub async fn run(maker: ReportMaker) {
    let mut ticks = tokio::time::interval(PERIOD);
    loop {
        ticks.tick().await;
        loop {
            match maker.make_one().await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    warn!(%error, "reports are not made; the next round will make them");
                    break;
                }
            }
        }
    }
}
