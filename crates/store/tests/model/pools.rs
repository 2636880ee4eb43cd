//! Small pools of ids, names and moments: commands that draw from them often mean the same.
//!
//! Commands hold the number of an id in its pool, which is easy to read and to make smaller.

use std::ops::Range;

use guardhouse_model::{
    AssignmentId, DeviceId, GroupId, PolicyId, TaskId, Timestamp, TriggerId,
    groups::{ALL, LOST_AND_FOUND},
};
use proptest::{
    prelude::*,
    sample::{Select, select},
};
use uuid::{Builder, Uuid};

/// The first two are *All* and *Lost & found*.
pub const GROUPS: Range<u8> = 0..7;
/// Beside the static ones.
pub const DYNAMIC_GROUPS: Range<u8> = 7..11;
pub const DEVICES: Range<u8> = 0..7;
pub const TASKS: Range<u8> = 0..5;
pub const TRIGGERS: Range<u8> = 0..16;
/// For commands about the how-manieth run that there is, counted around.
pub const RUNS: Range<u8> = 0..12;
pub const POLICIES: Range<u8> = 0..5;
pub const ASSIGNMENTS: Range<u8> = 0..15;
pub const SECONDS: Range<u8> = 0..30;
pub const LIMITS: Range<usize> = 1..5;

/// Every other one is there from the start: what needs a group finds one.
pub fn groups() -> impl Strategy<Value = u8> {
    prop_oneof![0..2_u8, GROUPS]
}

/// Of both kinds.
pub fn any_groups() -> impl Strategy<Value = u8> {
    prop_oneof![3 => groups(), 1 => DYNAMIC_GROUPS]
}

/// Names that are equal or ordered in one way byte for byte, and in another for somebody who knows letters.
pub fn names() -> Select<&'static str> {
    select(&["web", "WEB", "äpfel", "Äpfel", ""][..])
}

pub fn attributes() -> Select<&'static [u8]> {
    select(&[&[] as &[u8], &[1], &[0, 0xff]][..])
}

pub fn addresses() -> Select<&'static str> {
    select(&["192.0.2.1", "2001:db8::1"][..])
}

/// `second` seconds after an arbitrary start.
pub fn at(second: u8) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + i64::from(second)).expect("in range")
}

pub fn group(number: u8) -> GroupId {
    match number {
        0 => ALL,
        1 => LOST_AND_FOUND,
        _ => GroupId(spread(number)),
    }
}

pub fn device(number: u8) -> DeviceId {
    DeviceId(spread(number))
}

pub fn task(number: u8) -> TaskId {
    TaskId(spread(number))
}

pub fn policy(number: u8) -> PolicyId {
    PolicyId(spread(number))
}

pub fn assignment(number: u8) -> AssignmentId {
    AssignmentId(spread(number))
}

/// A trigger is created at the second of its number, and its id says so, as every UUIDv7.
pub fn trigger(number: u8) -> TriggerId {
    let millis = u64::try_from(at(number).as_millisecond()).expect("after 1970");
    TriggerId(Builder::from_unix_timestamp_millis(millis, &[number; 10]).into_uuid())
}

/// Ids from the whole range, so that their order shows whether bytes are compared without a sign.
pub fn spread(number: u8) -> Uuid {
    Uuid::from_u128(u128::from(number + 1) << 124 | u128::from(number))
}
