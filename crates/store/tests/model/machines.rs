//! Which machine each device is, questions about it, and what devices are in.

use std::ops::Range;

use guardhouse_model::{
    DeviceId, RunId, Timestamp,
    machines::{
        self, Candidate, Claim as Claimed, DEVICE_ENROLLED_ANEW, DEVICE_RETIRED, Likeness, Machine, Meeting,
        Newcomer,
    },
};
use guardhouse_store::{
    Claim, DeviceMachine, DeviceStateReport, EnrolDevice, IdentityQuestion, MachineArrival, MachineMet,
    PolicyTarget, QuestionAnswer, QuestionAnswered, QuestionReason,
};
use proptest::prelude::*;
use uuid::Uuid;

use crate::{
    bench::{Bench, Model, Outcome},
    pools::{DEVICES, SECONDS, at, attributes, device},
};

/// For commands about the how-manieth question that there is, counted around.
pub const QUESTIONS: Range<u8> = 0..4;

/// A question as it is kept.
#[derive(Debug, Clone)]
pub struct Question {
    asked: IdentityQuestion,
    newcomer: Newcomer,
}

const RETIRED: &str = "the device left the management before it said how the run went";
const ANEW: &str = "the device was installed and enrolled anew before it said how the run went";

impl Model {
    pub fn device_machine_get(&self, device: DeviceId) -> Option<DeviceMachine> {
        let (known, boot_time) = self.machines.get(&device)?;
        Some(DeviceMachine { machine: known.machine, boot_time: *boot_time })
    }

    /// When the life began that a machine is in.
    pub fn boot_time(&self, device: DeviceId, machine: &Machine, now: Timestamp) -> Timestamp {
        let known = self
            .machines
            .get(&device)
            .filter(|(known, _)| machine.boot.is_some() && known.machine.boot == machine.boot);
        known.map_or(now, |(_, boot_time)| *boot_time)
    }

    pub fn device_meet(&mut self, arrival: MachineArrival) -> Option<MachineMet> {
        let MachineArrival { device, machine, now, .. } = arrival;
        let kept = self.devices.get(&device)?.clone();
        let merging = self.questions.values().find(|question| {
            question.asked.newcomer == Some(device) && question.is_answered(QuestionAnswer::SameDevice)
        });
        if let Some(Question { asked, .. }) = merging {
            let group = self.devices.get(&asked.device).map(|device| device.group);
            return Some(MachineMet::EnrolAnew {
                question: asked.id,
                group: group.expect("questions go with it"),
            });
        }
        let about: Vec<(Uuid, Newcomer)> = self
            .questions
            .values()
            .filter(|question| {
                question.asked.device == device
                    && question.asked.reason != QuestionReason::EnrolledBeside
                    && !question.is_answered(QuestionAnswer::SameDevice)
            })
            .map(|question| (question.asked.id, question.newcomer.clone()))
            .collect();
        let newcomers: Vec<Newcomer> = about.iter().map(|(_, newcomer)| newcomer.clone()).collect();
        let known = self.machines.get(&device).map(|(known, _)| known.clone());
        Some(match machines::meet(known.as_ref(), &machine, &newcomers) {
            Meeting::Device(same) if known.as_ref() == Some(&same) => MachineMet::Device { raised: false },
            Meeting::Device(known) => {
                let boot_time = self.boot_time(device, &known.machine, now);
                self.machines.insert(device, (known, boot_time));
                MachineMet::Device { raised: false }
            }
            Meeting::Returned { known, other } => {
                let other = Machine { boot: Some(other), ..known.machine };
                self.machines.insert(device, (known, now));
                let said = (kept.original_display_name, kept.public_ip_address);
                self.raise(&arrival, QuestionReason::TwoAtOnce, other, said, None);
                MachineMet::Device { raised: true }
            }
            Meeting::Newcomer => {
                let said = (arrival.host_name.clone(), arrival.public_ip_address.clone());
                self.raise(&arrival, QuestionReason::OtherHardware, machine, said, None);
                MachineMet::Held
            }
            Meeting::Another(place) => MachineMet::EnrolAnew { question: about[place].0, group: kept.group },
        })
    }

