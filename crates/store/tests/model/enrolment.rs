//! How hosts become devices: enrolment tokens and the keys of devices.

use std::ops::Range;

use guardhouse_model::{DeviceId, groups::LOST_AND_FOUND, machines::Machine};
use guardhouse_store::{Device, EnrolDevice, EnrolOutcome, NewEnrolmentToken};
use proptest::prelude::*;

use crate::{
    bench::{Bench, Model, Outcome, Refusal},
    dynamic_groups::facts_of,
    machines::{QUESTIONS, machines},
    pools::{DEVICES, SECONDS, addresses, any_groups, at, attributes, device, group, names},
};

/// `DEVICE_ENROLLMENT_STATUS_PENDING` and `…_FINISHED`.
const PENDING: i32 = 1;
const FINISHED: i32 = 2;
/// `DEVICE_FUNCTIONALITY_STATUS_OK`.
const OK: i32 = 1;

/// The key of an enrolled device.
#[derive(Debug)]
pub struct DeviceKey {
    pub device: DeviceId,
    /// The token that it was last enrolled with.
    token: [u8; 8],
}

impl Model {
    pub fn enrolment_token_create(&mut self, token: NewEnrolmentToken) -> Result<bool, Refusal> {
        if !self.groups.contains_key(&token.group) {
            return Ok(false);
        }
        if self.enrolment_tokens.contains_key(&token.id) {
            return Err(Refusal::Taken);
        }
        if token.question.is_some() {
            self.enrolment_tokens.retain(|_, known| known.question != token.question);
        }
        self.enrolment_tokens.insert(token.id, token);
        Ok(true)
    }

    pub fn device_enrol(&mut self, host: EnrolDevice) -> Result<EnrolOutcome, Refusal> {
        let token = self.enrolment_tokens.get(&host.token_id);
        let Some(token) = token.filter(|token| token.secret_digest == host.secret_digest) else {
            return Ok(EnrolOutcome::UnknownToken);
        };
        let known = self.device_keys.get(&host.key_digest);
        if let Some(key) = known
            && key.token == host.token_id
        {
            return Ok(EnrolOutcome::Enrolled(key.device));
        }
        if host.now > token.expire_time {
            return Ok(EnrolOutcome::Expired);
        }
        if token.uses == 0 {
            return Ok(EnrolOutcome::UsedUp);
        }
        let group = if self.groups.contains_key(&token.group) { token.group } else { LOST_AND_FOUND };
        let (known, question) = (known.map(|key| key.device), token.question);
        let found = match (known, question) {
            (Some(device), _) => Some(device),
            (None, Some(question)) => self.invited(question),
            (None, None) => self.before(&host).or_else(|| self.placeholder(&host.host_name)),
        };
        if found.is_none() && self.devices.contains_key(&host.new_id) {
            return Err(Refusal::Taken);
        }
        let id = found.unwrap_or(host.new_id);
        match (known, question) {
            (Some(_), _) => {}
            (None, Some(question)) => self.settle_newcomer(question, id, host.now),
            (None, None) => self.take_over_or_ask(&host, id),
        }
        self.machines.insert(id, (host.machine.into(), self.boot_time(id, &host.machine, host.now)));
        self.retired_keys.remove(&host.key_digest);
        self.enrolment_tokens.entry(host.token_id).and_modify(|token| token.uses -= 1);
        let device = self.devices.entry(id).or_insert_with(|| Device {
            enrolment_status: 0,
            version: 0,
            ..Device::placeholder(id, group, host.host_name.clone())
        });
        device.original_display_name = host.host_name;
        device.enrolment_status = FINISHED;
        device.functionality_status = OK;
        device.last_sync_time = Some(host.now);
        device.public_ip_address = host.public_ip_address;
        device.device_token = host.key_digest.map(|byte| format!("{byte:02x}")).concat();
        if device.attributes.is_empty() {
            device.attributes = host.attributes.clone();
        }
        device.version += 1;
        if device.attributes == host.attributes {
            self.facts.insert(id, host.facts);
        }
        self.settle(vec![id], Some(host.now));
        self.device_keys.insert(host.key_digest, DeviceKey { device: id, token: host.token_id });
        Ok(EnrolOutcome::Enrolled(id))
    }

    /// The first pending device with the name of a host. Only ASCII letters are the same in either case.
    pub fn placeholder(&self, host_name: &str) -> Option<DeviceId> {
        let claimed = |device: &&Device| {
            device.enrolment_status == PENDING && device.display_name.eq_ignore_ascii_case(host_name)
        };
        self.devices.values().find(claimed).map(|device| device.id)
    }

    pub fn device_of_key(&self, key_digest: [u8; 32]) -> Option<DeviceId> {
        self.device_keys.get(&key_digest).map(|key| key.device)
    }
}

#[derive(Debug, Clone)]
pub enum Command {
    CreateToken { token: u8, group: u8, uses: u32, expire: u8, question: Option<u8> },
    Enrol { token: u8, right_secret: bool, key: u8, host: Host, now: u8 },
    DeviceOfKey { key: u8 },
}

/// What a host says of itself, and the id that it gets if it is new.
#[derive(Debug, Clone)]
pub struct Host {
    device: u8,
    name: &'static str,
    address: &'static str,
    attributes: &'static [u8],
    machine: Machine,
}

const TOKENS: Range<u8> = 0..3;
const KEYS: Range<u8> = 0..5;

pub fn creations() -> impl Strategy<Value = Command> {
    let questions = prop::option::weighted(0.3, QUESTIONS);
    (TOKENS, any_groups(), 0..6_u32, 10..60_u8, questions).prop_map(
        |(token, group, uses, expire, question)| Command::CreateToken {
            token,
            group,
            uses,
            expire,
            question,
        },
    )
}

pub fn commands() -> impl Strategy<Value = Command> {
    let hosts = (DEVICES, names(), addresses(), attributes(), machines()).prop_map(
        |(device, name, address, attributes, machine)| Host { device, name, address, attributes, machine },
    );
    prop_oneof![
        2 => creations(),
        4 => (TOKENS, prop::bool::weighted(0.9), KEYS, hosts, SECONDS).prop_map(
            |(token, right_secret, key, host, now)| Command::Enrol { token, right_secret, key, host, now }
        ),
        1 => KEYS.prop_map(|key| Command::DeviceOfKey { key }),
    ]
}

pub async fn carry_out(bench: &mut Bench, command: Command) -> Outcome {
    match command {
        Command::CreateToken { token, group: number, uses, expire, question } => {
            let new = NewEnrolmentToken {
                id: [token; 8],
                secret_digest: [token; 32],
                group: group(number),
                uses,
                expire_time: at(expire),
                question: question.and_then(|number| bench.question(number)),
            };
            agree!(bench.enrolment_token_create(new.clone())?);
        }
        Command::Enrol { token, right_secret, key, host, now } => {
            let host = EnrolDevice {
                token_id: [token; 8],
                secret_digest: [if right_secret { token } else { 0xff }; 32],
                key_digest: [key; 32],
                new_id: device(host.device),
                machine: host.machine,
                question_id: bench.fresh(),
                host_name: host.name.to_owned(),
                attributes: host.attributes.to_vec(),
                facts: facts_of(host.attributes),
                public_ip_address: host.address.to_owned(),
                now: at(now),
            };
            agree!(bench.device_enrol(host.clone())?);
        }
        Command::DeviceOfKey { key } => {
            agree!(bench.device_of_key([key; 32]));
        }
    }
    Ok(())
}
