//! The messages of protobuf that have a JSON form of their own.

use jiff::civil::Date;
use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage as _};
use prost_types::{Duration, FieldMask, Timestamp};
use serde_json::Value as Json;

use super::{
    MAX_DEPTH, MAX_LIST,
    scalar::{is_digits, quoted, without_nul},
    too_many,
};
use crate::descriptors;

/// The form of a message in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// An object with a member per field.
    Fields,
    /// An object that also names its type.
    Any,
    /// One text.
    Text,
    /// Whatever JSON value the message stands for.
    Json,
}

/// The form that messages of this type have.
pub(super) fn form(descriptor: &MessageDescriptor) -> Form {
    match descriptor.full_name().strip_prefix("google.protobuf.") {
        Some("Any") => Form::Any,
        Some("Timestamp" | "Duration" | "FieldMask") => Form::Text,
        Some(
            "Struct" | "Value" | "ListValue" | "BoolValue" | "StringValue" | "BytesValue" | "Int32Value"
            | "Int64Value" | "UInt32Value" | "UInt64Value" | "FloatValue" | "DoubleValue",
        ) => Form::Json,
        _ => Form::Fields,
    }
}

/// Whether `json` leaves `field` unset. `null` does, but for a `google.protobuf.Value`, of which it is a value;
/// so does an `Any` that carries nothing, which clients send for actions without parameters, and an empty uuid that is
/// one of several choices: clients fill in the choice they make and send the others empty.
pub(super) fn is_unset(field: &FieldDescriptor, json: &Json) -> bool {
    match (field.kind(), json) {
        (Kind::Message(message), Json::Null) => {
            field.is_list() || message.full_name() != "google.protobuf.Value"
        }
        (Kind::Message(message), Json::Object(object)) if message.full_name() == "google.protobuf.Any" => {
            object.iter().all(|(name, value)| name == "@type" && value == "")
        }
        (Kind::String, Json::String(text)) => {
            text.is_empty() && field.containing_oneof().is_some() && descriptors::is_uuid(field)
        }
        (_, json) => json.is_null(),
    }
}

/// Sets a message of [`Form::Text`].
pub(super) fn set_text(message: &mut DynamicMessage, text: &str) -> Result<(), String> {
    message.clear();
    let set = match message.descriptor().name() {
        "Timestamp" => timestamp(text).map(|value| message.transcode_from(&value)),
        "Duration" => duration(text).map(|value| message.transcode_from(&value)),
        _ => field_mask(text).map(|value| message.transcode_from(&value)),
    };
    match set {
        Some(Ok(())) => Ok(()),
        Some(Err(_)) | None => Err(expected_text(&message.descriptor(), &quoted(text))),
    }
}

/// Says what a message of [`Form::Text`] looks like.
pub(super) fn expected_text(descriptor: &MessageDescriptor, found: &str) -> String {
    let expected = match descriptor.name() {
        "Timestamp" => {
            "a time by RFC 3339 with offset, of the years 0001 to 9999, such as 2026-01-31T12:00:00Z"
        }
        "Duration" => "a number of seconds with the suffix s, within 315576000000 seconds, such as 3.5s",
        _ => "a list of field paths separated by commas, such as displayName,version.id",
    };
    format!("must be {expected}, not {found}")
}

/// Sets a message of [`Form::Json`].
pub(super) fn set_json(message: &mut DynamicMessage, json: &Json) -> Result<(), String> {
    bounded(json, MAX_DEPTH)?;
    *message = DynamicMessage::deserialize(message.descriptor(), json)
        .map_err(|error| format!("must be a {}: {error}", message.descriptor().full_name()))?;
    Ok(())
}

/// Checks how deep and how long a JSON value is, and its texts.
pub(super) fn bounded(json: &Json, depth: usize) -> Result<(), String> {
    let depth = depth.checked_sub(1).ok_or("is nested too deep")?;
    match json {
        Json::String(text) => without_nul(text),
        Json::Array(elements) if elements.len() > MAX_LIST => Err(too_many("elements", elements.len())),
        Json::Array(elements) => elements.iter().try_for_each(|element| bounded(element, depth)),
        Json::Object(entries) if entries.len() > MAX_LIST => Err(too_many("entries", entries.len())),
        Json::Object(entries) => entries.iter().try_for_each(|(name, value)| {
            without_nul(name)?;
            bounded(value, depth)
        }),
        Json::Null | Json::Bool(_) | Json::Number(_) => Ok(()),
    }
}

