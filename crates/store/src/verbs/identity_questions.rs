//! Questions about machines that seem to be a device and are not the one that is known.

use guardhouse_model::{
    DeviceId, GroupId, Timestamp,
    machines::{KnownMachine, Likeness, Machine, Newcomer},
};
use uuid::Uuid;

use super::device_machines::{self, digests};
use crate::{
    IdentityQuestion, MachineArrival, QuestionAnswer, QuestionAnswered, QuestionReason, Store, StoreError,
    engine::{Row, Transaction, values},
};

const COLUMNS: &str = "uuid, device_uuid, reason, create_time, last_seen_time, host_name, public_ip_address, \
     newcomer_uuid, answer, answer_time, answered_by";

impl Store {
    /// Up to `limit` identity questions after `after`, in the order of their ids; only open ones, or all.
    pub async fn identity_questions_list(
        &self,
        only_open: bool,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<IdentityQuestion>, StoreError> {
        let open = if only_open { "and answer = 0" } else { "" };
        let sql =
            format!("select {COLUMNS} from identity_questions where uuid > $1 {open} order by uuid limit $2");
        self.engine
            .read(move |transaction| {
                transaction.list(&sql, values![after.unwrap_or_default(), limit], from_row)
            })
            .await
    }

    /// One identity question.
    pub async fn identity_question_get(&self, id: Uuid) -> Result<Option<IdentityQuestion>, StoreError> {
        self.engine.read(move |transaction| fetch(transaction, id)).await
    }

    /// Answers an identity question, in the name of an account. `None`: there is no such question.
    ///
    /// That the newcomer is the device makes it the machine that the device is known to be. A newcomer that has a device
    /// of its own becomes the device when it has enrolled anew, with a token for this question.
    pub async fn identity_question_answer(
        &self,
        id: Uuid,
        answer: QuestionAnswer,
        account: String,
        now: Timestamp,
    ) -> Result<Option<QuestionAnswered>, StoreError> {
        self.engine
            .write(move |transaction| {
                let touched = transaction.execute(
                    "update identity_questions set answer = $2, answer_time = $3, answered_by = $4
                     where uuid = $1 and answer = 0",
                    values![id, answer as i32, now, &account],
                )?;
                let Some(question) = fetch(transaction, id)? else { return Ok(None) };
                if touched == 0 {
                    return Ok(Some(QuestionAnswered::AnsweredBefore(question)));
                }
                match (answer, question.newcomer) {
                    (QuestionAnswer::SameDevice, None) => accept(transaction, &question, now)?,
                    (QuestionAnswer::SameDevice, Some(newcomer)) => {
                        // Its session ends, so that it comes again and hears that it is to enrol.
                        let sql = "update device_links set epoch = epoch + 1 where device_uuid = $1";
                        transaction.execute(sql, values![newcomer])?;
                    }
                    (QuestionAnswer::AnotherDevice, _) => {}
                }
                Ok(Some(QuestionAnswered::Done(question)))
            })
            .await
    }
}

/// A machine that a question is about.
pub struct Raised<'a> {
    /// Which machine it is.
    pub machine: Machine,
    /// Its host name.
    pub host_name: &'a str,
    /// Its address as the server saw it.
    pub public_ip_address: &'a str,
}

/// Asks what a machine is, or notes that the machine of the open question has come again. Nothing is noted of a machine
/// that comes while another one is asked about.
pub fn raise(
    transaction: &Transaction<'_>,
    arrival: &MachineArrival,
    reason: QuestionReason,
    raised: Raised<'_>,
    newcomer: Option<DeviceId>,
) -> Result<(), StoreError> {
    let Raised { machine, host_name, public_ip_address } = raised;
    let open = "select uuid, uuid_digest, serial_number_digest, boots, answer from identity_questions
        where device_uuid = $1 and answer = 0";
    let open = transaction.find(open, values![arrival.device], newcomer_of_row)?;
    let Some((id, mut asked)) = open else {
        let sql = format!(
            "insert into identity_questions ({COLUMNS}, uuid_digest, serial_number_digest, boots)
             values ($1, $2, $3, $4, $4, $5, $6, $7, 0, null, '', $8, $9, $10)"
        );
        let boot = machine.boot.map_or_else(Vec::new, Vec::from);
        let values = values![
            arrival.question_id,
            arrival.device,
            reason as i32,
            arrival.now,
            host_name,
            public_ip_address,
            newcomer,
            &machine.uuid,
            &machine.serial_number,
            &boot
        ];
        return transaction.execute(&sql, values).map(drop);
    };
    let is_asked = machine.boot.is_some_and(|boot| asked.boots.contains(&boot));
    if is_asked || asked.machine.likeness(&machine) == Likeness::Same || reason == QuestionReason::TwoAtOnce {
        machine.boot.into_iter().for_each(|boot| asked.note(boot));
        transaction.execute(
            "update identity_questions set boots = $2, last_seen_time = $3 where uuid = $1",
            values![id, &asked.boots.concat(), arrival.now],
        )?;
    }
    Ok(())
}