    fn raise(
        &mut self,
        arrival: &MachineArrival,
        reason: QuestionReason,
        machine: Machine,
        (host_name, public_ip_address): (String, String),
        newcomer: Option<DeviceId>,
    ) {
        let MachineArrival { device, now, question_id, .. } = *arrival;
        let open = self
            .questions
            .values_mut()
            .find(|question| question.asked.device == device && question.asked.answer.is_none());
        if let Some(open) = open {
            let is_asked = machine.boot.is_some_and(|boot| open.newcomer.boots.contains(&boot));
            if is_asked
                || open.newcomer.machine.likeness(&machine) == Likeness::Same
                || reason == QuestionReason::TwoAtOnce
            {
                machine.boot.into_iter().for_each(|boot| open.newcomer.note(boot));
                open.asked.last_seen_time = now;
            }
            return;
        }
        let asked = IdentityQuestion {
            id: question_id,
            device,
            reason,
            create_time: now,
            last_seen_time: now,
            host_name,
            public_ip_address,
            newcomer,
            answer: None,
        };
        let boots = machine.boot.into_iter().collect();
        let newcomer = Newcomer { machine: Machine { boot: None, ..machine }, boots, is_another: false };
        self.questions.insert(question_id, Question { asked, newcomer });
    }

    pub fn identity_questions_list(
        &self,
        only_open: bool,
        after: Option<Uuid>,
        limit: usize,
    ) -> Vec<IdentityQuestion> {
        let asked = self.questions.values().map(|question| &question.asked);
        let asked = asked.filter(|asked| !only_open || asked.answer.is_none());
        asked.filter(|asked| after.is_none_or(|after| asked.id > after)).take(limit).cloned().collect()
    }

    pub fn identity_question_get(&self, id: Uuid) -> Option<IdentityQuestion> {
        self.questions.get(&id).map(|question| question.asked.clone())
    }

    pub fn identity_question_answer(
        &mut self,
        id: Uuid,
        answer: QuestionAnswer,
        account: String,
        now: Timestamp,
    ) -> Option<QuestionAnswered> {
        let question = self.questions.get_mut(&id)?;
        if question.asked.answer.is_some() {
            return Some(QuestionAnswered::AnsweredBefore(question.asked.clone()));
        }
        question.asked.answer = Some((answer, now, account));
        question.newcomer.is_another = answer == QuestionAnswer::AnotherDevice;
        let Question { asked, newcomer } = question.clone();
        match (answer, asked.newcomer) {
            (QuestionAnswer::SameDevice, None) => {
                let machine = Machine { boot: newcomer.boots.last().copied(), ..newcomer.machine };
                let boot_time = self.boot_time(asked.device, &machine, now);
                self.machines.insert(asked.device, (machine.into(), boot_time));
            }
            (QuestionAnswer::SameDevice, Some(newcomer)) => {
                self.epochs.entry(newcomer).and_modify(|epoch| *epoch += 1);
            }
            (QuestionAnswer::AnotherDevice, _) => {}
        }
        Some(QuestionAnswered::Done(asked))
    }

    /// The device that the newcomer of a question was found to be.
    pub fn invited(&self, question: Uuid) -> Option<DeviceId> {
        let question = self.questions.get(&question)?;
        question.is_answered(QuestionAnswer::SameDevice).then_some(question.asked.device)
    }

    /// What follows when the newcomer of a question has become `device`.
    pub fn settle_newcomer(&mut self, question: Uuid, device: DeviceId, now: Timestamp) {
        let Some(asked) = self.questions.get(&question).map(|question| question.asked.clone()) else {
            return;
        };
        if self.invited(question) == Some(device) {
            self.end(device, DEVICE_ENROLLED_ANEW, ANEW, now);
            if let Some(newcomer) = asked.newcomer {
                self.end(newcomer, DEVICE_ENROLLED_ANEW, ANEW, now);
                self.epochs.remove(&newcomer);
                self.device_policies.remove(&newcomer);
                self.devices.remove(&newcomer);
                self.facts.remove(&newcomer);
                self.forget_machines(&[newcomer]);
                self.stacks.remove(&PolicyTarget::Device(newcomer));
                self.dynamic_members.retain(|(_, device)| *device != newcomer);
            }
        } else if let Some(question) = self.questions.get_mut(&question) {
            question.asked.newcomer = Some(device);
        }
    }

