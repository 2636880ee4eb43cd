//! How far runs are, as devices say it.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::{
    RunProgress, Store, StoreError,
    engine::{Transaction, Value, values},
};

impl Store {
    /// Keeps how far runs are that have begun and are not over; of several words about a run the last counts. It goes
    /// with the end of the run.
    pub async fn task_runs_progress(&self, progress: Vec<RunProgress>) -> Result<(), StoreError> {
        self.engine
            .write(move |transaction| {
                // In one order with those who report of several runs.
                let last: BTreeMap<_, _> =
                    progress.iter().map(|said| ((said.run.0, said.device.0), said)).collect();
                if let Transaction::Postgres(_) = transaction {
                    return keep_as_arrays(transaction, &last);
                }
                for said in last.into_values() {
                    let sql = "update task_runs set progress = $1, heard_time = $2
                        where uuid = $3 and device_uuid = $4 and status = 2";
                    transaction.execute(sql, values![&said.progress, said.time, said.run, said.device])?;
                }
                Ok(())
            })
            .await
    }
}

fn keep_as_arrays(
    transaction: &Transaction<'_>,
    last: &BTreeMap<(Uuid, Uuid), &RunProgress>,
) -> Result<(), StoreError> {
    let (runs, devices): (Vec<Uuid>, Vec<Uuid>) = last.keys().copied().unzip();
    let times: Vec<i64> = last.values().map(|said| said.time.as_microsecond()).collect();
    let words: Vec<Option<&[u8]>> = last.values().map(|said| Some(said.progress.as_slice())).collect();
    let lock = "select 1 from task_runs where uuid = any($1) order by uuid for no key update";
    transaction.exists(lock, &[Value::Ids(&runs)])?;
    transaction.execute(
        "update task_runs set progress = said.progress, heard_time = said.time
         from unnest($1, $2, $3, $4) as said (run, device, time, progress)
         where uuid = run and device_uuid = device and status = 2",
        &[Value::Ids(&runs), Value::Ids(&devices), Value::Integers(&times), Value::OptionalBytes(&words)],
    )?;
    Ok(())
}
