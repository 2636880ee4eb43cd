//! What is known of a source as a whole.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};

/// A source of advisories, as it was imported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// `osv`, `debian-tracker`, `alpine-secdb`, `rustsec`; several with `+` between them.
    pub format: String,
    /// Where it was read.
    pub origin: Origin,
    /// When it was imported.
    pub imported: Timestamp,
    /// When it was last seen to be what was imported; later than `imported` when its server said "not changed".
    pub checked: Timestamp,
    /// The newest change in it; `None` when it does not tell.
    pub newest: Option<Timestamp>,
    /// How many advisories.
    pub advisories: u64,
    /// Of how many packages they are, each counted once per ecosystem.
    pub packages: u64,
    /// Their ecosystems, sorted.
    pub ecosystems: Vec<String>,
    /// How many entries could not be read.
    pub skipped: u64,
}

/// Where a source was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Origin {
    /// The file, the folder or the address.
    pub location: String,
    /// What the server called this state of it (`ETag`); empty when it did not.
    pub etag: String,
    /// When it changed, as the server told (`Last-Modified`); empty when it did not.
    pub last_modified: String,
}

/// All sources, by name.
pub fn list(connection: &Connection) -> rusqlite::Result<Vec<Source>> {
    let mut statement = connection.prepare_cached("select about from source order by name")?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    rows.map(|text| parse(&text?)).collect()
}

/// Sets when a source was last looked at.
pub fn touch(connection: &Connection, name: &str, now: Timestamp) -> rusqlite::Result<()> {
    let text: Option<String> = connection
        .query_row("select about from source where name = ?1", [name], |row| row.get(0))
        .optional()?;
    let Some(text) = text else { return Ok(()) };
    let source = Source { checked: now, ..parse(&text)? };
    connection.execute("update source set about = ?2 where name = ?1", (name, text_of(&source)?))?;
    Ok(())
}

pub fn text_of(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

pub fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into())
    })
}
