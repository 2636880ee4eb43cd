//! What devices report of their runs, in batches: reports that arrive together share a transaction.

use std::collections::BTreeMap;

use guardhouse_model::{DeviceId, RunId, Timestamp};
use uuid::Uuid;

use crate::{
    Claim, RunEnd, RunReport, Store, StoreError,
    engine::{Transaction, Value, values},
};

impl Store {
    /// Keeps what devices report, in that order: that runs began, and how they ended. The first end of a run
    /// counts, unless the server supposed it; a repeated one changes nothing, and no start undoes it. Answers for each report whether the device
    /// has such a run.
    pub async fn task_runs_report(&self, reports: Vec<RunReport>) -> Result<Vec<bool>, StoreError> {
        self.engine
            .write(move |transaction| match transaction {
                Transaction::Sqlite(_) => reports.iter().map(|report| keep(transaction, report)).collect(),
                Transaction::Postgres(_) => keep_as_arrays(transaction, &reports),
            })
            .await
    }

    /// Forgets a withdrawn run that the device has not begun, as it says over its latest connection. What an earlier
    /// one still says may be about the run before it was handed out anew, and is ignored.
    pub async fn task_run_withdrawn(&self, run: RunId, by: Claim) -> Result<(), StoreError> {
        self.engine
            .write(move |transaction| {
                let sql = "delete from task_runs
                     where uuid = $1 and device_uuid = $2 and status = 1 and withdrawn = 1
                       and not exists (select 1 from device_links where device_uuid = $2 and epoch > $3)";
                transaction.execute(sql, values![run, by.device, by.epoch]).map(drop)
            })
            .await
    }
}

/// Keeps one report. What changes a row needs no look whether there is one.
fn keep(transaction: &Transaction<'_>, report: &RunReport) -> Result<bool, StoreError> {
    let touched = match report {
        RunReport::Started { run, device, time } => transaction.execute(
            "update task_runs set status = 2, withdrawn = 0, begin_time = coalesce(begin_time, $3), heard_time = $3
             where uuid = $1 and device_uuid = $2 and status in (1, 2)",
            values![*run, *device, *time],
        )?,
        RunReport::Ended(end) => transaction.execute(
            "update task_runs set status = $1, result = $3, reason_code = $6, reason = null, supposed = null,
                 withdrawn = 0, progress = null,
                 end_time = case when start_time > $2 then start_time else $2 end
             where uuid = $4 and device_uuid = $5 and (status in (1, 2) or supposed = 1)",
            values![end.status as i32, end.end_time, &end.result, end.run, end.device, &end.code],
        )?,
    };
    if touched == 1 {
        return Ok(true);
    }
    let sql = "select 1 from task_runs where uuid = $1 and device_uuid = $2";
    transaction.exists(sql, values![report.run(), report.device()])
}

/// When the device said that a run began: first, and last.
struct Start {
    first: Timestamp,
    last: Timestamp,
}

/// Keeps all reports with a few statements. Starts go first: what a device says behind the end of a run does not count.
fn keep_as_arrays(transaction: &Transaction<'_>, reports: &[RunReport]) -> Result<Vec<bool>, StoreError> {
    let mut started: BTreeMap<(Uuid, Uuid), Start> = BTreeMap::new();
    let mut ended: BTreeMap<(Uuid, Uuid), &RunEnd> = BTreeMap::new();
    for report in reports {
        let key = (report.run().0, report.device().0);
        match report {
            // The first end counts, in one batch too; what others say of the run does not.
            _ if ended.contains_key(&key) => {}
            RunReport::Started { time, .. } => {
                started.entry(key).or_insert(Start { first: *time, last: *time }).last = *time;
            }
            RunReport::Ended(end) => {
                ended.insert(key, end);
            }
        }
    }
    let (runs, devices): (Vec<Uuid>, Vec<Uuid>) =
        reports.iter().map(|report| (report.run().0, report.device().0)).unzip();
    // Locked in one order: batches of two sessions of a device would otherwise wait for each other.
    let known = transaction.list(
        "select uuid, device_uuid from task_runs
         where uuid = any($1) and device_uuid = any($2) order by uuid for no key update",
        &[Value::Ids(&runs), Value::Ids(&devices)],
        |row| Ok((row.get::<Uuid>(0)?, row.get::<Uuid>(1)?)),
    )?;
    if !started.is_empty() {
        let (runs, devices): (Vec<Uuid>, Vec<Uuid>) = started.keys().copied().unzip();
        let times = |of: fn(&Start) -> Timestamp| -> Vec<i64> {
            started.values().map(|start| of(start).as_microsecond()).collect()
        };
        transaction.execute(
            "update task_runs set status = 2, withdrawn = 0, begin_time = coalesce(begin_time, first), heard_time = last
             from unnest($1, $2, $3, $4) as report (run, device, first, last)
             where uuid = run and device_uuid = device and status in (1, 2)",
            &[
                Value::Ids(&runs),
                Value::Ids(&devices),
                Value::Integers(&times(|start| start.first)),
                Value::Integers(&times(|start| start.last)),
            ],
        )?;
    }
    if !ended.is_empty() {
        let ended: Vec<&RunEnd> = ended.into_values().collect();
        end_as_arrays(transaction, &ended)?;
    }
    Ok(reports.iter().map(|report| known.contains(&(report.run().0, report.device().0))).collect())
}

fn end_as_arrays(transaction: &Transaction<'_>, ended: &[&RunEnd]) -> Result<(), StoreError> {
    let statuses: Vec<i64> = ended.iter().map(|end| i64::from(end.status as i32)).collect();
    let times: Vec<i64> = ended.iter().map(|end| Timestamp::as_microsecond(end.end_time)).collect();
    let results: Vec<Option<&[u8]>> = ended.iter().map(|end| end.result.as_deref()).collect();
    let runs: Vec<Uuid> = ended.iter().map(|end| end.run.0).collect();
    let devices: Vec<Uuid> = ended.iter().map(|end| end.device.0).collect();
    // Empty: none.
    let codes: Vec<&str> = ended.iter().map(|end| end.code.as_deref().unwrap_or_default()).collect();
    transaction.execute(
        "update task_runs set status = report.status, result = report.result, reason_code = nullif(code, ''),
             reason = null, supposed = null, withdrawn = 0, progress = null,
             end_time = greatest(start_time, report.end_time)
         from unnest($1, $2, $3, $4, $5, $6) as report (run, device, status, end_time, result, code)
         where uuid = run and device_uuid = device and (task_runs.status in (1, 2) or supposed = 1)",
        &[
            Value::Ids(&runs),
            Value::Ids(&devices),
            Value::Integers(&statuses),
            Value::Integers(&times),
            Value::OptionalBytes(&results),
            Value::Texts(&codes),
        ],
    )?;
    Ok(())
}

impl RunReport {
    /// The run.
    #[must_use]
    pub fn run(&self) -> RunId {
        match self {
            Self::Started { run, .. } => *run,
            Self::Ended(end) => end.run,
        }
    }

    /// The device that says so.
    #[must_use]
    pub fn device(&self) -> DeviceId {
        match self {
            Self::Started { device, .. } => *device,
            Self::Ended(end) => end.device,
        }
    }
}
