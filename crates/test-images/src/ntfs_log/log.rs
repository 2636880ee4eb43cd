//! Writes `$LogFile` as Windows does: records over pages, round and round, with two restart pages and copies of the last
//! page in front.

/// How long a page is.
pub const PAGE: usize = 4096;

/// Where the records begin in a page, and how long their heads are.
const DATA: usize = 64;
const HEAD: usize = 48;

/// The two versions that Windows writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 1.1.
    One,
    /// 2.0, since Windows 8.
    Two,
}

impl Version {
    fn first_page(self) -> usize {
        if self == Self::One { 4 } else { 34 }
    }
}

/// What a record begins with.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Head {
    pub undo_next: u64,
    pub previous: u64,
    pub is_checkpoint: bool,
    pub transaction: u32,
}

/// How the last page is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastPage {
    /// In its place, with a copy in front.
    Whole,
    /// In its place in part; the copy in front is whole.
    Torn,
}

/// A log that is being written.
#[derive(Debug)]
pub(super) struct Log {
    pub version: Version,
    /// Without the protection of sectors.
    bytes: Vec<u8>,
    at: usize,
    round: u64,
    /// Where the page is that is being written, and where the one before.
    page: Option<usize>,
    before: Option<usize>,
    pub last: u64,
    last_length: u32,
    pub checkpoint: u64,
    pub oldest: u64,
}

pub(super) fn put(bytes: &mut [u8], at: usize, new: &[u8]) {
    bytes[at..at + new.len()].copy_from_slice(new);
}

impl Log {
    /// A log of that many bytes, whose first record is `before` bytes away from the end.
    pub fn new(version: Version, size: usize, before: usize) -> Self {
        let at = (size - before) / PAGE * PAGE - PAGE + DATA;
        let mut log = Self {
            version,
            bytes: vec![0xff; size],
            at,
            round: 5,
            page: None,
            before: None,
            last: 0,
            last_length: 0,
            checkpoint: 0,
            oldest: 0,
        };
        // A page that was written earlier, and does not count any more.
        log.write(Head { transaction: 24, ..Head::default() }, &[0; PAGE - DATA - HEAD]);
        log.oldest = 0;
        log
    }

    fn place_bits(&self) -> u32 {
        64 - self.sequence_bits()
    }

    fn sequence_bits(&self) -> u32 {
        67 - (usize::BITS - self.bytes.len().leading_zeros())
    }

    /// Goes on to the next page.
    fn turn(&mut self) {
        let next = (self.at - 1) / PAGE * PAGE + PAGE;
        self.at = next + DATA;
        if next >= self.bytes.len() {
            self.at = self.version.first_page() * PAGE + DATA;
            self.round += 1;
        }
    }

    /// Begins a page; what an earlier round left in it stays behind the records.
    fn begin(&mut self) {
        let start = self.at / PAGE * PAGE;
        if self.page == Some(start) {
            return;
        }
        self.before = self.page.replace(start);
        let last = self.last;
        let page = &mut self.bytes[start..start + PAGE];
        page[..DATA].fill(0);
        put(page, 0, b"RCRD\x28\0\x09\0");
        put(page, 20, &[1, 0, 1, 0]);
        put(page, 32, &last.to_le_bytes());
        put(page, 40, &[7, 0]);
    }

    /// Writes a record; returns its number.
    pub fn write(&mut self, head: Head, data: &[u8]) -> u64 {
        assert!(data.len().is_multiple_of(8));
        if PAGE - self.at % PAGE < HEAD || self.at.is_multiple_of(PAGE) {
            self.turn();
        }
        let number = (self.at as u64) >> 3 | self.round << self.place_bits();
        let is_long = self.at % PAGE + HEAD + data.len() > PAGE;
        let mut record = vec![0; HEAD];
        put(&mut record, 0, &number.to_le_bytes());
        put(&mut record, 8, &head.previous.to_le_bytes());
        put(&mut record, 16, &head.undo_next.to_le_bytes());
        put(&mut record, 24, &(data.len() as u32).to_le_bytes());
        put(&mut record, 32, &[if head.is_checkpoint { 2 } else { 1 }]);
        put(&mut record, 36, &head.transaction.to_le_bytes());
        put(&mut record, 40, &[u8::from(is_long)]);
        record.extend_from_slice(data);
        self.last = number;
        self.last_length = data.len() as u32;
        let mut rest = record.as_slice();
        loop {
            self.begin();
            let start = self.at / PAGE * PAGE;
            let (part, next) = rest.split_at(rest.len().min(start + PAGE - self.at));
            put(&mut self.bytes, self.at, part);
            self.at += part.len();
            rest = next;
            let end = self.at - start;
            let page = &mut self.bytes[start..start + PAGE];
            put(page, 8, &number.to_le_bytes());
            if rest.is_empty() {
                put(page, 16, &[1]);
                put(page, 24, &(end as u16).to_le_bytes());
                put(page, 32, &number.to_le_bytes());
                break;
            }
            self.turn();
        }
        if head.is_checkpoint {
            self.checkpoint = number;
        }
        if self.oldest == 0 {
            self.oldest = number;
        }
        number
    }

