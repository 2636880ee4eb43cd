//! How hosts become devices: enrolment tokens and the keys of devices.

use std::fmt::Write as _;

use guardhouse_model::{DeviceId, GroupId, Timestamp, groups::LOST_AND_FOUND, machines::KnownMachine};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::{
    EnrolDevice, EnrolOutcome, MachineArrival, NewEnrolmentToken, QuestionAnswer, QuestionReason, Store,
    StoreError,
    engine::{Gate, Transaction, values},
    verbs::{
        device_machines::{self, Before},
        devices,
        dynamic_groups::{self, Kept, Rules},
        group_members, groups,
        identity_questions::{self, Raised},
        retirement::{self, Ending},
    },
};

/// `DEVICE_ENROLLMENT_STATUS_FINISHED`. (`…_PENDING` is 1; it stands in the SQL, for the partial index.)
const FINISHED: i32 = 2;
/// `DEVICE_FUNCTIONALITY_STATUS_OK`.
const OK: i32 = 1;

impl Store {
    /// Keeps an enrolment token; one for the newcomer of a question takes the place of earlier ones. False: its group
    /// does not exist, nothing was changed.
    pub async fn enrolment_token_create(&self, token: NewEnrolmentToken) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                if !groups::exists(transaction, token.group)? {
                    return Ok(false);
                }
                if let Some(question) = token.question {
                    let sql = "delete from enrolment_tokens where question_uuid = $1";
                    transaction.execute(sql, values![question])?;
                }
                transaction.execute(
                    "insert into enrolment_tokens (id, secret_digest, group_uuid, uses_left, expire_time,
                         question_uuid)
                     values ($1, $2, $3, $4, $5, $6)",
                    values![
                        &token.id,
                        &token.secret_digest,
                        token.group,
                        token.uses,
                        token.expire_time,
                        token.question
                    ],
                )?;
                Ok(true)
            })
            .await
    }

    /// Redeems an enrolment token: the host becomes a device and its key counts from now on.
    ///
    /// A host whose answer was lost asks again with the same key and the same token, and is the same device
    /// again, even if the token has expired or is used up by now. The same key with another token stays the
    /// same device too, but spends a use of that token. A host with another key is the device that its machine was
    /// before, if that one is not at work; else it takes a placeholder of its name; else it is new.
    pub async fn device_enrol(&self, host: EnrolDevice) -> Result<EnrolOutcome, StoreError> {
        let rules = self.rules.clone();
        self.engine
            .write(move |transaction| {
                transaction.pass_beside(Gate::GroupTree)?;
                let Some(token) = find_token(transaction, &host)? else {
                    return Ok(EnrolOutcome::UnknownToken);
                };
                // With two tokens at once a host is still one device.
                transaction.pass_alone(Gate::device_key(&host.key_digest))?;
                let known = find_key(transaction, &host.key_digest)?;
                if let Some((device, by)) = known
                    && by == host.token_id
                {
                    return Ok(EnrolOutcome::Enrolled(device));
                }
                if token.expire_time < host.now {
                    return Ok(EnrolOutcome::Expired);
                }
                if token.uses_left == 0 {
                    return Ok(EnrolOutcome::UsedUp);
                }
                spend_use(transaction, &host.token_id)?;
                let device = match (known, token.question) {
                    (Some((device, _)), _) => device,
                    (None, Some(question)) => {
                        enrol_newcomer(transaction, &rules, &host, question, token.group)?
                    }
                    (None, None) => find_or_insert(transaction, &host, token.group)?,
                };
                device_machines::keep(transaction, device, &KnownMachine::from(host.machine), host.now)?;
                mark_enrolled(transaction, &rules, &host, device)?;
                keep_key(transaction, &host, device)?;
                Ok(EnrolOutcome::Enrolled(device))
            })
            .await
    }

    /// The device whose key has this digest.
    pub async fn device_of_key(&self, key_digest: [u8; 32]) -> Result<Option<DeviceId>, StoreError> {
        self.engine
            .read(move |transaction| Ok(find_key(transaction, &key_digest)?.map(|(device, _)| device)))
            .await
    }
}

