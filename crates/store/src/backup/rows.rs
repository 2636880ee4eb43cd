//! Rows on their way between the engines. Both speak bytes: what PostgreSQL calls its binary format is a number as 8
//! bytes, a uuid as its 16, a text and bytes as they are.

use rusqlite::{
    Row, Statement,
    types::{ToSqlOutput, ValueRef},
};
use sqlx::{Row as _, ValueRef as _, postgres::PgRow};

use super::tables::{Column, Kind, Table};
use crate::StoreError;

/// What stands before the rows of a binary `COPY`: its signature, no flags, no extension.
pub const COPY_HEAD: [u8; 19] = *b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// What stands after them.
pub const COPY_END: [u8; 2] = (-1_i16).to_be_bytes();

/// Appends a row of SQLite to the data of a `COPY`.
pub fn to_copy(row: &Row<'_>, table: &Table, data: &mut Vec<u8>) -> Result<(), StoreError> {
    let odd = |column: &Column| StoreError::Inconsistent(format!("{}.{}", table.name, column.name));
    let count = i16::try_from(table.columns.len()).expect("a handful");
    data.extend_from_slice(&count.to_be_bytes());
    for (place, column) in table.columns.iter().enumerate() {
        let number;
        let bytes = match (row.get_ref(place)?, column.kind) {
            (ValueRef::Null, _) => {
                data.extend_from_slice(&(-1_i32).to_be_bytes());
                continue;
            }
            (ValueRef::Integer(value), Kind::Integer) => {
                number = value.to_be_bytes();
                number.as_slice()
            }
            (ValueRef::Text(bytes), Kind::Text) | (ValueRef::Blob(bytes), Kind::Blob) => bytes,
            _ => return Err(odd(column)),
        };
        let length = i32::try_from(bytes.len()).map_err(|_| odd(column))?;
        data.extend_from_slice(&length.to_be_bytes());
        data.extend_from_slice(bytes);
    }
    Ok(())
}

/// Gives a row of PostgreSQL to a statement of SQLite that inserts it.
pub fn insert(row: &PgRow, table: &Table, statement: &mut Statement<'_>) -> Result<(), StoreError> {
    for (place, column) in table.columns.iter().enumerate() {
        let value = row.try_get_raw(place).map_err(StoreError::Postgres)?;
        let odd = || StoreError::Inconsistent(format!("{}.{}", table.name, column.name));
        let value = if value.is_null() {
            ValueRef::Null
        } else {
            let bytes = value.as_bytes().map_err(|_| odd())?;
            match column.kind {
                Kind::Integer => ValueRef::Integer(i64::from_be_bytes(bytes.try_into().map_err(|_| odd())?)),
                Kind::Text => ValueRef::Text(bytes),
                Kind::Blob => ValueRef::Blob(bytes),
            }
        };
        statement.raw_bind_parameter(place + 1, ToSqlOutput::Borrowed(value))?;
    }
    statement.raw_execute()?;
    Ok(())
}