/// Reads RFC 3339 with the two liberties that clients take: no seconds, lower-case letters.
///
/// It is written out because the time type of the house ends a day before the year 9999 does.
fn timestamp(text: &str) -> Option<Timestamp> {
    const YEARS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

    let (date, rest) = text.split_once(['T', 't'])?;
    let (time, offset) = match rest.strip_suffix(['Z', 'z']) {
        Some(time) => (time, 0),
        None => {
            let (time, offset) = rest.split_at(rest.rfind(['+', '-'])?);
            (time, offset_seconds(offset)?)
        }
    };
    let (time, fraction) = time.split_once('.').map_or((time, None), |(time, digits)| (time, Some(digits)));
    let (hour, minute, second) = match time.split(':').collect::<Vec<_>>()[..] {
        [hour, minute, second] => (hour, minute, number(second, 2)?),
        [hour, minute] if fraction.is_none() => (hour, minute, 0),
        _ => return None,
    };
    let (hour, minute) = (number(hour, 2)?, number(minute, 2)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let nanos = fraction.map_or(Some(0), nanos)?;
    let of_day = hour * 3600 + minute * 60 + second;
    let seconds = midnight(date)? + of_day - offset;
    YEARS.contains(&seconds).then_some(Timestamp { seconds, nanos })
}

/// Seconds from 1970 to the midnight, without offset, that begins `date`.
fn midnight(date: &str) -> Option<i64> {
    let [year, month, day] = date.split('-').collect::<Vec<_>>()[..] else { return None };
    let (year, month, day) = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
    let date = Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()?;
    Some(date.duration_since(Date::constant(1970, 1, 1)).as_secs())
}

/// Seconds of an offset such as `+02:00`.
fn offset_seconds(offset: &str) -> Option<i64> {
    let (hour, minute) = offset.get(1..)?.split_once(':')?;
    let (hour, minute) = (number(hour, 2)?, number(minute, 2)?);
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    (hour < 24 && minute < 60).then_some(sign * (hour * 3600 + minute * 60))
}

fn duration(text: &str) -> Option<Duration> {
    const LIMIT: i64 = 315_576_000_000;

    let text = text.strip_suffix('s')?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let sign = if digits.len() < text.len() { -1 } else { 1 };
    let (whole, fraction) =
        digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let seconds: i64 = is_digits(whole).then(|| whole.parse().ok())??;
    let nanos = fraction.map_or(Some(0), nanos)?;
    let within = seconds < LIMIT || (seconds == LIMIT && nanos == 0);
    within.then_some(Duration { seconds: sign * seconds, nanos: sign as i32 * nanos })
}

/// Reads paths in camelCase or snake_case. What is read can be written again: an underscore is followed by a
/// letter, since only a letter has a capital that can stand for both.
fn field_mask(text: &str) -> Option<FieldMask> {
    let paths: Vec<&str> = if text.is_empty() { Vec::new() } else { text.split(',').collect() };
    let paths: Option<Vec<String>> = paths.into_iter().map(snake_path).collect();
    paths.filter(|paths| paths.len() <= MAX_LIST).map(|paths| FieldMask { paths })
}

fn snake_path(path: &str) -> Option<String> {
    let mut snake = String::with_capacity(path.len() + 4);
    for letter in path.chars() {
        match letter {
            'A'..='Z' => snake.extend(['_', letter.to_ascii_lowercase()]),
            'a'..='z' | '0'..='9' | '_' | '.' => snake.push(letter),
            _ => return None,
        }
    }
    let is_name = |name: &str| {
        let mut parts = name.split('_');
        let first = parts.next().unwrap_or_default();
        (!first.is_empty() || name.len() > 1)
            && parts.all(|part| part.starts_with(|letter: char| letter.is_ascii_lowercase()))
    };
    snake.split('.').all(is_name).then_some(snake)
}

/// Nanoseconds of the digits after a decimal point.
fn nanos(digits: &str) -> Option<i32> {
    if digits.len() > 9 || !is_digits(digits) {
        return None;
    }
    format!("{digits:0<9}").parse().ok()
}

/// The number that exactly `width` digits spell.
fn number(digits: &str, width: usize) -> Option<i64> {
    (digits.len() == width && is_digits(digits)).then(|| digits.parse().ok())?
}