    fn claimed(&self, host: &EnrolDevice) -> Option<(DeviceId, bool)> {
        let known: Vec<DeviceId> = self.machines.keys().copied().collect();
        let candidate = |id: &DeviceId| Candidate {
            machine: self.machines[id].0.machine,
            host_name: self.devices[id].original_display_name.clone(),
            is_managed: self.device_keys.values().any(|key| key.device == *id),
            last_contact: self.devices[id].last_sync_time,
        };
        let candidates: Vec<Candidate> = known.iter().map(candidate).collect();
        match machines::claim(&candidates, &host.machine, &host.host_name, host.now) {
            Claimed::TakeOver(place) => Some((known[place], true)),
            Claimed::InUse(place) => Some((known[place], false)),
            Claimed::Nobody => None,
        }
    }

    /// The device that a host takes over.
    pub fn before(&self, host: &EnrolDevice) -> Option<DeviceId> {
        self.claimed(host).filter(|(_, is_free)| *is_free).map(|(device, _)| device)
    }

    /// What follows when a host with a new key becomes `device`.
    pub fn take_over_or_ask(&mut self, host: &EnrolDevice, device: DeviceId) {
        match self.claimed(host) {
            Some((before, true)) => self.end(before, DEVICE_ENROLLED_ANEW, ANEW, host.now),
            Some((other, false)) if self.placeholder(&host.host_name) != Some(device) => {
                let arrival = MachineArrival {
                    device: other,
                    machine: host.machine,
                    host_name: host.host_name.clone(),
                    public_ip_address: host.public_ip_address.clone(),
                    question_id: host.question_id,
                    now: host.now,
                };
                let said = (host.host_name.clone(), host.public_ip_address.clone());
                self.raise(&arrival, QuestionReason::EnrolledBeside, host.machine, said, Some(device));
            }
            _ => {}
        }
    }

    fn end(&mut self, device: DeviceId, code: &str, reason: &str, now: Timestamp) {
        self.device_keys.retain(|_, key| key.device != device);
        self.states.remove(&device);
        self.epochs.entry(device).and_modify(|epoch| *epoch += 1);
        self.questions
            .retain(|_, question| question.asked.device != device || question.asked.answer.is_some());
        self.close_open_of(&[device], code, reason, now);
    }

    /// What goes with devices that are deleted.
    pub fn forget_machines(&mut self, gone: &[DeviceId]) {
        self.machines.retain(|device, _| !gone.contains(device));
        self.questions.retain(|_, question| !gone.contains(&question.asked.device));
        self.retired_keys.retain(|_, (device, _)| !gone.contains(device));
        self.states.retain(|device, _| !gone.contains(device));
    }

    pub fn device_retire(&mut self, device: DeviceId, run: RunId, now: Timestamp) -> bool {
        if !self.devices.contains_key(&device) {
            return false;
        }
        if self.retired_keys.values().any(|retired| *retired == (device, run)) {
            return true;
        }
        let keys: Vec<[u8; 32]> = self
            .device_keys
            .iter()
            .filter(|(_, key)| key.device == device)
            .map(|(digest, _)| *digest)
            .collect();
        self.retired_keys.extend(keys.into_iter().map(|digest| (digest, (device, run))));
        self.end(device, DEVICE_RETIRED, RETIRED, now);
        let left = self.devices.get_mut(&device).expect("is there");
        (left.enrolment_status, left.functionality_status, left.problem_count) = (1, 0, 0);
        left.device_token.clear();
        left.version += 1;
        self.settle(vec![device], Some(now));
        true
    }

    pub fn device_of_retired_key(&self, key_digest: [u8; 32]) -> Option<DeviceId> {
        self.retired_keys.get(&key_digest).map(|(device, _)| *device)
    }

