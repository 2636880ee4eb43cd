//! Which machine each device is, and whether the machine that says it is a device is the one that is known.

use guardhouse_model::{
    DeviceId, GroupId, Timestamp,
    machines::{self, Candidate, Claim, Digest, KnownMachine, Machine, Meeting, Newcomer},
};
use uuid::Uuid;

use crate::{
    DeviceMachine, EnrolDevice, MachineArrival, MachineMet, QuestionReason, Store, StoreError,
    engine::{Gate, Row, Transaction, values},
    verbs::identity_questions::{self, Raised},
};

/// Most devices with equal firmware that are looked at when a host enrols.
const CANDIDATES: usize = 100;

impl Store {
    /// The machine that a device is. `None`: there is no such device, or it has never said.
    pub async fn device_machine_get(&self, device: DeviceId) -> Result<Option<DeviceMachine>, StoreError> {
        self.engine
            .read(move |transaction| {
                let kept = read(transaction, device)?;
                Ok(kept.map(|(known, boot_time)| DeviceMachine { machine: known.machine, boot_time }))
            })
            .await
    }

    /// Judges a machine that says it is a device, before it is let in: notes what is new of the device, or raises a
    /// question when it seems to be another machine. `None`: no such device.
    pub async fn device_meet(&self, arrival: MachineArrival) -> Result<Option<MachineMet>, StoreError> {
        // Nearly every machine that comes is known; those must not queue for the writer.
        let (arrival, met) = self
            .engine
            .read(move |transaction| {
                let is_known = match &look(transaction, &arrival)? {
                    Look { known: Some(known), meeting: Some(Meeting::Device(kept)), .. } => known == kept,
                    _ => false,
                };
                Ok((arrival, is_known.then_some(MachineMet::Device { raised: false })))
            })
            .await?;
        if met.is_some() {
            return Ok(met);
        }
        self.engine.write(move |transaction| settle(transaction, &arrival)).await
    }
}

/// What is known when a machine comes.
struct Look {
    known: Option<KnownMachine>,
    /// The questions about other machines that have the key of the device, and what they are about.
    newcomers: Vec<(Uuid, Newcomer)>,
    /// The question by which the device is to become another one.
    becomes_another: Option<(Uuid, GroupId)>,
    /// `None`: the device is to become another one.
    meeting: Option<Meeting>,
}

fn look(transaction: &Transaction<'_>, arrival: &MachineArrival) -> Result<Look, StoreError> {
    let known = read(transaction, arrival.device)?.map(|(known, _)| known);
    let newcomers = identity_questions::newcomers(transaction, arrival.device)?;
    let becomes_another = identity_questions::merging(transaction, arrival.device)?;
    let meeting = becomes_another.is_none().then(|| {
        let newcomers: Vec<Newcomer> = newcomers.iter().map(|(_, newcomer)| newcomer.clone()).collect();
        machines::meet(known.as_ref(), &arrival.machine, &newcomers)
    });
    Ok(Look { known, newcomers, becomes_another, meeting })
}

fn settle(transaction: &Transaction<'_>, arrival: &MachineArrival) -> Result<Option<MachineMet>, StoreError> {
    let MachineArrival { device, now, .. } = *arrival;
    // Two machines that come at once are judged one after the other.
    let sql = "select group_uuid, original_display_name, public_ip_address from devices where uuid = $1";
    let sql = transaction.locking(sql, "for no key update");
    let read = |row: &Row<'_>| Ok((row.get::<GroupId>(0)?, row.get::<String>(1)?, row.get::<String>(2)?));
    let Some((group, host_name, address)) = transaction.find(&sql, values![device], read)? else {
        return Ok(None);
    };
    let look = look(transaction, arrival)?;
    if let Some((question, group)) = look.becomes_another {
        return Ok(Some(MachineMet::EnrolAnew { question, group }));
    }
    let met = match look.meeting {
        None => MachineMet::Held,
        Some(Meeting::Device(known)) => {
            keep(transaction, device, &known, now)?;
            MachineMet::Device { raised: false }
        }
        Some(Meeting::Returned { known, other }) => {
            keep(transaction, device, &known, now)?;
            // What is known of the other is what the device said last.
            let other = Machine { boot: Some(other), ..known.machine };
            let raised = Raised { machine: other, host_name: &host_name, public_ip_address: &address };
            identity_questions::raise(transaction, arrival, QuestionReason::TwoAtOnce, raised, None)?;
            MachineMet::Device { raised: true }
        }
        Some(Meeting::Newcomer) => {
            let raised = Raised {
                machine: arrival.machine,
                host_name: &arrival.host_name,
                public_ip_address: &arrival.public_ip_address,
            };
            identity_questions::raise(transaction, arrival, QuestionReason::OtherHardware, raised, None)?;
            MachineMet::Held
        }
        Some(Meeting::Another(place)) => MachineMet::EnrolAnew { question: look.newcomers[place].0, group },
    };
    Ok(Some(met))
}

