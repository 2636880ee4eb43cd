//! One transaction of either engine, as the verbs see it.

use std::fmt::Display;

use uuid::Uuid;

use crate::{
    StoreError,
    engine::{Column, Value, postgres, sqlite},
};

/// A transaction. Statements are the same for both engines unless a verb asks which one it is on.
///
/// Statements are written in this crate and never made of input: what varies travels as a [`Value`].
pub enum Transaction<'a> {
    /// On SQLite.
    Sqlite(&'a rusqlite::Connection),
    /// On PostgreSQL.
    Postgres(&'a postgres::Session),
}

/// One row of an answer.
pub enum Row<'a> {
    /// Of SQLite.
    Sqlite(&'a rusqlite::Row<'a>),
    /// Of PostgreSQL.
    Postgres(&'a sqlx::postgres::PgRow),
}

impl Transaction<'_> {
    /// Carries out a statement; answers how many rows it touched.
    pub fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError> {
        match self {
            Self::Sqlite(connection) => sqlite::execute(connection, sql, values),
            Self::Postgres(session) => session.execute(sql, values),
        }
    }

    /// All rows of an answer, each read by `read`.
    pub fn list<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        match self {
            Self::Sqlite(connection) => sqlite::list(connection, sql, values, |row| read(&Row::Sqlite(row))),
            Self::Postgres(session) => {
                session.list(sql, values)?.iter().map(|row| read(&Row::Postgres(row))).collect()
            }
        }
    }

    /// The first row of an answer, if there is one.
    pub fn find<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match self {
            Self::Sqlite(connection) => sqlite::find(connection, sql, values, |row| read(&Row::Sqlite(row))),
            Self::Postgres(session) => {
                session.find(sql, values)?.map(|row| read(&Row::Postgres(&row))).transpose()
            }
        }
    }

    /// Whether an answer has rows.
    pub fn exists(&self, sql: &str, values: &[Value<'_>]) -> Result<bool, StoreError> {
        Ok(self.find(sql, values, |_| Ok(()))?.is_some())
    }

    /// Reads rows so that nobody changes them before this transaction ends: `sql` with the lock clause where the
    /// engine has one. SQLite has one writer at a time, and needs none.
    pub fn locking(&self, sql: &str, lock: &str) -> String {
        match self {
            Self::Sqlite(_) => sql.to_owned(),
            Self::Postgres(_) => format!("{sql} {lock}"),
        }
    }

    /// Keeps those who pass the gate alone out until this transaction ends.
    pub fn pass_beside(&self, gate: Gate) -> Result<(), StoreError> {
        if let Self::Postgres(session) = self {
            session.find("select pg_advisory_xact_lock_shared($1)", &[gate.number().into()])?;
        }
        Ok(())
    }

    /// Keeps everybody else who passes the gate out until this transaction ends. SQLite has one writer at a time
    /// anyway.
    pub fn pass_alone(&self, gate: Gate) -> Result<(), StoreError> {
        if let Self::Postgres(session) = self {
            session.find("select pg_advisory_xact_lock($1)", &[gate.number().into()])?;
        }
        Ok(())
    }
}

/// Where transactions wait for each other, however many replicas there are.
#[derive(Debug, Clone, Copy)]
pub enum Gate {
    /// Of the schema.
    Schema,
    /// Of the tree of groups: alone who changes the tree, beside each other those who need a group to stay.
    GroupTree,
    /// Of the device that has a key.
    DeviceKey(i64),
    /// Of the ranks of policies: alone who changes a stack. It is passed after the gate of the tree of groups.
    PolicyRanks,
    /// Of the assets of agentless scans: alone who puts some into a task. It is passed before anything is locked.
    AgentlessAssets,
    /// Of the whitelist of vulnerabilities: alone who changes it, beside each other those who keep what a scan found. It
    /// is passed before anything is locked.
    VulnerabilityWhitelist,
    /// Of what is taken for good among malicious files: alone who changes it, or what became of files; beside each other
    /// those who keep what a scan found. It is passed after that of the whitelist of vulnerabilities, and before anything is
    /// locked.
    MaliciousWhitelist,
    /// Of webhooks: alone who adds one, so that they can be counted.
    AgentlessWebhooks,
}

impl Gate {
    /// Of the device that has the key with this digest.
    pub fn device_key(digest: &[u8; 32]) -> Self {
        let (number, _) = digest.split_first_chunk().expect("32 bytes");
        Self::DeviceKey(i64::from_be_bytes(*number))
    }

    /// The number of its advisory lock. Other programs do not use the database; two gates that happen to have one
    /// number let fewer pass, and nothing else.
    pub fn number(self) -> i64 {
        match self {
            Self::Schema => 0x4775_0001,
            Self::GroupTree => 0x4775_0002,
            Self::PolicyRanks => 0x4775_0003,
            Self::AgentlessAssets => 0x4775_0004,
            Self::VulnerabilityWhitelist => 0x4775_0005,
            Self::MaliciousWhitelist => 0x4775_0006,
            Self::AgentlessWebhooks => 0x4775_0010,
            Self::DeviceKey(number) => number,
        }
    }
}

impl Row<'_> {
    /// The column at `place`, counted from 0.
    pub fn get<T: Column>(&self, place: usize) -> Result<T, StoreError> {
        T::read(self, place)
    }

    pub(super) fn id(&self, place: usize) -> Result<Option<Uuid>, StoreError> {
        match self {
            Self::Sqlite(row) => {
                let bytes: Option<[u8; 16]> = row.get(place)?;
                Ok(bytes.map(Uuid::from_bytes))
            }
            Self::Postgres(row) => postgres::id(row, place),
        }
    }

    pub(super) fn integer(&self, place: usize) -> Result<Option<i64>, StoreError> {
        match self {
            Self::Sqlite(row) => Ok(row.get(place)?),
            Self::Postgres(row) => postgres::column(row, place),
        }
    }

    pub(super) fn text(&self, place: usize) -> Result<Option<String>, StoreError> {
        match self {
            Self::Sqlite(row) => Ok(row.get(place)?),
            Self::Postgres(row) => postgres::column(row, place),
        }
    }

    pub(super) fn bytes(&self, place: usize) -> Result<Option<Vec<u8>>, StoreError> {
        match self {
            Self::Sqlite(row) => Ok(row.get(place)?),
            Self::Postgres(row) => postgres::column(row, place),
        }
    }

    pub(super) fn missing(&self, place: usize) -> StoreError {
        self.odd(place, &"nothing")
    }

    pub(super) fn odd(&self, place: usize, found: &dyn Display) -> StoreError {
        StoreError::Inconsistent(format!("column {place} of an answer holds {found}"))
    }
}
