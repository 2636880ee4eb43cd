//! Files with holes: the forms of GNU tar, old and in PAX headers 0.0, 0.1 and 1.0.

use super::{
    Archive, ArchiveError, Entry, Part,
    header::{BLOCK, Header, number},
    pax::{Extended, integer},
};

/// How many parts one file may have.
pub(super) const MOST: usize = 100_000;

/// Whether a map makes sense: parts in order, inside the file, as long as what is kept.
pub(super) fn check(map: &[Part], real: u64, stored: u64) -> Result<(), &'static str> {
    let (mut end, mut sum) = (0_u64, 0_u64);
    for part in map {
        let part_end = part.at.checked_add(part.length).filter(|_| part.at >= end);
        end = part_end.ok_or("the parts of a file with holes lie over each other")?;
        sum = sum.saturating_add(part.length);
    }
    if end > real || sum != stored {
        return Err("the map of a file with holes does not fit the file");
    }
    Ok(())
}

impl Archive {
    /// The map of an old GNU header, the length of the file, and how many bytes of the archive the rest of the map takes.
    pub(super) fn gnu_map(&mut self, header: &Header) -> Result<(Vec<Part>, u64, u64), ArchiveError> {
        let real = number(header.field(483, 12)).and_then(|size| u64::try_from(size).ok());
        let real = real.ok_or_else(|| self.damaged("the length of a file with holes is no number"))?;
        let mut map = Vec::new();
        self.gnu_parts(header.field(386, 4 * 24), &mut map)?;
        let mut more = header.field(482, 1) != [0];
        let mut blocks = 0;
        while more {
            let block = self.block(self.at.saturating_add(blocks))?;
            self.gnu_parts(block.field(0, 21 * 24), &mut map)?;
            more = block.field(504, 1) != [0];
            blocks += BLOCK;
            if map.len() > MOST || blocks > MOST as u64 * 24 {
                return Err(self.damaged("the map of a file with holes is too long"));
            }
        }
        Ok((map, real, blocks))
    }

    fn gnu_parts(&self, fields: &[u8], map: &mut Vec<Part>) -> Result<(), ArchiveError> {
        for pair in fields.chunks_exact(24) {
            let (at, length) = pair.split_at(12);
            if length.first() == Some(&0) {
                break;
            }
            let [at, length] =
                [at, length].map(|field| number(field).and_then(|value| u64::try_from(value).ok()));
            match (at, length) {
                (Some(at), Some(length)) => map.push(Part { at, length }),
                _ => return Err(self.damaged("the map of a file with holes has something else than numbers")),
            }
        }
        Ok(())
    }

    /// Reads the map of a PAX entry: in its headers, or, since 1.0, before its bytes.
    pub(super) fn pax_map(
        &mut self,
        entry: &mut Entry,
        extended: &Extended,
        stored: u64,
    ) -> Result<(), ArchiveError> {
        if let Some(name) = &extended.sparse_name {
            entry.path.clone_from(name);
        }
        let real = extended.sparse_size.unwrap_or(stored);
        match (extended.sparse_major, extended.sparse_minor) {
            (None | Some(0), _) => self.with_holes(entry, extended.sparse_map.clone(), real, stored),
            (Some(1), None | Some(0)) => {
                let (map, taken) = self.map_before_content(entry.data, stored)?;
                entry.data = entry.data.saturating_add(taken);
                self.with_holes(entry, map, real, stored.saturating_sub(taken))
            }
            _ => Err(self.damaged("a file with holes in a form that is not known")),
        }
    }

    /// The map at the beginning of a file's bytes, decimal numbers in lines, filled up to whole blocks: how many parts
    /// there are, then place and length of each.
    fn map_before_content(&self, data: u64, stored: u64) -> Result<(Vec<Part>, u64), ArchiveError> {
        const WRONG: &str = "the map of a file with holes is none";
        let (mut numbers, mut line, mut taken) = (Vec::new(), Vec::new(), 0_u64);
        let mut wanted = 1;
        while numbers.len() < wanted {
            if taken.saturating_add(BLOCK) > stored {
                return Err(self.damaged(WRONG));
            }
            let mut block = [0; BLOCK as usize];
            self.bytes.read_at(data.saturating_add(taken), &mut block)?;
            taken += BLOCK;
            for &byte in &block {
                if numbers.len() == wanted {
                    break;
                }
                if byte != b'\n' {
                    line.push(byte);
                    continue;
                }
                numbers.push(integer(&line).ok_or_else(|| self.damaged(WRONG))?);
                line.clear();
                if let [count] = numbers.as_slice() {
                    let count = usize::try_from(*count).unwrap_or(usize::MAX);
                    if count > MOST {
                        return Err(self.damaged("the map of a file with holes is too long"));
                    }
                    wanted = 1 + 2 * count;
                }
            }
            if line.len() > BLOCK as usize {
                return Err(self.damaged(WRONG));
            }
        }
        let pairs = numbers.get(1..).unwrap_or_default().chunks_exact(2);
        let parts = pairs.filter_map(|pair| Some(Part { at: *pair.first()?, length: *pair.last()? }));
        Ok((parts.collect(), taken))
    }
}
