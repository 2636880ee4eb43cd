//! Import of advisories in the forms in which they are handed out.
//!
//! What a file is, its content tells, not its name: a zip, a tar or a folder of documents, packed with gzip or not; each
//! document OSV, Alpine's secdb, Debian's tracker or one of RustSec's. What cannot be read of it is left out, counted
//! and named; the rest is imported. Files are read as a stream: of a large one, no more than one advisory is in memory.

mod document;
mod files;
mod meter;
mod osv;
mod rustsec;
mod secdb;
mod tally;
mod tracker;

use std::io;

use jiff::Timestamp;

use crate::store::{Origin, Source, Store, StoreError, Writer};

pub use files::Content;
use tally::Tally;
pub use tally::{Skipped, Summary};

/// What is imported.
#[derive(Clone, Debug)]
pub struct Request {
    /// The name of the source, which it replaces.
    pub name: String,
    /// Where it was read, as it is to be remembered.
    pub origin: Origin,
    /// The present moment.
    pub now: Timestamp,
}

/// Why an import failed. The store is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file cannot be read at all.
    #[error("cannot read {place}")]
    Read {
        /// Which file.
        place: String,
        /// Why.
        source: io::Error,
    },
    /// Nothing in it could be read.
    #[error("{place} holds no advisories that can be read; known are OSV (zip, tar, folder, JSON), the JSON of Debian's security tracker, Alpine's secdb and RustSec's advisory-db{}", told(first.as_ref()))]
    Nothing {
        /// What was to be imported.
        place: String,
        /// The first thing that could not be read, and why.
        first: Option<Skipped>,
    },
}

fn told(first: Option<&Skipped>) -> String {
    first.map(|first| format!(": {first}")).unwrap_or_default()
}

/// Imports a source in the place of the one of the same name.
///
/// # Errors
/// Nothing in it can be read, or the store cannot be written; the store is as before then.
pub fn import(store: &mut Store, request: &Request, content: Content) -> Result<Summary, ImportError> {
    let place = content.place().into_owned();
    let source = Source {
        name: request.name.clone(),
        origin: request.origin.clone(),
        imported: request.now,
        checked: request.now,
        ..Source::default()
    };
    store.replace(&source, |writer| {
        let mut intake = Intake { writer, tally: Tally::default() };
        files::each(content, &mut intake)?;
        let Intake { writer, tally } = intake;
        if writer.advisories() == 0 && tally.is_void() {
            return Err(ImportError::Nothing { place, first: tally.into_first() });
        }
        let source = Source {
            format: tally.format(),
            newest: tally.newest(),
            advisories: writer.advisories(),
            packages: writer.packages()?,
            ecosystems: writer.ecosystems(),
            skipped: tally.skipped(),
            ..source.clone()
        };
        Ok((tally.into_summary(source.clone()), source))
    })
}

/// What the readers of formats hand their advisories to.
struct Intake<'w, 't> {
    writer: &'w mut Writer<'t>,
    tally: Tally,
}

/// For the fuzzer: reads a document of any form. Nothing of it is kept.
///
/// # Panics
/// When a reader does, or when there is no memory for an empty store.
#[cfg(any(test, fuzzing))]
pub fn fuzzing(bytes: &[u8]) {
    let store = Store::in_memory();
    let mut store = store.expect("an empty store in memory");
    let request = Request { name: "fuzz".to_owned(), origin: Origin::default(), now: Timestamp::UNIX_EPOCH };
    let _ = import(&mut store, &request, Content::Bytes("fuzz".to_owned(), bytes.to_vec()));
}

#[cfg(test)]
mod tests;
