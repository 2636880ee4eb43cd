//! Reads single values: numbers, texts, enums, bytes.
//!
//! The errors are descriptions that follow the name of a field: what would be right, and what was found.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, Value};
use serde_json::{Number, Value as Json};
use uuid::Uuid;

use crate::descriptors;

/// How many characters of a wrong value a description repeats.
const SHOWN: usize = 40;

/// How many values an enum may have for a description to list them all.
const LISTED: usize = 8;

/// Reads a value of a type that is no message.
pub(super) fn read(kind: &Kind, json: &Json) -> Result<Value, String> {
    let integer = |min, max| integer(json, min, max);
    match kind {
        Kind::Bool => {
            let value = json.as_bool().ok_or_else(|| format!("must be true or false, not {}", shown(json)));
            value.map(Value::Bool)
        }
        Kind::String => string(json).map(|text| Value::String(text.to_owned())),
        Kind::Bytes => bytes(json).map(|bytes| Value::Bytes(bytes.into())),
        Kind::Enum(descriptor) => enumeration(descriptor, json).map(Value::EnumNumber),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            integer(i32::MIN.into(), i32::MAX.into()).map(|number| Value::I32(number as i32))
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            integer(i64::MIN.into(), i64::MAX.into()).map(|number| Value::I64(number as i64))
        }
        Kind::Uint32 | Kind::Fixed32 => integer(0, u32::MAX.into()).map(|number| Value::U32(number as u32)),
        Kind::Uint64 | Kind::Fixed64 => integer(0, u64::MAX.into()).map(|number| Value::U64(number as u64)),
        Kind::Double => float(json, f64::MAX).map(Value::F64),
        Kind::Float => float(json, f32::MAX.into()).map(|number| Value::F32(number as f32)),
        Kind::Message(_) => Err("must be an object".to_owned()),
    }
}

/// Reads a value of a type that is no message from the text of a path, a query or a key.
pub(super) fn parse(kind: &Kind, text: &str) -> Result<Value, String> {
    match kind {
        // Python clients write the name of the constant: `True`.
        Kind::Bool if text == "1" || text.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
        Kind::Bool if text == "0" || text.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
        Kind::Enum(_) => match whole(text) {
            Some(number) => read(kind, &Json::from(i64::try_from(number).unwrap_or(i64::MAX))),
            None => read(kind, &Json::from(text)),
        },
        _ => read(kind, &Json::from(text)),
    }
}

/// Checks what the option of a field demands beyond its type: a uuid comes out hyphenated and in lower case.
pub(super) fn checked(field: &FieldDescriptor, value: Value) -> Result<Value, String> {
    match value {
        Value::String(text) if descriptors::is_uuid(field) && !text.is_empty() => {
            let hyphenated = text.len() == uuid::fmt::Hyphenated::LENGTH;
            let uuid = Uuid::try_parse(&text).ok().filter(|_| hyphenated);
            let uuid = uuid.ok_or_else(|| {
                format!("must be a uuid such as 01234567-89ab-cdef-0123-456789abcdef, not {}", quoted(&text))
            });
            uuid.map(|uuid| Value::String(uuid.hyphenated().to_string()))
        }
        value => Ok(value),
    }
}

fn string(json: &Json) -> Result<&str, String> {
    let text = json.as_str().ok_or_else(|| format!("must be a string, not {}", shown(json)))?;
    without_nul(text)?;
    Ok(text)
}

/// Refuses U+0000, which neither the database nor a command line of a device can carry.
pub(super) fn without_nul(text: &str) -> Result<(), String> {
    if text.contains('\0') { Err("must not contain the character U+0000".to_owned()) } else { Ok(()) }
}

fn bytes(json: &Json) -> Result<Vec<u8>, String> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
    const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

    let expected = || format!("must be base64 text, not {}", shown(json));
    let text = json.as_str().ok_or_else(expected)?;
    let engine = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
    engine.decode(text).map_err(|_| expected())
}

fn enumeration(descriptor: &EnumDescriptor, json: &Json) -> Result<i32, String> {
    let value = match json {
        Json::String(name) => descriptor.get_value_by_name(name),
        Json::Number(number) => whole(&number.to_string())
            .and_then(|number| i32::try_from(number).ok())
            .and_then(|number| descriptor.get_value(number)),
        _ => None,
    };
    value.map(|value| value.number()).ok_or_else(|| {
        let names: Vec<_> = descriptor.values().map(|value| value.name().to_owned()).collect();
        let expected = if names.len() <= LISTED {
            names.join(", ")
        } else {
            let (count, name) = (names.len(), descriptor.name());
            format!("the {count} names of {name}, such as {} or {}", names[0], names[1])
        };
        format!("must be one of {expected}, not {}", shown(json))
    })
}

fn integer(json: &Json, min: i128, max: i128) -> Result<i128, String> {
    let number = match json {
        Json::Number(number) => whole(&number.to_string()),
        Json::String(text) => whole(text),
        _ => None,
    };
    number
        .filter(|number| (min..=max).contains(number))
        .ok_or_else(|| format!("must be an integer from {min} to {max}, not {}", shown(json)))
}

/// The integer that `text` spells, also as `1e2` or `1.0`; more digits than an `i128` holds saturate, since
/// they are beyond every range.
fn whole(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if is_digits(digits) {
        let beyond = if digits.len() < text.len() { i128::MIN } else { i128::MAX };
        return Some(text.parse().unwrap_or(beyond));
    }
    let number = decimal(text).filter(|number| number.fract() == 0.0)?;
    Some(number as i128)
}

/// The finite number that `text` spells by JSON's grammar.
fn decimal(text: &str) -> Option<f64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let number: Number = is_number.then(|| serde_json::from_str(text).ok())??;
    number.as_f64().filter(|number| number.is_finite())
}

/// Whether `text` is one or more ASCII digits.
pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn float(json: &Json, max: f64) -> Result<f64, String> {
    let number = match json {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => match text.as_str() {
            "NaN" => return Ok(f64::NAN),
            "Infinity" => return Ok(f64::INFINITY),
            "-Infinity" => return Ok(f64::NEG_INFINITY),
            text => decimal(text),
        },
        _ => None,
    };
    number
        .filter(|number| number.abs() <= max)
        .ok_or_else(|| format!("must be a number from {:e} to {max:e}, not {}", -max, shown(json)))
}

/// A wrong value as a description shows it: short, and safe to print.
pub(super) fn shown(json: &Json) -> String {
    match json {
        Json::Object(_) => "an object".to_owned(),
        Json::Array(_) => "a list".to_owned(),
        Json::String(text) => quoted(text),
        Json::Null | Json::Bool(_) | Json::Number(_) => json.to_string(),
    }
}

/// A text in quotes: escaped, and cut where it is long.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}