/// The device that a host was before it was installed anew.
pub fn find_before(transaction: &Transaction<'_>, host: &EnrolDevice) -> Result<Option<Before>, StoreError> {
    let Machine { uuid, serial_number, .. } = host.machine;
    // Hosts with equal firmware that enrol at once are judged one after the other.
    for digest in [uuid, serial_number].into_iter().flatten() {
        transaction.pass_alone(Gate::device_key(&digest))?;
    }
    if uuid.is_none() && serial_number.is_none() {
        return Ok(None);
    }
    let sql = "select machines.device_uuid, uuid_digest, serial_number_digest, boot_digest, original_display_name,
            last_sync_time, (select count(*) from device_keys where device_keys.device_uuid = machines.device_uuid)
        from device_machines machines join devices on devices.uuid = machines.device_uuid
        where machines.device_uuid in (select device_uuid from device_machines where uuid_digest = $1
            union select device_uuid from device_machines where serial_number_digest = $2)
        order by machines.device_uuid limit $3";
    let found = transaction.list(sql, values![&uuid, &serial_number, CANDIDATES], |row| {
        let candidate = Candidate {
            machine: Machine { uuid: row.get(1)?, serial_number: row.get(2)?, boot: row.get(3)? },
            host_name: row.get(4)?,
            last_contact: row.get(5)?,
            is_managed: row.get::<i64>(6)? > 0,
        };
        Ok((row.get::<DeviceId>(0)?, candidate))
    })?;
    let (devices, candidates): (Vec<DeviceId>, Vec<Candidate>) = found.into_iter().unzip();
    Ok(match machines::claim(&candidates, &host.machine, &host.host_name, host.now) {
        Claim::TakeOver(place) => Some(Before::Free(devices[place])),
        Claim::InUse(place) => Some(Before::InUse(devices[place])),
        Claim::Nobody => None,
    })
}

/// The device that a host seems to have been before.
pub enum Before {
    /// It can be taken over.
    Free(DeviceId),
    /// It is at work at this moment.
    InUse(DeviceId),
}

/// Keeps which machine a device is.
pub fn keep(
    transaction: &Transaction<'_>,
    device: DeviceId,
    known: &KnownMachine,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Machine { uuid, serial_number, boot } = &known.machine;
    transaction.execute(
        "insert into device_machines (device_uuid, uuid_digest, serial_number_digest, boot_digest, earlier_boots,
             boot_time)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (device_uuid) do update set uuid_digest = excluded.uuid_digest,
             serial_number_digest = excluded.serial_number_digest, boot_digest = excluded.boot_digest,
             earlier_boots = excluded.earlier_boots,
             boot_time = case when device_machines.boot_digest = excluded.boot_digest
                 then device_machines.boot_time else excluded.boot_time end",
        values![device, uuid, serial_number, boot, &known.earlier_boots.concat(), now],
    )?;
    Ok(())
}

fn read(
    transaction: &Transaction<'_>,
    device: DeviceId,
) -> Result<Option<(KnownMachine, Timestamp)>, StoreError> {
    let sql = "select uuid_digest, serial_number_digest, boot_digest, earlier_boots, boot_time
        from device_machines where device_uuid = $1";
    transaction.find(sql, values![device], |row| {
        let machine = Machine { uuid: row.get(0)?, serial_number: row.get(1)?, boot: row.get(2)? };
        Ok((KnownMachine { machine, earlier_boots: digests(&row.get::<Vec<u8>>(3)?)? }, row.get(4)?))
    })
}

/// Digests that are kept one behind the other.
pub fn digests(bytes: &[u8]) -> Result<Vec<Digest>, StoreError> {
    let (digests, rest) = bytes.as_chunks();
    if rest.is_empty() {
        return Ok(digests.to_vec());
    }
    Err(StoreError::Inconsistent(format!("{} bytes are no digests", bytes.len())))
}