    pub fn device_state_report(&mut self, by: Claim, report: DeviceStateReport) {
        let known = self.states.get(&by.device).is_some_and(|known| known.state == report.state);
        if !known && self.epochs.get(&by.device).is_some_and(|latest| *latest <= by.epoch) {
            self.states.insert(by.device, report);
        }
    }

    pub fn device_state_get(&self, device: DeviceId) -> Option<DeviceStateReport> {
        self.states.get(&device).cloned()
    }
}

impl Question {
    fn is_answered(&self, answer: QuestionAnswer) -> bool {
        self.asked.answer.as_ref().is_some_and(|(given, ..)| *given == answer)
    }
}

impl Bench {
    /// An id that was used nowhere yet.
    pub fn fresh(&mut self) -> Uuid {
        self.last_fresh += 1;
        Uuid::from_u128(0xf << 120 | self.last_fresh)
    }

    /// One of the questions that there are.
    pub fn question(&self, number: u8) -> Option<Uuid> {
        let count = self.model.questions.len();
        (count > 0)
            .then(|| *self.model.questions.keys().nth(usize::from(number) % count).expect("there are more"))
    }
}

#[derive(Debug, Clone)]
pub enum Command {
    Meet { device: u8, machine: Machine, now: u8 },
    Answer { question: u8, same: bool, now: u8 },
    List { only_open: bool, limit: usize },
    Retire { device: u8, run: u8, now: u8 },
    Report { device: u8, epoch: u64, now: u8, state: &'static [u8] },
}

/// So few that they meet.
pub fn machines() -> impl Strategy<Value = Machine> {
    let digest = |number: u8| (number > 0).then_some([number; 32]);
    (0..3_u8, 0..2_u8, 0..5_u8).prop_map(move |(uuid, serial_number, boot)| Machine {
        uuid: digest(uuid),
        serial_number: digest(serial_number),
        boot: digest(boot),
    })
}

pub fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![
        6 => (DEVICES, machines(), SECONDS).prop_map(|(device, machine, now)| Command::Meet { device, machine, now }),
        3 => (QUESTIONS, any::<bool>(), SECONDS)
            .prop_map(|(question, same, now)| Command::Answer { question, same, now }),
        1 => (any::<bool>(), 1..4_usize).prop_map(|(only_open, limit)| Command::List { only_open, limit }),
        1 => (DEVICES, 0..3_u8, SECONDS).prop_map(|(device, run, now)| Command::Retire { device, run, now }),
        2 => (DEVICES, 0..4_u64, SECONDS, attributes())
            .prop_map(|(device, epoch, now, state)| Command::Report { device, epoch, now, state }),
    ]
}

pub async fn carry_out(bench: &mut Bench, command: Command) -> Outcome {
    match command {
        Command::Meet { device: number, machine, now } => {
            let question_id = bench.fresh();
            let arrival = || MachineArrival {
                device: device(number),
                machine,
                host_name: "host".to_owned(),
                public_ip_address: "192.0.2.8".to_owned(),
                question_id,
                now: at(now),
            };
            agree!(bench.device_meet(arrival()));
            agree!(bench.device_machine_get(device(number)));
        }
        Command::Answer { question, same, now } => {
            let id = bench.question(question).unwrap_or_default();
            let answer = if same { QuestionAnswer::SameDevice } else { QuestionAnswer::AnotherDevice };
            agree!(bench.identity_question_answer(id, answer, "ada".to_owned(), at(now)));
            agree!(bench.identity_question_get(id));
        }
        Command::List { only_open, limit } => {
            agree!(bench.identity_questions_list(only_open, None, limit));
        }
        Command::Retire { device: number, run, now } => {
            agree!(bench.device_retire(device(number), RunId(Uuid::from_u128(run.into())), at(now)));
        }
        Command::Report { device: number, epoch, now, state } => {
            let report =
                || DeviceStateReport { report_time: at(now), state: state.to_vec(), snapshot_bytes: None };
            agree!(bench.device_state_report(Claim { device: device(number), epoch }, report()));
        }
    }
    Ok(())
}
