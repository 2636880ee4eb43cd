//! Changed bytes over a disk that is not written: what the replay of a log would have put into its places.

use std::{collections::BTreeMap, io, sync::Arc};

use super::{ReadError, disk::Disk};
use crate::block::BlockRead;

/// How many bytes are kept together.
const BLOCK: u64 = 4096;

/// A disk, and the blocks of it that are newer here.
#[derive(Debug)]
pub(super) struct Overlay {
    below: Arc<dyn BlockRead>,
    blocks: BTreeMap<u64, Vec<u8>>,
    /// How many blocks may differ.
    most: usize,
}

impl Overlay {
    /// Nothing has changed yet; `most` bytes may.
    pub fn new(below: Disk, most: u64) -> Self {
        let most = usize::try_from(most / BLOCK).unwrap_or(usize::MAX);
        Self { below: below.into_inner(), blocks: BTreeMap::new(), most }
    }

    /// Replaces bytes.
    ///
    /// # Errors
    /// When they lie beyond the end of the disk, or more changed than may.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), ReadError> {
        let end = offset.checked_add(bytes.len() as u64).filter(|&end| end <= self.below.len());
        let end = end.ok_or_else(|| {
            ReadError::Damaged(format!("a change at {offset}, beyond the end of the volume"))
        })?;
        let mut rest = bytes;
        for number in offset / BLOCK..end.div_ceil(BLOCK) {
            let start = number * BLOCK;
            let from = offset.max(start);
            let Some((piece, next)) =
                part(end.min(start + BLOCK) - from).and_then(|n| rest.split_at_checked(n))
            else {
                break;
            };
            rest = next;
            let block = self.block(number)?;
            if let Some(place) = part(from - start).and_then(|from| block.get_mut(from..from + piece.len())) {
                place.copy_from_slice(piece);
            }
        }
        Ok(())
    }

    /// A block that may be changed.
    fn block(&mut self, number: u64) -> Result<&mut Vec<u8>, ReadError> {
        if !self.blocks.contains_key(&number) {
            if self.blocks.len() >= self.most {
                let limit = (self.most as u64).saturating_mul(BLOCK);
                return Err(ReadError::Limit { what: "bytes that a log changes", limit });
            }
            let start = number * BLOCK;
            let length = BLOCK.min(self.below.len().saturating_sub(start));
            let mut bytes = vec![0; part(length).unwrap_or(0)];
            self.below.read_at(start, &mut bytes)?;
            self.blocks.insert(number, bytes);
        }
        Ok(self.blocks.entry(number).or_default())
    }
}

impl BlockRead for Overlay {
    fn len(&self) -> u64 {
        self.below.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.below.read_at(offset, buffer)?;
        let end = offset.saturating_add(buffer.len() as u64);
        for (&number, block) in self.blocks.range(offset / BLOCK..end.div_ceil(BLOCK)) {
            let start = number * BLOCK;
            let to = part(start.saturating_sub(offset)).and_then(|skip| buffer.get_mut(skip..));
            let from = part(offset.saturating_sub(start)).and_then(|skip| block.get(skip..));
            let (Some(to), Some(from)) = (to, from) else { continue };
            to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        }
        Ok(())
    }
}

/// A length within a buffer.
fn part(length: u64) -> Option<usize> {
    usize::try_from(length).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fuzzing::Memory;

    proptest! {
        #[test]
        fn what_was_written_last_is_read(
            length in 1_usize..20_000,
            writes in prop::collection::vec((0_u64..20_000, 1_usize..6000, any::<u8>()), 0..8),
        ) {
            let mut expected: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let mut overlay = Overlay::new(Disk::new(Arc::new(Memory(expected.clone()))), 1 << 20);
            for (offset, count, value) in writes {
                let bytes = vec![value; count];
                let range = offset as usize..offset as usize + count;
                let place = expected.get_mut(range);
                prop_assert_eq!(overlay.write(offset, &bytes).is_ok(), place.is_some());
                if let Some(place) = place {
                    place.copy_from_slice(&bytes);
                }
            }
            let mut all = vec![0; length];
            overlay.read_at(0, &mut all)?;
            prop_assert_eq!(&all, &expected);
            let (from, to) = (length / 3, length - length / 4);
            overlay.read_at(from as u64, &mut all[from..to])?;
            prop_assert_eq!(&all, &expected);
        }
    }

    #[test]
    fn more_than_may_change_is_told() {
        let mut overlay = Overlay::new(Disk::new(Arc::new(Memory(vec![0; 1 << 16]))), 2 * BLOCK);
        assert!(overlay.write(BLOCK - 1, &[1; 2]).is_ok());
        assert!(overlay.write(0, &[2; 5000]).is_ok());
        let error = overlay.write(4 * BLOCK, &[1]).expect_err("a third block");
        assert_eq!(error.to_string(), "more than 8192 bytes that a log changes");
    }
}
