//! An extent of VMware that holds only what was written: a directory of tables of grains. The grains of a
//! streamOptimized extent are compressed one by one, with a small head before each, and its directory is named by a
//! footer, because it was written from front to end.

use std::{io, sync::Arc};

use super::{
    super::{
        BlockRead, Cache, Cached, by_chunk, damaged,
        inflate::{Compression, inflate},
        le16, le32, le64, read_up_to,
    },
    ContainerError, Context, LONGEST_DESCRIPTOR, MAGIC, SECTOR, WHAT,
};

/// The flags of the head.
const TESTS_NEWLINES: u32 = 1;
const HAS_ZERO_GRAINS: u32 = 1 << 2;
const IS_COMPRESSED: u32 = 1 << 16;

/// What the directory's place is in the head when it is in the footer.
const IN_FOOTER: u64 = u64::MAX;

/// The largest grain that is read, in sectors: 2 MiB. VMware's have 128.
const LARGEST_GRAIN: u64 = 4096;

#[derive(Debug)]
pub(super) struct Extent {
    pub(super) disk: Sparse,
    pub(super) descriptor: Option<Vec<u8>>,
    pub(super) notes: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Sparse {
    file: Arc<dyn BlockRead>,
    /// The same file; its small reads are kept.
    tables: Cached,
    cache: Arc<Cache>,
    /// What inflated grains are kept under.
    owner: u32,
    size: u64,
    /// In bytes.
    grain: u64,
    grains_per_table: u64,
    /// Where the directory lies.
    directory: u64,
    has_zero_grains: bool,
    is_compressed: bool,
}

pub(super) fn open(file: Arc<dyn BlockRead>, context: &Context<'_>) -> Result<Extent, ContainerError> {
    let mut head = [0; 512];
    file.read_at(0, &mut head)?;
    let mut notes = Vec::new();
    if head.get(72) == Some(&1) {
        notes.push("the VMDK image was not closed; what can be read of it is read".to_owned());
    }
    let descriptor = descriptor(file.as_ref(), &head)?;
    if le64(&head, 56) == IN_FOOTER {
        // The last sector ends the stream; the footer is the one before.
        let at = file.len().checked_sub(2 * SECTOR);
        file.read_at(at.ok_or_else(cut_off)?, &mut head)?;
        if !head.starts_with(MAGIC) || le64(&head, 56) == IN_FOOTER {
            return Err(cut_off());
        }
    }
    let (version, flags) = (le32(&head, 4), le32(&head, 8));
    if !(1..=3).contains(&version) {
        return Err(ContainerError::unsupported(WHAT, format!("version {version} is not known")));
    }
    if flags & TESTS_NEWLINES != 0 && head.get(73..77) != Some(b"\n \r\n") {
        let detail = "line ends in it were converted: it was copied as text; copy it again as it is";
        return Err(ContainerError::damaged(WHAT, detail));
    }
    let is_compressed = flags & IS_COMPRESSED != 0;
    if is_compressed && le16(&head, 77) != 1 {
        return Err(ContainerError::unsupported(
            WHAT,
            format!("compression {} is not known", le16(&head, 77)),
        ));
    }
    let (capacity, grain, grains_per_table) = (le64(&head, 12), le64(&head, 20), u64::from(le32(&head, 44)));
    if !grain.is_power_of_two()
        || grain > LARGEST_GRAIN
        || grains_per_table == 0
        || grains_per_table > 1 << 20
    {
        let detail =
            format!("grains of {grain} sectors in tables of {grains_per_table}; 128 and 512 are usual");
        return Err(ContainerError::damaged(WHAT, detail));
    }
    let size = capacity.checked_mul(SECTOR).filter(|&size| size <= i64::MAX as u64);
    let size =
        size.ok_or_else(|| ContainerError::damaged(WHAT, format!("{capacity} sectors are not possible")))?;
    let directory = le64(&head, 56).checked_mul(SECTOR).filter(|&at| at < file.len());
    let directory =
        directory.ok_or_else(|| ContainerError::damaged(WHAT, "its grain directory lies nowhere"))?;
    let disk = Sparse {
        tables: Cached::new(Arc::clone(&file), context.cache),
        file,
        cache: Arc::clone(context.cache),
        owner: context.cache.owner(),
        size,
        grain: grain * SECTOR,
        grains_per_table,
        directory,
        has_zero_grains: flags & HAS_ZERO_GRAINS != 0,
        is_compressed,
    };
    Ok(Extent { disk, descriptor, notes })
}

fn cut_off() -> ContainerError {
    ContainerError::damaged(WHAT, "its footer is not there: the file is cut off; copy it again")
}

fn descriptor(file: &dyn BlockRead, head: &[u8]) -> Result<Option<Vec<u8>>, ContainerError> {
    let (at, sectors) = (le64(head, 28), le64(head, 36));
    let (Some(at), Some(length)) = (at.checked_mul(SECTOR), sectors.checked_mul(SECTOR)) else {
        return Err(ContainerError::damaged(WHAT, "its descriptor lies nowhere"));
    };
    if at == 0 || length == 0 {
        return Ok(None);
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(LONGEST_DESCRIPTOR);
    Ok(Some(read_up_to(file, at, length)?))
}

impl Sparse {
    /// The sector where a grain begins; 0 for one that was never written, 1 for one of zeros.
    fn place(&self, grain: u64) -> io::Result<u32> {
        let table = self.entry(self.directory, grain / self.grains_per_table)?;
        match table {
            0 => Ok(0),
            table => self.entry(u64::from(table) * SECTOR, grain % self.grains_per_table),
        }
    }

    fn entry(&self, table: u64, number: u64) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.tables.read_at(table.saturating_add(number * 4), &mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn read_compressed(&self, grain: u64, place: u64, within: u64, part: &mut [u8]) -> io::Result<()> {
        let kept = match self.cache.get(self.owner, grain) {
            // A whole grain is part of a large file, which is read once.
            None if part.len() as u64 == self.grain => return self.inflate(grain, place, part),
            Some(kept) => kept,
            None => self.cache.get_or_make(self.owner, grain, || {
                let mut output = vec![0; self.grain as usize];
                self.inflate(grain, place, &mut output).map(|()| output)
            })?,
        };
        let within = within as usize;
        part.copy_from_slice(&kept[within..within + part.len()]);
        Ok(())
    }

    /// Reads a grain: 8 bytes with its first sector on the disk, 4 with its length, then the compressed bytes.
    fn inflate(&self, grain: u64, place: u64, output: &mut [u8]) -> io::Result<()> {
        const HEAD: usize = 12;
        // Most grains shrink: one read gets head and bytes.
        let mut input = read_up_to(self.file.as_ref(), place, HEAD + self.grain as usize)?;
        let (sector, length) = (le64(&input, 0), le32(&input, 8) as usize);
        // Bytes that do not shrink grow by a little.
        if sector.checked_mul(SECTOR) != grain.checked_mul(self.grain)
            || length > 2 * self.grain as usize + 1024
        {
            return Err(damaged(format!("grain {grain} has the head of another one")));
        }
        if HEAD + length > input.len() {
            input = read_up_to(self.file.as_ref(), place, HEAD + length)?;
        }
        let bytes =
            input.get(HEAD..HEAD + length).ok_or_else(|| damaged(format!("grain {grain} is cut off")))?;
        inflate(Compression::Zlib, bytes, output)
    }
}

impl BlockRead for Sparse {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        by_chunk(self.size, self.grain, offset, buffer, |grain, within, part| match self.place(grain)? {
            0 => {
                part.fill(0);
                Ok(())
            }
            1 if self.has_zero_grains => {
                part.fill(0);
                Ok(())
            }
            sector if self.is_compressed => {
                self.read_compressed(grain, u64::from(sector) * SECTOR, within, part)
            }
            sector => self.file.read_at(u64::from(sector) * SECTOR + within, part),
        })
    }
}
