//! The end of the management of a device: by its own wish, or because its machine has enrolled anew.

use guardhouse_model::{
    DeviceId, RunId, Timestamp,
    machines::{DEVICE_ENROLLED_ANEW, DEVICE_RETIRED},
};

use super::{dynamic_groups, group_members, identity_questions, task_runs};
use crate::{
    Store, StoreError,
    engine::{Gate, Transaction, values},
    verbs::{agentless::device_assets, devices, dynamic_groups::Rules},
};

impl Store {
    /// Ends the management of a device, as its run of StopManaging has asked: its keys count no longer, its runs that are
    /// not over end, and it is a placeholder again, with its name, its group, its policies and its tasks. Asked again for
    /// the same run, it changes nothing. False: no such device.
    ///
    /// The caller has made sure that the run is one of this device, and what it says.
    pub async fn device_retire(
        &self,
        device: DeviceId,
        run: RunId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let rules = self.rules.clone();
        self.engine
            .write(move |transaction| {
                transaction.pass_beside(Gate::GroupTree)?;
                let sql = transaction.locking("select 1 from devices where uuid = $1", "for no key update");
                if !transaction.exists(&sql, values![device])? {
                    return Ok(false);
                }
                let again = "select 1 from retired_keys where device_uuid = $1 and run_uuid = $2";
                if transaction.exists(again, values![device, run])? {
                    return Ok(true);
                }
                transaction.execute(
                    "insert into retired_keys (digest, device_uuid, run_uuid, retire_time)
                     select digest, device_uuid, $2, $3 from device_keys where device_uuid = $1
                     on conflict (digest) do update set run_uuid = excluded.run_uuid,
                         retire_time = excluded.retire_time",
                    values![device, run, now],
                )?;
                end(transaction, device, Ending::Retired, now)?;
                transaction.execute(
                    "update devices set enrolment_status = 1, functionality_status = 0, problem_count = 0,
                         device_token = '', version = version + 1
                     where uuid = $1",
                    values![device],
                )?;
                dynamic_groups::settle(transaction, &rules, &[device], Some(now))?;
                Ok(true)
            })
            .await
    }

    /// The device whose key has this digest and which is managed no longer.
    pub async fn device_of_retired_key(&self, key_digest: [u8; 32]) -> Result<Option<DeviceId>, StoreError> {
        let sql = "select device_uuid from retired_keys where digest = $1";
        self.engine
            .read(move |transaction| transaction.find(sql, values![&key_digest], |row| row.get(0)))
            .await
    }

    /// The device of a run, its state as a number of the contract and its action as an encoded contract `Action`.
    /// `None`: there is no such run.
    pub async fn task_run_get(&self, run: RunId) -> Result<Option<(DeviceId, i32, Vec<u8>)>, StoreError> {
        let sql = "select device_uuid, status, action from task_runs
            join task_templates on task_templates.uuid = template_uuid where task_runs.uuid = $1";
        self.engine
            .read(move |transaction| {
                transaction.find(sql, values![run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            })
            .await
    }
}

/// Why a device is not what it was any more.
#[derive(Debug, Clone, Copy)]
pub enum Ending {
    /// It is managed no longer.
    Retired,
    /// Its machine has enrolled anew.
    EnrolledAnew,
}

/// Ends what the present agent of a device can do and has to do: its keys, its connection, its runs.
pub fn end(
    transaction: &Transaction<'_>,
    device: DeviceId,
    ending: Ending,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (code, reason) = match ending {
        Ending::Retired => (DEVICE_RETIRED, "the device left the management before it said how the run went"),
        Ending::EnrolledAnew => (
            DEVICE_ENROLLED_ANEW,
            "the device was installed and enrolled anew before it said how the run went",
        ),
    };
    for sql in [
        "delete from device_keys where device_uuid = $1",
        "delete from device_states where device_uuid = $1",
        // Its session finds that it is superseded, at whichever replica it is.
        "update device_links set epoch = epoch + 1 where device_uuid = $1",
    ] {
        transaction.execute(sql, values![device])?;
    }
    device_assets::leave(transaction, &[device])?;
    identity_questions::withdraw(transaction, device)?;
    task_runs::close_open_of(transaction, &[device], code, reason, now)
}

/// Deletes a device that turned out to be another one. The caller has passed the gate of the tree of groups.
pub fn dissolve(
    transaction: &Transaction<'_>,
    rules: &Rules,
    device: DeviceId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(found) = devices::fetch(transaction, device)? else { return Ok(()) };
    end(transaction, device, Ending::EnrolledAnew, now)?;
    // What has no facts is in no dynamic group.
    transaction.execute("delete from device_facts where device_uuid = $1", values![device])?;
    dynamic_groups::settle(transaction, rules, &[device], Some(now))?;
    for sql in [
        "delete from device_links where device_uuid = $1",
        "delete from policy_assignments where kind = 1 and target = $1",
        "delete from devices where uuid = $1",
    ] {
        transaction.execute(sql, values![device])?;
    }
    group_members::count(transaction, &[(found.group, -1)])
}
