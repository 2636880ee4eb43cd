//! Values on their way into a statement and out of a row: ids, numbers, texts and bytes, times as microseconds.
//!
//! Both engines keep every number in 64 bits and every flag as 0 or 1, so that the same statement serves both.

use guardhouse_model::{
    AssignmentId, DeviceId, GroupId, PolicyId, RunId, TaskId, TemplateId, Timestamp, TriggerId,
};
use uuid::Uuid;

use crate::{StoreError, engine::Row};

/// A value that a statement takes for `$1`, `$2`, …
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// An id. SQLite keeps it as 16 bytes, PostgreSQL as a uuid.
    Id(Option<Uuid>),
    /// A number, a flag, an enumeration or a time.
    Integer(Option<i64>),
    /// A text.
    Text(Option<&'a str>),
    /// Bytes.
    Bytes(Option<&'a [u8]>),
    /// One id for each of many rows; PostgreSQL only, as an array.
    Ids(&'a [Uuid]),
    /// One number for each of many rows; PostgreSQL only.
    Integers(&'a [i64]),
    /// One number, which may be missing, for each of many rows; PostgreSQL only.
    OptionalIntegers(&'a [Option<i64>]),
    /// One text for each of many rows; PostgreSQL only.
    Texts(&'a [&'a str]),
    /// Some bytes, which may be missing, for each of many rows; PostgreSQL only.
    OptionalBytes(&'a [Option<&'a [u8]>]),
}

/// The values of a statement, each converted.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        &[$($crate::engine::Value::from($value)),*][..]
    };
}
pub(crate) use values;

macro_rules! from_ids {
    ($($name:ident)*) => {$(
        impl From<$name> for Value<'_> {
            fn from(id: $name) -> Self {
                Self::Id(Some(id.0))
            }
        }

        impl Column for $name {
            fn read(row: &Row<'_>, place: usize) -> Result<Self, StoreError> {
                row.id(place)?.map(Self).ok_or_else(|| row.missing(place))
            }
        }

        impl Column for Option<$name> {
            fn read(row: &Row<'_>, place: usize) -> Result<Self, StoreError> {
                Ok(row.id(place)?.map($name))
            }
        }
    )*};
}

from_ids!(AssignmentId DeviceId GroupId PolicyId RunId TaskId TemplateId TriggerId);

impl From<Option<DeviceId>> for Value<'_> {
    fn from(id: Option<DeviceId>) -> Self {
        Self::Id(id.map(|id| id.0))
    }
}

impl From<Option<Uuid>> for Value<'_> {
    fn from(id: Option<Uuid>) -> Self {
        Self::Id(id)
    }
}

impl From<Uuid> for Value<'_> {
    fn from(id: Uuid) -> Self {
        Self::Id(Some(id))
    }
}

macro_rules! from_integers {
    ($($name:ident)*) => {$(
        impl From<$name> for Value<'_> {
            fn from(number: $name) -> Self {
                Self::Integer(Some(number.into()))
            }
        }

        impl Column for $name {
            fn read(row: &Row<'_>, place: usize) -> Result<Self, StoreError> {
                let number = row.integer(place)?.ok_or_else(|| row.missing(place))?;
                number.try_into().map_err(|_| row.odd(place, &number))
            }
        }
    )*};
}

from_integers!(i32 u32 i64);

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Self::Integer(Some(flag.into()))
    }
}

/// Counters and limits: what lies beyond the range of the database counts as its end.
impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self::Integer(Some(i64::try_from(number).unwrap_or(i64::MAX)))
    }
}

impl From<usize> for Value<'_> {
    fn from(number: usize) -> Self {
        Self::Integer(Some(i64::try_from(number).unwrap_or(i64::MAX)))
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(time: Timestamp) -> Self {
        Self::Integer(Some(time.as_microsecond()))
    }
}

impl From<Option<Timestamp>> for Value<'_> {
    fn from(time: Option<Timestamp>) -> Self {
        Self::Integer(time.map(Timestamp::as_microsecond))
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'a> From<&&'a str> for Value<'a> {
    fn from(text: &&'a str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(Some(text))
    }
}

