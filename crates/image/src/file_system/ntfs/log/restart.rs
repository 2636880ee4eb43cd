//! The two restart pages at the front of the log: where its records lie, and where its user, the file system, begins.

use super::{
    super::{
        super::{ReadError, disk::Fields as _},
        record::mend,
    },
    LogFile, damaged,
};

/// No client.
const NOBODY: u16 = u16::MAX;

/// `NTFS`, the name of the only client that Windows has, in UTF-16.
const CLIENT: &[u8] = b"N\0T\0F\0S\0";

/// Sizes that hold for the whole log.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// How long a page is.
    pub page: u64,
    /// Where the records begin; copies of pages lie before.
    pub first: u64,
    /// Where they end.
    pub end: u64,
    /// How many bits of a record's number (LSN) say where it lies, in steps of eight bytes; the others count how often
    /// the log was begun anew.
    pub place_bits: u32,
    /// How long the head of a record is.
    pub head: usize,
    /// Where the records begin in a page.
    pub data: usize,
    /// Version 2 has more copies of pages.
    pub is_second: bool,
}

/// What the restart pages say about a log that was in use.
#[derive(Clone, Copy, Debug)]
pub struct Restart {
    pub layout: Layout,
    /// The last record that surely is there.
    pub current: u64,
    /// The client's checkpoint.
    pub checkpoint: u64,
    /// How records of the client are told from others: their count and index.
    pub client: (u16, u16),
}

/// Reads the newer of the two pages; `None` when the log is empty or was closed.
pub fn find(log: &mut LogFile) -> Result<Option<Restart>, ReadError> {
    let mut found: Option<(u64, Page)> = None;
    let mut was_written = false;
    for place in [0_u64, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536] {
        let Some(page) = read(log, place)? else { continue };
        was_written |= page.iter().take(4).any(|&byte| byte != 0xff && byte != 0);
        // Written by chkdsk, which makes the log obsolete.
        if page.get(..4) == Some(b"CHKD") && place == 0 {
            return Ok(None);
        }
        let Some(page) = Page::check(page, place) else { continue };
        if found.as_ref().is_none_or(|(newest, _)| page.area().u64(0) > *newest) {
            found = Some((page.area().u64(0), page));
        }
    }
    match found {
        None if was_written => Err(damaged("it has no restart page that is whole")),
        None => Ok(None),
        Some((_, page)) => page.restart(log.size()),
    }
}

fn read(log: &mut LogFile, place: u64) -> Result<Option<Vec<u8>>, ReadError> {
    let mut page = vec![0; 512];
    if place.saturating_add(512) > log.size() {
        return Ok(None);
    }
    log.read(place, &mut page)?;
    let size = page.u32(16);
    if page.get(..4) == Some(b"RSTR") && size.is_power_of_two() && (512..=64 << 10).contains(&size) {
        page.resize(usize::try_from(size).unwrap_or(512), 0);
        if place.saturating_add(size.into()) > log.size() {
            return Ok(None);
        }
        log.read(place, &mut page)?;
    }
    Ok(Some(page))
}

/// A restart page whose fields agree.
struct Page {
    bytes: Vec<u8>,
    /// Where the restart area begins.
    area: usize,
}

impl Page {
    fn check(mut bytes: Vec<u8>, place: u64) -> Option<Self> {
        let size = u64::from(bytes.u32(16));
        if bytes.get(..4) != Some(b"RSTR") || size != bytes.len() as u64 || place != 0 && place != size {
            return None;
        }
        let area = usize::from(bytes.u16(24));
        let is_whole = mend(&mut bytes);
        let page = Self { bytes, area };
        let clients = usize::from(page.area().u16(22)) + usize::from(page.area().u16(8)) * 160;
        let end = area + clients.max(usize::from(page.area().u16(20)));
        // A page that was written in part is good when all that counts lies in its first sector.
        (area >= 30 && end <= page.bytes.len() && (is_whole || end <= 510)).then_some(page)
    }

    fn area(&self) -> &[u8] {
        self.bytes.get(self.area..).unwrap_or_default()
    }

    fn restart(&self, size: u64) -> Result<Option<Restart>, ReadError> {
        let area = self.area();
        let (clients, first_used, flags) = (area.u16(8), area.u16(12), area.u16(14));
        if first_used == NOBODY || flags & 2 != 0 {
            return Ok(None);
        }
        let (minor, major) = (self.bytes.u16(26), self.bytes.u16(28));
        if !matches!((major, minor), (1, 1) | (2, 0)) {
            return Err(ReadError::Unsupported(format!(
                "version {major}.{minor} of the log; 1.1 and 2.0 are"
            )));
        }
        let page = u64::from(self.bytes.u32(20));
        if page != u64::from(self.bytes.u32(16)) {
            return Err(ReadError::Unsupported("a log whose pages differ in size".into()));
        }
        let layout = Layout {
            page,
            first: page * if major == 2 { 34 } else { 4 },
            end: area.u64(24) / page * page,
            place_bits: 64_u32.checked_sub(area.u32(16)).ok_or_else(|| damaged("its numbers"))?,
            head: area.u16(36).into(),
            data: area.u16(38).into(),
            is_second: major == 2,
        };
        layout.check(area.u64(24), size)?;
        let mut index = first_used;
        for _ in 0..clients {
            let start = usize::from(area.u16(22)) + usize::from(index) * 160;
            let client = area.get(start..start + 160).filter(|_| index < clients);
            let client = client.ok_or_else(|| damaged("its list of clients"))?;
            if client.u32(28) == 8 && client.get(32..40) == Some(CLIENT) {
                return Ok(Some(Restart {
                    layout,
                    current: area.u64(0),
                    checkpoint: client.u64(8),
                    client: (client.u16(20), index),
                }));
            }
            index = client.u16(18);
            if index == NOBODY {
                break;
            }
        }
        Err(damaged("its user is not NTFS"))
    }
}

impl Layout {
    fn check(&self, claimed: u64, size: u64) -> Result<(), ReadError> {
        let page = usize::try_from(self.page).unwrap_or(0);
        // The bits for the place are as many as the size needs, and three fewer.
        let fits = (1..=61).contains(&self.place_bits) && claimed >> (self.place_bits + 3) == 0;
        if !fits || claimed > size || claimed > 1 << 32 || self.end <= self.first {
            return Err(damaged("it is not as long as it says"));
        }
        if !(48..=page / 4).contains(&self.head) || !self.head.is_multiple_of(8) {
            return Err(damaged("the head of its records"));
        }
        if !(40..=page / 2).contains(&self.data) || !self.data.is_multiple_of(8) {
            return Err(damaged("the head of its pages"));
        }
        Ok(())
    }

    /// The page after the one at `place`, and whether that is the first one again.
    pub fn after(&self, place: u64) -> (u64, bool) {
        let next = place.saturating_add(self.page);
        if next >= self.end { (self.first, true) } else { (next, false) }
    }
}
