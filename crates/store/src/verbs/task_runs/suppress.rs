//! Runs that are not handed out.

use crate::{RunEnd, Store, StoreError, engine::values};

impl Store {
    /// Ends a run that has not begun, as far as is known. False: it has begun, is over or does not exist, and nothing was
    /// changed.
    pub async fn task_run_suppress(&self, end: RunEnd) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                let touched = transaction.execute(
                    "update task_runs set status = $1, result = $3, reason_code = $6, reason = null,
                         withdrawn = 0, progress = null,
                         end_time = case when start_time > $2 then start_time else $2 end
                     where uuid = $4 and device_uuid = $5 and status = 1",
                    values![end.status as i32, end.end_time, &end.result, end.run, end.device, &end.code],
                )?;
                Ok(touched == 1)
            })
            .await
    }
}
