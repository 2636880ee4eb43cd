//! Reading arbitrary files, for the fuzz target and for the properties that do the same within bounds.

use std::io;

use crate::format::{Claim, Format, Found, Input, Source, formats};
use crate::purl::purl;

/// A file, and the one file beside it, which has whatever name is asked for.
struct File<'a> {
    bytes: &'a [u8],
    beside: &'a [u8],
}

impl Source for File<'_> {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read_at(offset, buffer)
    }

    fn sibling(&mut self, _name: &[u8], at_most: u64) -> io::Result<Option<Vec<u8>>> {
        match self.beside {
            [] => Ok(None),
            beside if beside.len() as u64 > at_most => Err(io::ErrorKind::FileTooLarge.into()),
            beside => Ok(Some(beside.to_vec())),
        }
    }
}

/// Takes a path up to the first end of line, two bytes that say how long the file beside is (the low one first), that file,
/// and the file. Reads it in the formats that claim the path, or, when none does, in the one that the first byte picks.
///
/// # Panics
/// A package has no name, or one that its URL cannot bear.
pub fn read(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (path, rest) = bytes.split_at(end);
    let Some(([_, low, high], rest)) = rest.split_first_chunk() else { return };
    let (beside, bytes) = rest.split_at(rest.len().min(usize::from(u16::from_le_bytes([*low, *high]))));
    let claim = Claim { path, size: bytes.len() as u64, executable: path.ends_with(b"bin") };
    let claims: Vec<&Format> = formats().filter(|format| (format.claims)(&claim)).collect();
    let picked = path.first().and_then(|byte| formats().nth(usize::from(*byte) % formats().count()));
    for format in if claims.is_empty() { picked.into_iter().collect() } else { claims } {
        let mut source = File { bytes, beside };
        let _ = (format.read)(&mut Input { path, source: &mut source }, &mut |found| {
            if let Found::Package(package) = found {
                let url = purl(&package, "debian", "12");
                assert!(!package.name.is_empty() && url.is_ascii(), "{}: {package:?}: {url}", format.name);
            }
        });
    }
}

#[cfg(test)]
mod tests;
