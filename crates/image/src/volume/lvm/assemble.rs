//! Groups put together out of their physical volumes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    PhysicalVolume,
    map::{Mapped, Segment, Stripes},
    text::{Section, Value, parse},
};
use crate::{
    block::BlockRead,
    volume::{Reason, Refusal},
};

/// The unit of sizes in the text, in bytes.
const SECTOR: u64 = 512;

/// A logical volume that the administrator sees.
#[derive(Debug)]
pub(crate) struct LogicalVolume {
    /// `group/volume`.
    pub(crate) name: String,
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) content: LogicalContent,
}

#[derive(Debug)]
pub(crate) enum LogicalContent {
    Disk(Arc<dyn BlockRead>),
    /// Space for other volumes, which are in the list themselves. The word for it.
    Pool(&'static str),
    Refused(Refusal),
}

/// The groups on some physical volumes.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    pub(crate) volumes: Vec<LogicalVolume>,
    pub(crate) notes: Vec<String>,
    /// The physical volumes that a group names, by their ids.
    pub(crate) claimed: BTreeSet<String>,
}

/// Puts groups together.
pub(crate) fn assemble(disks: &[PhysicalVolume]) -> Groups {
    let mut groups = Groups::default();
    let mut found = BTreeMap::<&str, &PhysicalVolume>::new();
    for disk in disks {
        groups.notes.extend(disk.notes.iter().cloned());
        if found.contains_key(disk.uuid.as_str()) {
            groups.notes.push(format!(
                "the LVM2 physical volume {} is there twice; the first one is read",
                disk.uuid
            ));
            continue;
        }
        found.insert(&disk.uuid, disk);
    }
    // The newest text of each group, by the group's id: names can be the same on two disks.
    let mut newest = BTreeMap::<String, (u64, String, Section)>::new();
    for text in found.values().filter_map(|disk| disk.text.as_deref()) {
        match group(text) {
            Ok((name, section)) => {
                let id = section.text("id").unwrap_or(&name).to_owned();
                let sequence = section.number("seqno").unwrap_or(0);
                if newest.get(&id).is_none_or(|(before, ..)| *before < sequence) {
                    newest.insert(id, (sequence, name, section));
                }
            }
            Err(detail) => groups.notes.push(format!("LVM2 metadata that cannot be read: {detail}")),
        }
    }
    for (_, name, section) in newest.values() {
        Group::new(section, &found, &mut groups.claimed).volumes(name, &mut groups.volumes);
    }
    groups
}

/// The one section of a text that is a group, with its name.
fn group(text: &[u8]) -> Result<(String, Section), String> {
    let text = parse(text)?;
    let mut sections = text.sections();
    let (name, section) = sections.next().ok_or("there is no group in it")?;
    Ok((name.to_owned(), section.clone()))
}

struct Group<'a> {
    section: &'a Section,
    /// How long an extent is, in bytes.
    extent: u64,
    /// By the name that the text has for it: the disk, when it is there, and where its extents begin.
    disks: BTreeMap<&'a str, (Option<&'a PhysicalVolume>, u64, String)>,
}

impl<'a> Group<'a> {
    fn new(
        section: &'a Section,
        found: &BTreeMap<&str, &'a PhysicalVolume>,
        claimed: &mut BTreeSet<String>,
    ) -> Self {
        let extent =
            section.number("extent_size").and_then(|sectors| sectors.checked_mul(SECTOR)).unwrap_or(0);
        let mut disks = BTreeMap::new();
        for (name, disk) in section.section("physical_volumes").into_iter().flat_map(Section::sections) {
            let uuid: String =
                disk.text("id").unwrap_or_default().chars().filter(|&letter| letter != '-').collect();
            let start = disk.number("pe_start").and_then(|sectors| sectors.checked_mul(SECTOR)).unwrap_or(0);
            let there = found.get(uuid.as_str()).copied().filter(|_| !disk.lists("flags", "MISSING"));
            let device = disk.text("device").unwrap_or("?");
            disks.insert(name, (there, start, format!("{uuid}, which was {device}")));
            claimed.insert(uuid);
        }
        Self { section, extent, disks }
    }

    fn volumes(&self, group: &str, volumes: &mut Vec<LogicalVolume>) {
        let logical = || self.section.section("logical_volumes").into_iter().flat_map(Section::sections);
        // What changed since a snapshot is kept in a volume that looks like any other.
        let changes: BTreeSet<&str> = logical()
            .flat_map(|(_, volume)| volume.sections())
            .filter(|(_, segment)| segment.text("type") == Some("snapshot"))
            .flat_map(|(_, segment)| [segment.text("cow_store"), segment.text("merging_store")])
            .flatten()
            .collect();
        for (name, volume) in logical().filter(|(_, volume)| volume.lists("status", "VISIBLE")) {
            let (size, content) = if changes.contains(name) {
                (self.size(volume), LogicalContent::Refused(unsupported("snapshot")))
            } else {
                (self.size(volume), self.content(volume))
            };
            volumes.push(LogicalVolume { name: format!("{group}/{name}"), size, content });
        }
    }

    fn segments(volume: &Section) -> impl Iterator<Item = &Section> {
        volume.sections().filter(|(name, _)| name.starts_with("segment")).map(|(_, segment)| segment)
    }

