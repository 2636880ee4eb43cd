//! Reading what there is on a package.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OptionalExtension as _};

use crate::{
    Advisory, Affected,
    store::{
        Source, StoreError, from_sqlite, open_to_read,
        source::{self, parse},
    },
};

/// The store, as it was when it was opened.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    path: PathBuf,
    ecosystems: BTreeMap<String, i64>,
}

/// An advisory, and the name of its source.
#[derive(Clone, Debug)]
pub struct AdvisoryRow {
    pub source: String,
    pub advisory: Advisory,
}

impl Reader {
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = open_to_read(path)?;
        let begin = || {
            // Everything is read in one transaction: an import that ends in the middle of a scan is for the next one.
            connection.execute_batch("begin")?;
            let mut statement = connection.prepare("select name, id from ecosystem")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<rusqlite::Result<_>>()
        };
        let ecosystems = begin().map_err(|error| from_sqlite(path, error))?;
        Ok(Self { connection, path: path.to_owned(), ecosystems })
    }

    pub fn sources(&self) -> Result<Vec<Source>, StoreError> {
        self.told(source::list(&self.connection))
    }

    pub fn has(&self, ecosystem: &str) -> bool {
        self.ecosystems.contains_key(ecosystem)
    }

    /// What advisories say of a package: the number of each advisory, and which versions.
    pub fn affected(&self, ecosystem: &str, name: &str) -> Result<Vec<(i64, Affected)>, StoreError> {
        let Some(ecosystem) = self.ecosystems.get(ecosystem) else { return Ok(Vec::new()) };
        let read = || {
            let mut statement = self.connection.prepare_cached(
                "select advisory, about from affected where ecosystem = ?1 and name = ?2
                 order by advisory, place",
            )?;
            let mut rows = statement.query((ecosystem, name))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push((row.get(0)?, parse(row.get_ref(1)?.as_str()?)?));
            }
            Ok(found)
        };
        self.told(read())
    }

    /// An advisory by its number.
    pub fn advisory(&self, number: i64) -> Result<Option<AdvisoryRow>, StoreError> {
        let read = || {
            let mut statement = self.connection.prepare_cached(
                "select source.name, advisory.name, aliases, summary, severity, pages
                 from advisory join source on source.id = advisory.source where advisory.id = ?1",
            )?;
            let row = |row: &rusqlite::Row<'_>| {
                Ok(AdvisoryRow {
                    source: row.get(0)?,
                    advisory: Advisory {
                        id: row.get(1)?,
                        aliases: parse(row.get_ref(2)?.as_str()?)?,
                        summary: row.get(3)?,
                        severity: parse(row.get_ref(4)?.as_str()?)?,
                        references: parse(row.get_ref(5)?.as_str()?)?,
                    },
                })
            };
            statement.query_row([number], row).optional()
        };
        self.told(read())
    }

    fn told<T>(&self, result: rusqlite::Result<T>) -> Result<T, StoreError> {
        result.map_err(|error| from_sqlite(&self.path, error))
    }
}