    /// The bytes of the file, when the machine stops now.
    pub fn file(&self, last_page: LastPage) -> Vec<u8> {
        let mut file = self.bytes.clone();
        for page in file.chunks_exact_mut(PAGE).filter(|page| page.starts_with(b"RCRD")) {
            protect(page);
        }
        let home = (self.at - 1) / PAGE * PAGE;
        // Two places are used in turn: for the page before, and for the last one.
        let (older, newer) = if self.version == Version::One { (2, 3) } else { (18, 2) };
        for (number, home) in [(older, self.before.unwrap_or(home)), (newer, home)] {
            let mut page = self.bytes[home..home + PAGE].to_vec();
            if self.version == Version::One {
                put(&mut page, 8, &(home as u64).to_le_bytes());
            } else {
                put(&mut page, 60, &(home as u32).to_le_bytes());
            }
            protect(&mut page);
            put(&mut file, number * PAGE, &page);
        }
        if last_page == LastPage::Torn {
            // The later sectors are those of an earlier write.
            file[home + 510] ^= 0xff;
        }
        put(&mut file, 0, &self.restart_page());
        put(&mut file, PAGE, &self.restart_page());
        file
    }

    fn restart_page(&self) -> Vec<u8> {
        let mut page = vec![0; PAGE];
        put(&mut page, 0, b"RSTR\x1e\0\x09\0");
        put(&mut page, 16, &(PAGE as u32).to_le_bytes());
        put(&mut page, 20, &(PAGE as u32).to_le_bytes());
        put(&mut page, 24, &48_u16.to_le_bytes());
        let (major, minor): (u16, u16) = if self.version == Version::One { (1, 1) } else { (2, 0) };
        put(&mut page, 26, &minor.to_le_bytes());
        put(&mut page, 28, &major.to_le_bytes());
        put(&mut page, 30, &[9, 0]);
        let area = &mut page[48..];
        put(area, 0, &self.last.to_le_bytes());
        put(area, 8, &[1, 0, 0xff, 0xff, 0, 0, 0, 0]);
        put(area, 16, &self.sequence_bits().to_le_bytes());
        put(area, 20, &(64_u16 + 160).to_le_bytes());
        put(area, 22, &64_u16.to_le_bytes());
        put(area, 24, &(self.bytes.len() as u64).to_le_bytes());
        put(area, 32, &self.last_length.to_le_bytes());
        put(area, 36, &[HEAD as u8, 0, DATA as u8, 0, 1]);
        let client = &mut area[64..];
        put(client, 0, &self.oldest.to_le_bytes());
        put(client, 8, &self.checkpoint.to_le_bytes());
        put(client, 16, &[0xff; 4]);
        put(client, 28, &[8]);
        put(client, 32, b"N\0T\0F\0S\0");
        protect(&mut page);
        page
    }
}

/// Puts the number at the end of every sector, and what was there into the array.
pub fn protect(bytes: &mut [u8]) {
    let array = usize::from(bytes[4]) | usize::from(bytes[5]) << 8;
    for sector in 0..bytes.len() / 512 {
        let end = sector * 512 + 510;
        bytes.copy_within(end..end + 2, array + 2 + sector * 2);
        bytes.copy_within(array..array + 2, end);
    }
}

/// The opposite of [`protect`].
pub fn mend(bytes: &mut [u8]) {
    let array = usize::from(bytes[4]) | usize::from(bytes[5]) << 8;
    for sector in 0..bytes.len() / 512 {
        let end = sector * 512 + 510;
        assert_eq!(bytes[end..end + 2], bytes[array..array + 2]);
        bytes.copy_within(array + 2 + sector * 2..array + 4 + sector * 2, end);
    }
}
