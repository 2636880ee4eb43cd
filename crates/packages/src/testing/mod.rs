//! What the tests of the formats have in common: a file in memory with neighbours, and reading it.

pub(crate) mod programs;

use std::collections::BTreeMap;
use std::io;

use crate::format::{Format, Found, Input, Source};
use crate::package::Package;

/// A file in memory.
#[derive(Default)]
pub(crate) struct File<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) siblings: BTreeMap<&'static str, Vec<u8>>,
    /// How many bytes were read.
    pub(crate) read: u64,
}

impl Source for File<'_> {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read_at(offset, buffer)?;
        self.read += read as u64;
        Ok(read)
    }

    fn sibling(&mut self, name: &[u8], at_most: u64) -> io::Result<Option<Vec<u8>>> {
        let sibling = self.siblings.iter().find(|(sibling, _)| sibling.as_bytes() == name);
        match sibling.map(|(_, bytes)| bytes.clone()) {
            Some(bytes) if bytes.len() as u64 > at_most => Err(io::ErrorKind::FileTooLarge.into()),
            sibling => Ok(sibling),
        }
    }
}

/// What a reader found, and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) packages: Vec<Package>,
    pub(crate) limits: Vec<String>,
    /// Empty when all is well.
    pub(crate) error: String,
}

/// Reads a file as the format does.
pub(crate) fn read(format: &Format, path: &str, mut file: File<'_>) -> Outcome {
    let mut outcome = Outcome { packages: Vec::new(), limits: Vec::new(), error: String::new() };
    let mut input = Input { path: path.as_bytes(), source: &mut file };
    let result = (format.read)(&mut input, &mut |found| match found {
        Found::Package(package) => outcome.packages.push(package),
        Found::Limit(limit) => outcome.limits.push(limit),
    });
    outcome.error = result.err().map(|error| error.to_string()).unwrap_or_default();
    outcome
}

/// Reads bytes without neighbours; names and versions of what was found, and the error, which may be empty.
pub(crate) fn names(format: &Format, bytes: &[u8]) -> (Vec<String>, String) {
    let outcome = read(format, "/file", File { bytes, ..File::default() });
    let names = outcome
        .packages
        .iter()
        .map(|package| format!("{} {}", package.name, package.version).trim().to_owned());
    (names.collect(), outcome.error)
}

/// A header of rpm with texts and, when it is not 0, an epoch.
pub(crate) fn rpm_header(texts: &[(u32, &str)], epoch: u32) -> Vec<u8> {
    let (mut index, mut data) = (Vec::new(), Vec::new());
    let mut entry = |tag: u32, kind: u32, bytes: &[u8]| {
        let offset = u32::try_from(data.len()).expect("short");
        index.extend([tag, kind, offset, 1].iter().flat_map(|word| word.to_be_bytes()));
        data.extend_from_slice(bytes);
    };
    if epoch != 0 {
        entry(1003, 4, &epoch.to_be_bytes());
    }
    for (tag, text) in texts {
        entry(*tag, 6, format!("{text}\0").as_bytes());
    }
    let counts =
        [index.len() / 16, data.len()].map(|count| u32::try_from(count).expect("short").to_be_bytes());
    [counts.concat(), index, data].concat()
}
