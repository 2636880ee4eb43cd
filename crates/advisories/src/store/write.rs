//! Writing a source.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    Advisory, AffectedPackage,
    store::{Source, StoreError, from_sqlite, source::text_of},
};

/// Writes the advisories of one source, within a transaction.
pub struct Writer<'a> {
    connection: &'a Connection,
    path: &'a Path,
    source: i64,
    ecosystems: BTreeMap<String, i64>,
    used: BTreeSet<String>,
    advisories: u64,
}

impl std::fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("source", &self.source).finish_non_exhaustive()
    }
}

/// An advisory that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    id: i64,
}

impl<'a> Writer<'a> {
    pub(super) fn begin(
        connection: &'a Connection,
        path: &'a Path,
        source: &Source,
    ) -> Result<Self, StoreError> {
        let begin = || {
            remove(connection, &source.name)?;
            connection.query_row(
                "insert into source (name, about) values (?1, '{}') returning id",
                [&source.name],
                |row| row.get(0),
            )
        };
        let source = begin().map_err(|error| from_sqlite(path, error))?;
        let (ecosystems, used) = (BTreeMap::new(), BTreeSet::new());
        Ok(Self { connection, path, source, ecosystems, used, advisories: 0 })
    }

    /// Writes an advisory without its packages; `None` when there is one with this id already, which stays.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn advisory(&mut self, advisory: &Advisory) -> Result<Option<Written>, StoreError> {
        let add = || {
            let mut statement = self.connection.prepare_cached(
                "insert into advisory (source, name, aliases, summary, severity, pages)
                 values (?1, ?2, ?3, ?4, ?5, ?6) on conflict do nothing returning id",
            )?;
            let values = params![
                self.source,
                advisory.id,
                text_of(&advisory.aliases)?,
                advisory.summary,
                text_of(&advisory.severity)?,
                text_of(&advisory.references)?,
            ];
            statement.query_row(values, |row| row.get(0)).optional()
        };
        let id = self.told(add())?;
        self.advisories += u64::from(id.is_some());
        Ok(id.map(|id| Written { id }))
    }

    /// The advisory with this id that was written before.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn find(&self, id: &str) -> Result<Option<Written>, StoreError> {
        let find = || {
            let mut statement =
                self.connection.prepare_cached("select id from advisory where source = ?1 and name = ?2")?;
            statement.query_row(params![self.source, id], |row| row.get(0)).optional()
        };
        Ok(self.told(find())?.map(|id| Written { id }))
    }

    /// Writes a package that an advisory is about.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn affected(&mut self, advisory: Written, package: &AffectedPackage) -> Result<(), StoreError> {
        let ecosystem = match self.ecosystems.get(&package.ecosystem) {
            Some(id) => *id,
            None => self.ecosystem(&package.ecosystem)?,
        };
        let add = || {
            let mut statement = self.connection.prepare_cached(
                "insert into affected (ecosystem, name, advisory, place, about)
                 select ?1, ?2, ?3, count(*), ?4 from affected where ecosystem = ?1 and name = ?2 and advisory = ?3",
            )?;
            statement.execute(params![ecosystem, package.name, advisory.id, text_of(&package.affected)?])
        };
        self.told(add())?;
        Ok(())
    }

    fn ecosystem(&mut self, name: &str) -> Result<i64, StoreError> {
        let add = || {
            self.connection.query_row(
                "insert into ecosystem (name) values (?1)
                 on conflict (name) do update set name = excluded.name returning id",
                [name],
                |row| row.get(0),
            )
        };
        let id = self.told(add())?;
        self.ecosystems.insert(name.to_owned(), id);
        self.used.insert(name.to_owned());
        Ok(id)
    }

    /// How many advisories were written.
    #[must_use]
    pub fn advisories(&self) -> u64 {
        self.advisories
    }

    /// The ecosystems of the packages that were written, sorted.
    #[must_use]
    pub fn ecosystems(&self) -> Vec<String> {
        self.used.iter().cloned().collect()
    }

    /// How many packages were written, each counted once per ecosystem.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn packages(&self) -> Result<u64, StoreError> {
        self.told(self.connection.query_row(
            "select count(*) from (
                 select distinct ecosystem, affected.name from affected
                 join advisory on advisory.id = affected.advisory where source = ?1)",
            [self.source],
            |row| row.get(0),
        ))
    }

    pub(super) fn finish(self, source: &Source) -> Result<(), StoreError> {
        let update = || {
            let about = text_of(source)?;
            self.connection.execute("update source set about = ?2 where id = ?1", params![self.source, about])
        };
        self.told(update())?;
        Ok(())
    }

    fn told<T>(&self, result: rusqlite::Result<T>) -> Result<T, StoreError> {
        result.map_err(|error| from_sqlite(self.path, error))
    }
}

/// Removes a source; whether there was one of that name.
pub fn remove(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let id: Option<i64> =
        connection.query_row("select id from source where name = ?1", [name], |row| row.get(0)).optional()?;
    let Some(id) = id else { return Ok(false) };
    connection.execute(
        "delete from affected where advisory in (select id from advisory where source = ?1)",
        [id],
    )?;
    connection.execute("delete from advisory where source = ?1", [id])?;
    connection.execute("delete from source where id = ?1", [id])?;
    connection.execute(
        "delete from ecosystem where not exists (select 1 from affected where ecosystem = ecosystem.id)",
        [],
    )?;
    Ok(true)
}
