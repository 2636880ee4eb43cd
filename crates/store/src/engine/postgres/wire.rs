//! How values travel to PostgreSQL and back.

use sqlx::{
    Arguments as _, Decode, Encode, Row as _, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{
        PgArgumentBuffer, PgArguments, PgHasArrayType, PgRow, PgTypeInfo, PgValueFormat, PgValueRef,
        Postgres, types::Oid,
    },
};
use uuid::Uuid;

use crate::{StoreError, engine::Value};

/// Type `uuid` and its array, as `pg_type` numbers them.
const UUID: PgTypeInfo = PgTypeInfo::with_oid(Oid(2950));
const UUID_ARRAY: PgTypeInfo = PgTypeInfo::with_oid(Oid(2951));

/// The values of a statement.
pub fn arguments(values: &[Value<'_>]) -> Result<PgArguments, BoxDynError> {
    let mut arguments = PgArguments::default();
    for value in values {
        match *value {
            Value::Id(id) => arguments.add(id.map(Id)),
            Value::Integer(number) => arguments.add(number),
            Value::Text(text) => arguments.add(text),
            Value::Bytes(bytes) => arguments.add(bytes),
            Value::Ids(ids) => arguments.add(ids.iter().copied().map(Id).collect::<Vec<_>>()),
            Value::Integers(numbers) => arguments.add(numbers),
            Value::OptionalIntegers(numbers) => arguments.add(numbers),
            Value::Texts(texts) => arguments.add(texts),
            Value::OptionalBytes(bytes) => arguments.add(bytes),
        }?;
    }
    Ok(arguments)
}

/// A column that holds an id.
pub fn id(row: &PgRow, place: usize) -> Result<Option<Uuid>, StoreError> {
    Ok(column::<Option<Id>>(row, place)?.map(|id| id.0))
}

/// A column. Its type is not compared first: the schema and the statements are of this crate.
pub fn column<'r, T: Decode<'r, Postgres>>(row: &'r PgRow, place: usize) -> Result<T, StoreError> {
    row.try_get_unchecked(place).map_err(StoreError::Postgres)
}

/// An id on the wire. (The driver's own support would bring its driver for SQLite into the dependencies, which
/// cannot be linked beside ours.)
struct Id(Uuid);

impl Type<Postgres> for Id {
    fn type_info() -> PgTypeInfo {
        UUID
    }
}

impl PgHasArrayType for Id {
    fn array_type_info() -> PgTypeInfo {
        UUID_ARRAY
    }
}

impl Encode<'_, Postgres> for Id {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}

impl Decode<'_, Postgres> for Id {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let id = match value.format() {
            PgValueFormat::Binary => Uuid::from_slice(value.as_bytes()?)?,
            PgValueFormat::Text => value.as_str()?.parse()?,
        };
        Ok(Self(id))
    }
}
