//! Statements on SQLite. Each is prepared once per connection and kept.

use rusqlite::{
    Connection, Row, Statement, ToSql,
    types::{ToSqlOutput, ValueRef},
};

use crate::{StoreError, engine::Value};

/// Carries out a statement; answers how many rows it touched.
pub fn execute(connection: &Connection, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError> {
    let mut statement = prepare(connection, sql, values)?;
    Ok(statement.raw_execute()?)
}

/// All rows, each read by `read`.
pub fn list<T>(
    connection: &Connection,
    sql: &str,
    values: &[Value<'_>],
    mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = prepare(connection, sql, values)?;
    let mut rows = statement.raw_query();
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        list.push(read(row)?);
    }
    Ok(list)
}

/// The first row, if there is one.
pub fn find<T>(
    connection: &Connection,
    sql: &str,
    values: &[Value<'_>],
    read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = prepare(connection, sql, values)?;
    let mut rows = statement.raw_query();
    rows.next()?.map(read).transpose()
}

fn prepare<'a>(
    connection: &'a Connection,
    sql: &str,
    values: &[Value<'_>],
) -> Result<rusqlite::CachedStatement<'a>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, values)?;
    Ok(statement)
}

/// `$n` takes value `n`: SQLite numbers parameters by their first appearance, not by their name.
fn bind(statement: &mut Statement<'_>, values: &[Value<'_>]) -> Result<(), StoreError> {
    for place in 1..=statement.parameter_count() {
        let number = statement.parameter_name(place).and_then(|name| name.strip_prefix('$')?.parse().ok());
        let value = number.and_then(|number: usize| values.get(number.checked_sub(1)?));
        let value = value.ok_or_else(|| {
            StoreError::Inconsistent(format!("a statement without a value for its parameter {place}"))
        })?;
        statement.raw_bind_parameter(place, value)?;
    }
    Ok(())
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self {
            Self::Id(id) => id.as_ref().map(|id| ValueRef::Blob(id.as_bytes())),
            Self::Integer(number) => number.map(ValueRef::Integer),
            Self::Text(text) => text.map(|text| ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => bytes.map(ValueRef::Blob),
            Self::Ids(_)
            | Self::Integers(_)
            | Self::OptionalIntegers(_)
            | Self::Texts(_)
            | Self::OptionalBytes(_) => {
                let reason = "SQLite takes the values of one row at a time";
                return Err(rusqlite::Error::ToSqlConversionFailure(reason.into()));
            }
        };
        Ok(ToSqlOutput::Borrowed(value.unwrap_or(ValueRef::Null)))
    }
}