struct Token {
    group: GroupId,
    uses_left: u32,
    expire_time: Timestamp,
    question: Option<Uuid>,
}

/// The token of `host`, if its secret is the right one.
fn find_token(transaction: &Transaction<'_>, host: &EnrolDevice) -> Result<Option<Token>, StoreError> {
    let sql = "select secret_digest, group_uuid, uses_left, expire_time, question_uuid from enrolment_tokens
        where id = $1";
    // Hosts that redeem it at the same time are counted one after the other.
    let found =
        transaction.find(&transaction.locking(sql, "for update"), values![&host.token_id], |row| {
            let token = Token {
                group: row.get(1)?,
                uses_left: row.get(2)?,
                expire_time: row.get(3)?,
                question: row.get(4)?,
            };
            Ok((row.get::<[u8; 32]>(0)?, token))
        })?;
    // In constant time: how long the comparison takes must not tell how much of a guess was right.
    Ok(found.filter(|(digest, _)| digest.ct_eq(&host.secret_digest).into()).map(|(_, token)| token))
}

/// The device that holds a key, and the token it was enrolled with.
fn find_key(
    transaction: &Transaction<'_>,
    digest: &[u8; 32],
) -> Result<Option<(DeviceId, [u8; 8])>, StoreError> {
    let sql = "select device_uuid, enrolment_token_id from device_keys where digest = $1";
    transaction.find(sql, values![digest], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn spend_use(transaction: &Transaction<'_>, token_id: &[u8; 8]) -> Result<(), StoreError> {
    let sql = "update enrolment_tokens set uses_left = uses_left - 1 where id = $1 and uses_left > 0";
    one(transaction.execute(sql, values![token_id])?, "enrolment token to spend")
}

/// The device that a host with a new key is from now on.
fn find_or_insert(
    transaction: &Transaction<'_>,
    host: &EnrolDevice,
    group: GroupId,
) -> Result<DeviceId, StoreError> {
    let before = device_machines::find_before(transaction, host)?;
    if let Some(Before::Free(device)) = before {
        retirement::end(transaction, device, Ending::EnrolledAnew, host.now)?;
        return Ok(device);
    }
    if let Some(device) = find_placeholder(transaction, &host.host_name)? {
        return Ok(device);
    }
    let device = insert_device(transaction, host, group)?;
    if let Some(Before::InUse(other)) = before {
        let arrival = MachineArrival {
            device: other,
            machine: host.machine,
            host_name: host.host_name.clone(),
            public_ip_address: host.public_ip_address.clone(),
            question_id: host.question_id,
            now: host.now,
        };
        let raised = Raised {
            machine: host.machine,
            host_name: &host.host_name,
            public_ip_address: &host.public_ip_address,
        };
        let reason = QuestionReason::EnrolledBeside;
        identity_questions::raise(transaction, &arrival, reason, raised, Some(device))?;
    }
    Ok(device)
}

/// The device that the newcomer of an answered question is from now on: a new one, or the one that it was found to be.
/// Neither a name nor the firmware decides any more.
fn enrol_newcomer(
    transaction: &Transaction<'_>,
    rules: &Rules,
    host: &EnrolDevice,
    question: Uuid,
    group: GroupId,
) -> Result<DeviceId, StoreError> {
    let found = identity_questions::fetch(transaction, question)?;
    let is_same = |answer: &(QuestionAnswer, _, _)| answer.0 == QuestionAnswer::SameDevice;
    let device = match &found {
        Some(found) if found.answer.as_ref().is_some_and(is_same) => {
            retirement::end(transaction, found.device, Ending::EnrolledAnew, host.now)?;
            if let Some(newcomer) = found.newcomer {
                retirement::dissolve(transaction, rules, newcomer, host.now)?;
            }
            return Ok(found.device);
        }
        _ => insert_device(transaction, host, group)?,
    };
    let sql = "update identity_questions set newcomer_uuid = $2 where uuid = $1";
    transaction.execute(sql, values![question, device])?;
    Ok(device)
}

/// The first imported placeholder with the name of the host (ASCII letters in either case).
fn find_placeholder(transaction: &Transaction<'_>, host_name: &str) -> Result<Option<DeviceId>, StoreError> {
    let pending = "enrolment_status = 1 and lower(display_name) = $1";
    let first = format!("select uuid from devices where {pending} order by uuid limit 1");
    let still = format!("select 1 from devices where {pending} and uuid = $2");
    let still = transaction.locking(&still, "for no key update");
    let name = host_name.to_ascii_lowercase();
    // One that is changed at this moment is waited for; if another host claimed it, the next one is tried.
    while let Some(device) = transaction.find(&first, values![&name], |row| row.get::<DeviceId>(0))? {
        if transaction.exists(&still, values![&name, device])? {
            return Ok(Some(device));
        }
    }
    Ok(None)
}

/// A new device in the group of the token, or in *Lost & found* if that group was deleted meanwhile.
fn insert_device(
    transaction: &Transaction<'_>,
    host: &EnrolDevice,
    group: GroupId,
) -> Result<DeviceId, StoreError> {
    let group = if groups::exists(transaction, group)? { group } else { LOST_AND_FOUND };
    transaction.execute(
        "insert into devices (uuid, group_uuid, display_name, original_display_name, description,
             enrolment_status, functionality_status, problem_count, is_muted, last_sync_time,
             public_ip_address, device_token, attributes, version)
         values ($1, $2, $3, '', '', 0, 0, 0, 0, null, '', '', $4, 0)",
        values![host.new_id, group, &host.host_name, &[][..]],
    )?;
    group_members::count(transaction, &[(group, 1)])?;
    Ok(host.new_id)
}

/// What enrolment changes of a device, whether it is new, a placeholder or known. Attributes that are already
/// kept stay, with the facts that follow from them: the first report over the link joins the two.
fn mark_enrolled(
    transaction: &Transaction<'_>,
    rules: &Rules,
    host: &EnrolDevice,
    device: DeviceId,
) -> Result<(), StoreError> {
    let touched = transaction.execute(
        "update devices set original_display_name = $1, enrolment_status = $2, functionality_status = $3,
             last_sync_time = $4, public_ip_address = $5, device_token = $6,
             attributes = case length(attributes) when 0 then $7 else attributes end,
             version = version + 1
         where uuid = $8",
        values![
            &host.host_name,
            FINISHED,
            OK,
            host.now,
            &host.public_ip_address,
            &hex(&host.key_digest),
            &host.attributes,
            device,
        ],
    )?;
    one(touched, "device to enrol")?;
    let enrolled = devices::fetch(transaction, device)?;
    if let Some(enrolled) = enrolled.filter(|enrolled| enrolled.attributes == host.attributes) {
        let kept = Kept {
            device,
            display_name: &enrolled.display_name,
            original_display_name: &host.host_name,
            facts: &host.facts,
        };
        dynamic_groups::write(transaction, &[kept])?;
    } else {
        dynamic_groups::rename_original(transaction, device, &host.host_name)?;
    }
    dynamic_groups::settle(transaction, rules, &[device], Some(host.now)).map(drop)
}

fn keep_key(transaction: &Transaction<'_>, host: &EnrolDevice, device: DeviceId) -> Result<(), StoreError> {
    let touched = transaction.execute(
        "insert into device_keys (digest, device_uuid, enrolment_token_id, create_time)
         values ($1, $2, $3, $4)
         on conflict (digest) do update set enrolment_token_id = excluded.enrolment_token_id",
        values![&host.key_digest, device, &host.token_id, host.now],
    )?;
    transaction.execute("delete from retired_keys where digest = $1", values![&host.key_digest])?;
    one(touched, "device key to keep")
}

fn one(touched: usize, what: &str) -> Result<(), StoreError> {
    if touched == 1 {
        Ok(())
    } else {
        Err(StoreError::Inconsistent(format!("{touched} rows for one {what}")))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