    fn size(&self, volume: &Section) -> u64 {
        let extents = Self::segments(volume).filter_map(|segment| segment.number("extent_count"));
        extents.fold(0, u64::saturating_add).saturating_mul(self.extent)
    }

    fn content(&self, volume: &Section) -> LogicalContent {
        let pool = Self::segments(volume).find_map(|segment| match segment.text("type") {
            Some("thin-pool") => Some("lvm2 thin pool"),
            Some("cache-pool") => Some("lvm2 cache pool"),
            Some("vdo-pool") => Some("lvm2 vdo pool"),
            _ => None,
        });
        if let Some(word) = pool {
            return LogicalContent::Pool(word);
        }
        match self.map(volume, false) {
            Ok(mapped) => LogicalContent::Disk(Arc::new(mapped)),
            Err(refusal) => LogicalContent::Refused(refusal),
        }
    }

    /// `is_copy` says that the volume is one that a mirror keeps its bytes in.
    fn map(&self, volume: &Section, is_copy: bool) -> Result<Mapped, Refusal> {
        let mut segments = Vec::new();
        for segment in Self::segments(volume) {
            let kind = segment.text("type").unwrap_or("?");
            let stripes = match kind {
                "striped" | "linear" => self.stripes(segment)?,
                "zero" => Vec::new(),
                "raid1" | "mirror" if !is_copy => vec![self.copy(segment, kind)?],
                kind => return Err(unsupported(kind)),
            };
            let bytes = |name: &str| segment.number(name)?.checked_mul(self.extent);
            let (Some(start), Some(length)) = (bytes("start_extent"), bytes("extent_count")) else {
                return Err(damaged("a segment has no place"));
            };
            if start > 0 && matches!(kind, "raid1" | "mirror") {
                return Err(unsupported("mirror in several parts"));
            }
            let stripe =
                segment.number("stripe_size").and_then(|sectors| sectors.checked_mul(SECTOR)).unwrap_or(0);
            segments.push(Segment { start, length, stripes, stripe });
        }
        // Their names, by which the text has them, count as texts: 10 is before 9.
        segments.sort_by_key(|segment| segment.start);
        let mut mapped = Mapped::default();
        for segment in segments {
            mapped.push(segment).ok_or_else(|| damaged("its segments do not follow each other"))?;
        }
        Ok(mapped)
    }

    /// One of the copies that a mirror keeps of its bytes: the first that is there as a whole.
    fn copy(&self, segment: &Section, kind: &str) -> Result<Stripes, Refusal> {
        let volumes = self.section.section("logical_volumes");
        // Each copy comes with a volume that says how far it is written, or with the extent that it begins at: the first.
        let (copies, place) = if kind == "raid1" { ("raids", 1) } else { ("mirrors", 0) };
        let mut refusal = None;
        for copy in segment.list(copies).chunks(2) {
            let Some(Value::Text(name)) = copy.get(place) else {
                return Err(damaged("a copy of a mirror is no volume"));
            };
            let Some(volume) = volumes.and_then(|volumes| volumes.section(name)) else {
                return Err(damaged("a copy of a mirror is a volume that the group does not have"));
            };
            // Still being made out of the others.
            if volume.lists("status", "REBUILD") {
                continue;
            }
            match self.map(volume, true) {
                Ok(mapped) => return Ok(Stripes { disk: Arc::new(mapped), start: 0 }),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        Err(refusal.unwrap_or_else(|| damaged("a mirror has no copy that is whole")))
    }

    fn stripes(&self, segment: &Section) -> Result<Vec<Stripes>, Refusal> {
        let mut stripes = Vec::new();
        for pair in segment.list("stripes").chunks(2) {
            let [Value::Text(name), Value::Number(first)] = pair else {
                return Err(damaged("a stripe is not a disk and a place on it"));
            };
            let Some((disk, start, who)) = self.disks.get(name.as_str()) else {
                return Err(damaged("a stripe is on a disk that the group does not have"));
            };
            let Some(disk) = disk else {
                let detail =
                    format!("it lies in part on the physical volume {who}; give that disk with --also");
                return Err(Refusal { reason: Reason::Incomplete, what: "LVM2 volume".to_owned(), detail });
            };
            let start = u64::try_from(*first)
                .ok()
                .and_then(|first| first.checked_mul(self.extent)?.checked_add(*start));
            let start = start.ok_or_else(|| damaged("a stripe begins nowhere"))?;
            stripes.push(Stripes { disk: Arc::clone(&disk.disk), start });
        }
        match segment.number("stripe_count") {
            Some(count) if count == stripes.len() as u64 && count > 0 => Ok(stripes),
            _ => Err(damaged("a segment has another number of stripes than it says")),
        }
    }
}

fn damaged(detail: &str) -> Refusal {
    Refusal { reason: Reason::Damaged, what: "LVM2 volume".to_owned(), detail: detail.to_owned() }
}

fn unsupported(kind: &str) -> Refusal {
    let detail =
        "only linear, striped and mirrored volumes are read; scan a snapshot of the volume itself".to_owned();
    Refusal { reason: Reason::Unsupported, what: format!("LVM2 {}", printable(kind)), detail }
}

/// A word of the text, which anyone may have written: short, and escaped where it is no plain ASCII.
fn printable(word: &str) -> String {
    word.chars().take(32).flat_map(char::escape_default).collect()
}
