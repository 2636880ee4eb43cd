//! A file in memory, read by whatever format claims it.

use std::io;

use guardhouse_packages::{Claim, Format, Found, Input, Package, ParseError, Source, formats};

/// A file in memory.
pub struct Memory<'a>(pub &'a [u8]);

impl Source for Memory<'_> {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.0.get(offset..)).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn sibling(&mut self, _: &[u8], _: u64) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }
}

/// The format that claims a file of this path.
pub fn format(path: &str) -> Option<&'static Format> {
    let claim = Claim { path: path.as_bytes(), size: 1, executable: false };
    let mut formats = formats().filter(|format| (format.claims)(&claim));
    let format = formats.next();
    assert!(formats.next().is_none(), "two formats claim {path}");
    format
}

/// Everything that is found in a file.
pub fn found(path: &str, bytes: &[u8]) -> (Vec<Found>, Result<(), ParseError>) {
    let format = format(path).unwrap_or_else(|| panic!("no format claims {path}"));
    let mut found = Vec::new();
    let mut source = Memory(bytes);
    let mut input = Input { path: path.as_bytes(), source: &mut source };
    let result = (format.read)(&mut input, &mut |what| found.push(what));
    (found, result)
}

/// The packages of a file that is right, and in which no bound is reached.
pub fn packages(path: &str, bytes: &[u8]) -> Vec<Package> {
    let (found, result) = found(path, bytes);
    result.unwrap_or_else(|error| panic!("{path}: {error}"));
    found
        .into_iter()
        .map(|found| match found {
            Found::Package(package) => package,
            Found::Limit(what) => panic!("{path}: {what}"),
        })
        .collect()
}

/// `name version` of each package, sorted.
pub fn names(path: &str, bytes: impl AsRef<[u8]>) -> Vec<String> {
    let packages = packages(path, bytes.as_ref());
    let mut names: Vec<_> =
        packages.iter().map(|package| format!("{} {}", package.name, package.version)).collect();
    names.sort();
    names
}

/// Why a file is refused.
pub fn refusal(path: &str, bytes: impl AsRef<[u8]>) -> String {
    found(path, bytes.as_ref()).1.expect_err(path).to_string()
}