impl<'a> From<&'a Option<String>> for Value<'a> {
    fn from(text: &'a Option<String>) -> Self {
        Self::Text(text.as_deref())
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(Some(bytes))
    }
}

impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Bytes(Some(bytes))
    }
}

impl<'a> From<&'a Option<Vec<u8>>> for Value<'a> {
    fn from(bytes: &'a Option<Vec<u8>>) -> Self {
        Self::Bytes(bytes.as_deref())
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Bytes(Some(bytes))
    }
}

impl<'a, const N: usize> From<&'a Option<[u8; N]>> for Value<'a> {
    fn from(bytes: &'a Option<[u8; N]>) -> Self {
        Self::Bytes(bytes.as_ref().map(|bytes| &bytes[..]))
    }
}

/// What a column of a row can be read as.
pub trait Column: Sized {
    /// Reads the column at `place`, counted from 0.
    ///
    /// # Errors
    /// The column holds something else.
    fn read(row: &Row<'_>, place: usize) -> Result<Self, StoreError>;
}

impl Column for Uuid {
    fn read(row: &Row<'_>, place: usize) -> Result<Self, StoreError> {
        row.id(place)?.ok_or_else(|| row.missing(place))
    }
}

impl Column for Option<i64> {
    fn read(row: &Row<'_>, place: usize) -> Result<Self, StoreError> {
        row.integer(place)
    }
}

impl Column for Option<Uuid> {
    fn read(row: &Row<'_>, place: usize) -> Result<Self, StoreError> {
        row.id(place)
    }
}

impl Column for u64 {
    fn read(row: &Row<'_>, place: usize) -> Result<Self, StoreError> {
        let number = i64::read(row, place)?;
        number.try_into().map_err(|_| row.odd(place, &number))
    }
}

impl Column for bool {
    fn read(row: &Row<'_>, place: usize) -> Result<Self, StoreError> {
        Ok(i64::read(row, place)? != 0)
    }
}

impl Column for Timestamp {
    fn read(row: &Row<'_>, place: usize) -> Result<Self, StoreError> {
        Option::<Self>::read(row, place)?.ok_or_else(|| row.missing(place))
    }
}

impl Column for Option<Timestamp> {
    fn read(row: &Row<'_>, place: usize) -> Result<Self, StoreError> {
        let Some(micros) = row.integer(place)? else { return Ok(None) };
        Timestamp::from_microsecond(micros).map(Some).map_err(|error| row.odd(place, &error))
    }
}

impl Column for String {
    fn read(row: &Row<'_>, place: usize) -> Result<Self, StoreError> {
        row.text(place)?.ok_or_else(|| row.missing(place))
    }
}

impl Column for Option<String> {
    fn read(row: &Row<'_>, place: usize) -> Result<Self, StoreError> {
        row.text(place)
    }
}

impl Column for Vec<u8> {
    fn read(row: &Row<'_>, place: usize) -> Result<Self, StoreError> {
        row.bytes(place)?.ok_or_else(|| row.missing(place))
    }
}

impl Column for Option<Vec<u8>> {
    fn read(row: &Row<'_>, place: usize) -> Result<Self, StoreError> {
        row.bytes(place)
    }
}

impl<const N: usize> Column for [u8; N] {
    fn read(row: &Row<'_>, place: usize) -> Result<Self, StoreError> {
        let bytes = Vec::<u8>::read(row, place)?;
        bytes.try_into().map_err(|bytes: Vec<u8>| row.odd(place, &format_args!("{} bytes", bytes.len())))
    }
}

impl<const N: usize> Column for Option<[u8; N]> {
    fn read(row: &Row<'_>, place: usize) -> Result<Self, StoreError> {
        let Some(bytes) = row.bytes(place)? else { return Ok(None) };
        let found = bytes.try_into();
        found.map(Some).map_err(|bytes: Vec<u8>| row.odd(place, &format_args!("{} bytes", bytes.len())))
    }
}
