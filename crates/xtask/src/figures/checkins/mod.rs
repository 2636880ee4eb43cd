//! `checkins`: a hundred thousand connected devices on SQLite, each of which reports a changed inventory once a
//! minute.
//!
//! Through the dispatcher and the store in this process, without sockets and TLS: server and generator would need
//! 100,000 open files each, which few machines allow. What is counted is everything behind the link: sessions, their
//! looks for work, presence, reports, commits; and the simulated devices, as they live in the same process.

pub mod devices;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use guardhouse_dispatch::Dispatcher;
use guardhouse_loadgen::{process::Process, statistics::Times};
use guardhouse_model::{DeviceId, Environment};
use guardhouse_store::Store;
use tokio::time::{MissedTickBehavior, interval};

use super::{figure::Measured, now, setup::Setup};
use devices::Fleet;

/// How many devices there are.
const DEVICES: usize = 100_000;

/// How often each of them reports.
const PERIOD: Duration = Duration::from_secs(60);

/// How long it is measured, in periods; one more goes before.
const PERIODS: u32 = 2;

/// How often the queue of the store is measured.
const PROBE: Duration = Duration::from_millis(250);

/// Connects devices, waits until they have spread over a period, and measures for some more.
///
/// # Errors
/// The store fails, or a report was lost.
pub async fn measure(setup: &Setup) -> anyhow::Result<Measured> {
    let count = setup.sized(DEVICES, 1_000);
    // At a scale, the time goes with the devices: the rate stays, and with it what is seen of the rest.
    let period = PERIOD.mul_f64(setup.scale().max(0.05));
    let folder = setup.folder()?;
    let environment = Environment::system();
    let store = Store::open(folder.path())?;
    let dispatcher = Dispatcher::new(store.clone(), environment.clone());
    let beside = tokio::spawn({
        let dispatcher = dispatcher.clone();
        async move { dispatcher.run().await }
    });

    eprintln!("    connecting {count} devices");
    let devices = devices::import(&store, &environment, count).await?;
    let probe = *devices.first().context("there are devices")?;
    let fleet = Arc::new(Fleet::new(devices, dispatcher.clone(), environment.clone()));
    let mut talks = fleet.connect(period).await?;
    eprintln!("    reporting for {} s", (period * (1 + PERIODS)).as_secs());
    tokio::time::sleep(period).await;

    let process = Process::new(std::process::id())?;
    let (used, begun) = (process.processor_time()?, now());
    let (sent_before, window) = (fleet.reports(), period * PERIODS);
    let waits = probe_queue(&store, &environment, probe, window).await?;
    let took = begun.elapsed();
    let cores = (process.processor_time()?.saturating_sub(used)).as_secs_f64() / took.as_secs_f64();
    let sent = fleet.reports() - sent_before;

    talks.abort_all();
    while talks.join_next().await.is_some() {}
    fleet.check(&store).await?;
    beside.abort();

    let (first, last) = (third(&waits, 0)?, third(&waits, 2)?);
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    let rate = sent as f64 / took.as_secs_f64();
    let millis = |time: Duration| time.as_secs_f64() * 1_000.0;
    let note = format!(
        "{count} sessions in process (no sockets, no TLS), {rate:.0} changed inventories per second for {:.0} s; a \
         write waited p50 {:.2} ms, p99 {:.2} ms in the first third of that time and p50 {:.2} ms, p99 {:.2} ms in \
         the last. The processor time includes the simulated devices.",
        took.as_secs_f64(),
        millis(first.median()),
        millis(first.quantile(0.99)),
        millis(last.median()),
        millis(last.quantile(0.99)),
    );
    Ok(Measured { holds: !is_growing(&first, &last), ..Measured::new(cores, note) })
}

/// How long a write waits in the queue of the store, again and again for as long as `window`.
async fn probe_queue(
    store: &Store,
    environment: &Environment,
    device: DeviceId,
    window: Duration,
) -> anyhow::Result<Vec<Duration>> {
    let mut ticks = interval(PROBE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (begun, mut waits) = (now(), Vec::new());
    while begun.elapsed() < window {
        ticks.tick().await;
        let asked = now();
        store.devices_seen(vec![device], environment.now()).await?;
        waits.push(asked.elapsed());
    }
    Ok(waits)
}

/// One of three equal parts of what was measured.
fn third(waits: &[Duration], part: usize) -> anyhow::Result<Times> {
    let length = waits.len() / 3;
    let times = waits.get(part * length..(part + 1) * length).map(<[_]>::to_vec).and_then(Times::new);
    times.context("too few probes")
}

/// A queue that grows makes every later write wait longer; a few milliseconds are noise.
fn is_growing(first: &Times, last: &Times) -> bool {
    last.median() > first.median() * 2 + Duration::from_millis(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_that_grows_is_seen() {
        let waits = |millis: &[u64]| millis.iter().map(|&one| Duration::from_millis(one)).collect::<Vec<_>>();
        let growing = |millis: &[u64]| {
            let waits = waits(millis);
            is_growing(&third(&waits, 0).expect("enough"), &third(&waits, 2).expect("enough"))
        };
        assert!(!growing(&[2, 2, 3, 3, 6, 2]));
        assert!(growing(&[2, 2, 30, 40, 300, 400]));
        third(&waits(&[1, 2]), 0).expect_err("too few");
    }
}
