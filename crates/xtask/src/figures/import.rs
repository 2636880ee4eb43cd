//! `import_rate`, `import_rate_postgres`: `devices:batchImport` through the public API, durable.

use super::{
    bare_insert, figure::Measured, generator, house::House, median, postgres::Database, setup::Setup,
};

/// How many devices are imported in a run.
const DEVICES: usize = 200_000;

/// How many of them in a call, and in a transaction of the bare insert.
const BATCH: usize = 1_000;

/// How many calls are under way at the same time.
const CALLERS: &str = "4";

/// How often it is measured, each time into an empty database.
const RUNS: usize = 3;

/// Half of what the database can do at best is promised, and never less than the target.
const SHARE: f64 = 0.5;

/// Imports on SQLite; the limit is the bare prepared insert of the same rows.
///
/// # Errors
/// A device is refused, or the database fails.
pub async fn sqlite(setup: &Setup) -> anyhow::Result<Measured> {
    let (mut rates, mut limits) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let mut house = House::start_new(setup).await?;
        rates.push(import(setup, &house).await?);
        house.stop().await?;
        // Stopped before anything was imported: an empty database of the same version.
        let mut empty = House::start_new(setup).await?;
        empty.stop().await?;
        let (filled, empty_data) = (house.data(), empty.data());
        let bare = move || bare_insert::measure(&filled, &empty_data, BATCH);
        let (count, took) = tokio::task::spawn_blocking(bare).await??;
        #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
        limits.push(count as f64 / took.as_secs_f64());
    }
    Ok(judged(setup, &mut rates, &mut limits, "a bare prepared insert of the same rows"))
}

/// Imports on PostgreSQL, in a database of its own there; the limit is COPY of the same rows.
///
/// # Errors
/// A device is refused, the database fails, or there is no psql.
pub async fn postgres(setup: &Setup, url: &str) -> anyhow::Result<Measured> {
    let (mut rates, mut limits) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let database = Database::create(url).await?;
        let mut house = House::new(setup, Some(database.url.clone())).await?;
        house.start().await?;
        rates.push(import(setup, &house).await?);
        house.stop().await?;
        let (count, took) = database.copy_devices(&house.folder().join("devices")).await?;
        #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
        limits.push(count as f64 / took.as_secs_f64());
        database.drop().await?;
    }
    Ok(judged(setup, &mut rates, &mut limits, "COPY of the same rows"))
}

async fn import(setup: &Setup, house: &House) -> anyhow::Result<f64> {
    let (devices, batch) = (setup.sized(DEVICES, 2_000).to_string(), BATCH.to_string());
    let call = ["import", "--devices", &devices, "--batch", &batch];
    let found = generator::rest(setup, house, &["--concurrency", CALLERS], &call).await?;
    found.get("imported_devices_rate")
}

fn judged(setup: &Setup, rates: &mut [f64], limits: &mut [f64], limit_is: &str) -> Measured {
    let (rate, limit) = (median(rates), median(limits));
    let note = format!(
        "Median of {RUNS} imports of {} devices in batches of {BATCH}, {CALLERS} calls at a time; the limit is \
         {limit_is}, of which this is {:.0} % (promised: {:.0} %).",
        setup.sized(DEVICES, 2_000),
        100.0 * rate / limit,
        100.0 * SHARE,
    );
    Measured { value: rate, limit: Some(limit), holds: rate >= SHARE * limit, note }
}
