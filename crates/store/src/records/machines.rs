//! Which machine a device is, and the questions about it.

use guardhouse_model::{DeviceId, GroupId, Timestamp, machines::Machine};
use uuid::Uuid;

/// The machine that a device is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceMachine {
    /// What it said last.
    pub machine: Machine,
    /// When the present life of its kernel was first heard of.
    pub boot_time: Timestamp,
}

/// A machine that says it is a device.
#[derive(Debug, Clone)]
pub struct MachineArrival {
    /// The device.
    pub device: DeviceId,
    /// Which machine it is.
    pub machine: Machine,
    /// Its host name.
    pub host_name: String,
    /// Address as the server sees it.
    pub public_ip_address: String,
    /// Identity for a question, if one is raised.
    pub question_id: Uuid,
    /// The present moment.
    pub now: Timestamp,
}

/// What is to become of a machine that says it is a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MachineMet {
    /// It is the device.
    Device {
        /// A question was raised or became another one: an earlier connection of the device may be another machine's.
        raised: bool,
    },
    /// It has to wait until somebody decides.
    Held,
    /// It is to enrol, with a token for this question.
    EnrolAnew {
        /// The question.
        question: Uuid,
        /// The group of the device, for the new one.
        group: GroupId,
    },
}

/// Why there is an identity question. The numbers are those of the contract's `IdentityQuestion.Reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum QuestionReason {
    /// A machine with other firmware has the key of the device.
    OtherHardware = 1,
    /// Two machines with the same firmware have the key of the device.
    TwoAtOnce = 2,
    /// A host with the same firmware has enrolled while the device was at work, and is a device of its own.
    EnrolledBeside = 3,
}

/// What was decided of a newcomer. The numbers are those of the contract's `IdentityQuestion.Answer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum QuestionAnswer {
    /// It is the device, on other hardware or installed anew.
    SameDevice = 1,
    /// It is a device of its own.
    AnotherDevice = 2,
}

/// An identity question: a machine seems to be a device and is not the one that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityQuestion {
    /// Identity.
    pub id: Uuid,
    /// The device.
    pub device: DeviceId,
    /// Why it is asked.
    pub reason: QuestionReason,
    /// Since when.
    pub create_time: Timestamp,
    /// When the other machine was last heard of.
    pub last_seen_time: Timestamp,
    /// The host name of the other machine.
    pub host_name: String,
    /// Its address as the server saw it.
    pub public_ip_address: String,
    /// The device of its own that it is, if it is one.
    pub newcomer: Option<DeviceId>,
    /// What was decided, when, and by the account with which name.
    pub answer: Option<(QuestionAnswer, Timestamp, String)>,
}

/// What became of an answer to an identity question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuestionAnswered {
    /// It counts.
    Done(IdentityQuestion),
    /// Another one was given before.
    AnsweredBefore(IdentityQuestion),
}

/// What a device is in for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceStateReport {
    /// When the device said so.
    pub report_time: Timestamp,
    /// An encoded contract `DeviceState`.
    pub state: Vec<u8>,
    /// How much there is on the file systems of which it can take snapshots, in bytes; `None`: it can take none. By that it is
    /// an asset or not.
    pub snapshot_bytes: Option<u64>,
}
