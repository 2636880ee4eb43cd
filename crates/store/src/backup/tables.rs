//! What there is to copy: read from the schema, so that no table and no column can be forgotten.

use rusqlite::Connection;

use crate::{
    StoreError,
    engine::sqlite::{MIGRATIONS, migrate},
};

/// A table, as both engines have it.
#[derive(Debug, PartialEq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in their order.
    pub columns: Vec<Column>,
    /// The names of the columns that its rows are kept in the order of.
    pub key: Vec<String>,
    /// How many rows it has from the start.
    pub rows_from_the_start: i64,
}

/// A column.
#[derive(Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A number of 64 bits.
    Integer,
    /// A text.
    Text,
    /// Bytes; on PostgreSQL perhaps a uuid, which travels as 16 bytes, too.
    Blob,
}

impl Table {
    /// The names of its columns, as a statement lists them.
    pub fn column_list(&self) -> String {
        self.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// The tables of the schema after its first `version` migrations: each after those that it refers to.
pub fn tables(version: u32) -> Result<Vec<Table>, StoreError> {
    let mut connection = Connection::open_in_memory()?;
    migrate(&mut connection, &MIGRATIONS[..version as usize])?;
    let mut names = texts(
        &connection,
        "select name from pragma_table_list
         where schema = 'main' and type = 'table' and name not like 'sqlite\\_%' escape '\\'
         order by name",
        "",
    )?;
    let mut tables: Vec<Table> = Vec::with_capacity(names.len());
    while !names.is_empty() {
        let mut later = Vec::new();
        let before = tables.len();
        for name in names {
            let mut needs = texts(&connection, "select \"table\" from pragma_foreign_key_list($1)", &name)?;
            needs.retain(|needed| *needed != name && tables.iter().all(|table| table.name != *needed));
            if needs.is_empty() {
                tables.push(table(&connection, name)?);
            } else {
                later.push(name);
            }
        }
        if tables.len() == before {
            return Err(StoreError::Inconsistent(format!("tables refer to each other: {later:?}")));
        }
        names = later;
    }
    Ok(tables)
}

fn table(connection: &Connection, name: String) -> Result<Table, StoreError> {
    let mut statement = connection.prepare("select name, type from pragma_table_info($1) order by cid")?;
    let mut rows = statement.query([&name])?;
    let mut columns = Vec::new();
    while let Some(row) = rows.next()? {
        let (column, kind): (String, String) = (row.get(0)?, row.get(1)?);
        let kind = match kind.to_ascii_lowercase().as_str() {
            "integer" => Kind::Integer,
            "text" => Kind::Text,
            "blob" => Kind::Blob,
            other => {
                return Err(StoreError::Inconsistent(format!("{name}.{column} is of the type {other}")));
            }
        };
        columns.push(Column { name: column, kind });
    }
    let key = texts(connection, "select name from pragma_table_info($1) where pk > 0 order by pk", &name)?;
    let rows_from_the_start =
        connection.query_row(&format!("select count(*) from {name}"), [], |row| row.get(0))?;
    Ok(Table { name, columns, key, rows_from_the_start })
}

/// The first column of an answer; `value` is for `$1`, where the statement has one.
fn texts(connection: &Connection, sql: &str, value: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare(sql)?;
    if statement.parameter_count() > 0 {
        statement.raw_bind_parameter(1, value)?;
    }
    let mut rows = statement.raw_query();
    let mut texts = Vec::new();
    while let Some(row) = rows.next()? {
        texts.push(row.get(0)?);
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::postgres;

    #[test]
    fn every_version_has_its_tables_after_those_they_refer_to() {
        assert_eq!(MIGRATIONS.len(), postgres::MIGRATIONS.len(), "the schemas have the same versions");
        for version in 1..=MIGRATIONS.len() {
            let tables = tables(version.try_into().expect("a handful")).expect("reads");
            let place = |name| tables.iter().position(|table| table.name == name).expect("is listed");
            assert!(place("device_groups") < place("devices"));
            assert!(place("devices") < place("device_keys"));
            assert!(place("tasks") < place("task_targets"));
            assert_eq!(tables[place("device_groups")].rows_from_the_start, 2);
            assert_eq!(tables[place("task_targets")].key, ["task_uuid", "kind", "position"]);
        }
    }
}
