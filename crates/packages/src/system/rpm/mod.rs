//! rpm: its database in the three forms that rpm has had, read without rpm: SQLite since 4.16, ndb on SUSE, and a hash of
//! Berkeley DB before. All hold the same headers.
//!
//! Readers of our own, because those that exist want a file on a disk, where an image has none, and the engines behind
//! them are C that was not made for databases of an attacker.

mod bdb;
mod header;
mod ndb;
mod sqlite;
mod wal;

use crate::bytes::{Order, fill};
use crate::format::{Claim, Class, Format, Found, Input, ParseError};

/// The database, whatever its form.
pub const DATABASE: Format = Format { name: "rpm-database", class: Class::System, claims, read };

/// A header longer than this is not read. The longest real ones, of kernels and of texts of TeX, have some 10 MiB.
const LONGEST_HEADER: usize = 64 * 1024 * 1024;
/// A database larger than this is not read, in bytes: one with all packages of a distribution is smaller.
const LARGEST: u64 = 2 << 30;

fn claims(claim: &Claim<'_>) -> bool {
    // Fedora and SUSE moved it to usr/lib/sysimage, ostree keeps it in usr/share.
    const FOLDERS: [&[u8]; 3] = [b"/var/lib/rpm", b"/usr/lib/sysimage/rpm", b"/usr/share/rpm"];
    matches!(claim.file_name(), b"rpmdb.sqlite" | b"Packages.db" | b"Packages")
        && FOLDERS.iter().any(|folder| claim.folder().ends_with(folder))
}

fn read(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let mut head = [0; 16];
    let len = fill(input.source, 0, &mut head)?;
    let size = input.source.len();
    if size > LARGEST {
        return Err(ParseError::TooLarge { size, at_most: LARGEST });
    }
    let mut limits = Vec::new();
    let mut damaged = Damaged::default();
    let mut each = |blob: &[u8]| match header::package(blob) {
        Ok(Some(package)) => found(Found::Package(package)),
        Ok(None) => {}
        Err(error) => damaged.add(error),
    };
    let result = if input.path.ends_with(b".sqlite") || head.starts_with(sqlite::MAGIC) {
        sqlite::headers(input, &mut limits, &mut each)
    } else if len == 0 {
        Ok(())
    } else if head.starts_with(ndb::MAGIC) {
        ndb::headers(input, &mut each)
    } else if let Some(order) =
        [Order::Little, Order::Big].into_iter().find(|order| bdb::is_hash(*order, &head))
    {
        bdb::headers(input, order, &mut each)
    } else {
        Err(ParseError::Malformed("this is neither SQLite, nor ndb, nor a hash of Berkeley DB".to_owned()))
    };
    limits.into_iter().for_each(|limit| found(Found::Limit(limit)));
    result.and(damaged.result())
}

/// Headers that could not be read.
#[derive(Default)]
struct Damaged {
    count: u64,
    first: Option<ParseError>,
}

impl Damaged {
    fn add(&mut self, error: ParseError) {
        self.count += 1;
        self.first.get_or_insert(error);
    }

    fn result(self) -> Result<(), ParseError> {
        match self.first {
            None => Ok(()),
            Some(first) => {
                Err(ParseError::Malformed(format!("{} headers cannot be read: {first}", self.count)))
            }
        }
    }
}

#[cfg(test)]
mod tests;