/// The machines with the key of a device that are not the device, or may not be.
pub fn newcomers(
    transaction: &Transaction<'_>,
    device: DeviceId,
) -> Result<Vec<(Uuid, Newcomer)>, StoreError> {
    // What has enrolled beside the device has a key of its own.
    let sql = "select uuid, uuid_digest, serial_number_digest, boots, answer from identity_questions
        where device_uuid = $1 and answer in (0, 2) and reason <> 3 order by uuid";
    transaction.list(sql, values![device], newcomer_of_row)
}

/// The question by which a device was found to be another one, and the group of that one.
pub fn merging(
    transaction: &Transaction<'_>,
    newcomer: DeviceId,
) -> Result<Option<(Uuid, GroupId)>, StoreError> {
    let sql = "select identity_questions.uuid, group_uuid from identity_questions
        join devices on devices.uuid = device_uuid where newcomer_uuid = $1 and answer = 1";
    transaction.find(sql, values![newcomer], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Removes the open question about a device: nobody has its key any more who could be another machine.
pub fn withdraw(transaction: &Transaction<'_>, device: DeviceId) -> Result<(), StoreError> {
    let sql = "delete from identity_questions where device_uuid = $1 and answer = 0";
    transaction.execute(sql, values![device]).map(drop)
}

/// Makes the newcomer the machine that the device is known to be.
fn accept(
    transaction: &Transaction<'_>,
    question: &IdentityQuestion,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "select uuid, uuid_digest, serial_number_digest, boots, answer from identity_questions
        where uuid = $1";
    let Some((_, newcomer)) = transaction.find(sql, values![question.id], newcomer_of_row)? else {
        return Ok(());
    };
    let machine = Machine { boot: newcomer.boots.last().copied(), ..newcomer.machine };
    device_machines::keep(transaction, question.device, &KnownMachine::from(machine), now)
}

/// One identity question, inside a transaction.
pub fn fetch(transaction: &Transaction<'_>, id: Uuid) -> Result<Option<IdentityQuestion>, StoreError> {
    let sql = format!("select {COLUMNS} from identity_questions where uuid = $1");
    transaction.find(&sql, values![id], from_row)
}

fn newcomer_of_row(row: &Row<'_>) -> Result<(Uuid, Newcomer), StoreError> {
    let machine = Machine { uuid: row.get(1)?, serial_number: row.get(2)?, boot: None };
    let boots = digests(&row.get::<Vec<u8>>(3)?)?;
    let is_another = row.get::<i32>(4)? == QuestionAnswer::AnotherDevice as i32;
    Ok((row.get(0)?, Newcomer { machine, boots, is_another }))
}

fn from_row(row: &Row<'_>) -> Result<IdentityQuestion, StoreError> {
    let odd = |what: &str, number: i32| StoreError::Inconsistent(format!("{what} {number} of a question"));
    let reason = match row.get(2)? {
        1 => QuestionReason::OtherHardware,
        2 => QuestionReason::TwoAtOnce,
        3 => QuestionReason::EnrolledBeside,
        other => return Err(odd("reason", other)),
    };
    let answer = match row.get(8)? {
        0 => None,
        1 => Some(QuestionAnswer::SameDevice),
        2 => Some(QuestionAnswer::AnotherDevice),
        other => return Err(odd("answer", other)),
    };
    let answer = match answer {
        Some(answer) => Some((answer, row.get(9)?, row.get(10)?)),
        None => None,
    };
    Ok(IdentityQuestion {
        id: row.get(0)?,
        device: row.get(1)?,
        reason,
        create_time: row.get(3)?,
        last_seen_time: row.get(4)?,
        host_name: row.get(5)?,
        public_ip_address: row.get(6)?,
        newcomer: row.get(7)?,
        answer,
    })
}
