//! All that lies on a disk: its partitions, the logical volumes on them, and what each holds.

use std::{collections::BTreeSet, io, sync::Arc};

use super::{
    Content, Reason, Refusal, Volume,
    btrfs::{self, Device, Origin},
    lvm::{self, LogicalContent, LogicalVolume, PhysicalVolume},
    probe::{Probed, probe},
    table::{self, Partition, Role, Table},
};
use crate::{
    block::{BlockRead, Section},
    file_system::{self, Kind},
    limits,
};

/// How deep groups of logical volumes may lie in each other: that of a guest, in a volume of its host.
const DEPTH: usize = 2;

/// How much metadata of groups is kept from one disk, in bytes. A thousand partitions may lie over each other, and each
/// look like a physical volume.
const TEXTS: usize = 16 << 20;

/// What was found on a disk.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// In their order on the disk, logical volumes last.
    pub(crate) volumes: Vec<Volume>,
    /// Things to tell.
    pub(crate) notes: Vec<String>,
    /// What is on it and is not read, beside the volumes that are refused.
    pub(crate) left_out: Vec<String>,
    /// The further disks that a group or a file system needed, by their places in the list.
    pub(crate) used: BTreeSet<usize>,
}

/// Looks through the disks of a target, each with a name, which a single disk does without. `further` are disks that may
/// hold other parts of their groups of logical volumes, and other devices of their file systems; nothing else on them is read.
pub(crate) fn find(disks: &[(String, Arc<dyn BlockRead>)], further: &[Arc<dyn BlockRead>]) -> Found {
    let mut finder = Finder::default();
    for (name, disk) in disks {
        finder.disk(disk, name);
    }
    for _ in 0..DEPTH {
        let own = std::mem::take(&mut finder.physical);
        if own.is_empty() {
            break;
        }
        finder.groups(own, further);
    }
    for (place, _) in std::mem::take(&mut finder.physical) {
        if let Some(volume) = finder.found.volumes.get_mut(place) {
            volume.content = Content::Refused(too_deep());
        }
    }
    finder.file_systems(further);
    if finder.left_out > 0 {
        let (left_out, limit) = (finder.left_out, limits::VOLUMES);
        finder
            .found
            .left_out
            .push(format!("there are more than {limit} volumes; {left_out} of them were not read"));
    }
    finder.found
}

/// Looks through a disk for what is part of something on the target, and for nothing else.
fn parts(disk: &Arc<dyn BlockRead>) -> Finder {
    let mut finder = Finder { only_parts: true, ..Finder::default() };
    finder.disk(disk, "");
    finder
}

#[derive(Default)]
struct Finder {
    found: Found,
    /// Physical volumes whose groups are still to be put together, each with the place of its volume in the list.
    physical: Vec<(usize, PhysicalVolume)>,
    /// Devices of file systems that are still to be put together.
    devices: Vec<Device>,
    only_parts: bool,
    /// How long all metadata of groups is together, in bytes.
    texts: usize,
    /// How many volumes are beyond the limit.
    left_out: usize,
}

impl Finder {
    /// Looks through a disk of the target, or through a logical volume, which may be the disk of a guest. `place` is the
    /// name of the disk or the volume, empty for a target that is a single disk.
    fn disk(&mut self, disk: &Arc<dyn BlockRead>, place: &str) {
        let own = if place.is_empty() { "disk" } else { place };
        let table = table::read(disk.as_ref(), &|at| knows(disk, at));
        match table.unwrap_or_else(|error| Some(Err(unreadable(&error)))) {
            Some(Ok(table)) => {
                if place.is_empty() {
                    self.hybrid(disk, &table);
                } else {
                    self.push(own.to_owned(), disk.len(), Partition::default(), Content::Parts("disk"));
                }
                self.table(disk, place, table);
            }
            Some(Err(refusal)) => {
                self.push(own.to_owned(), disk.len(), Partition::default(), Content::Refused(refusal));
            }
            None => self.volume(disk, own.to_owned(), Partition::default()),
        }
    }

    /// Images of CDs often have a table besides, for sticks; it does not lead to their files.
    fn hybrid(&mut self, disk: &Arc<dyn BlockRead>, table: &Table) {
        let is_early = table.partitions.iter().any(|partition| partition.start < 1 << 20);
        match probe(disk.as_ref()) {
            Ok(Probed::Refused(refusal)) if is_early && refusal.what == "iso9660" => {
                self.push("disk".to_owned(), disk.len(), Partition::default(), Content::Refused(refusal));
            }
            _ => {}
        }
    }

    fn table(&mut self, disk: &Arc<dyn BlockRead>, place: &str, mut table: Table) {
        self.found.notes.append(&mut table.notes);
        // The table of a logical volume has a volume of its own already.
        if place.is_empty() && table.partitions.is_empty() && table.refused.is_empty() {
            let content = Content::Nothing("empty partition table");
            self.push("disk".to_owned(), disk.len(), Partition::default(), content);
        }
        table.partitions.sort_by_key(|partition| (partition.start, partition.number));
        let below = |name: String| if place.is_empty() { name } else { format!("{place}, {name}") };
        for partition in table.partitions {
            let (name, length) = (below(format!("partition {}", partition.number)), partition.length);
            if partition.role == Role::Extended {
                self.push(name, length, partition, Content::Parts("extended"));
            } else if partition.start >= disk.len() {
                let detail = format!("it begins at {}, and the disk ends at {}", partition.start, disk.len());
                let refusal = damaged("beyond the end of the disk", detail);
                self.push(name, length, partition, Content::Refused(refusal));
            } else {
                if partition.start.saturating_add(length) > disk.len() {
                    self.found
                        .left_out
                        .push(format!("{name} ends beyond the end of the disk, which is not all there"));
                }
                let section = Section::new(Arc::clone(disk), partition.start, length);
                self.volume(&(Arc::new(section) as Arc<dyn BlockRead>), name, partition);
            }
        }
        for (name, refusal) in table.refused {
            self.push(below(name), 0, Partition::default(), Content::Refused(refusal));
        }
    }

    /// A volume that is no disk itself.
    fn volume(&mut self, disk: &Arc<dyn BlockRead>, place: String, partition: Partition) {
        let content = match probe(disk.as_ref()) {
            Ok(Probed::Lvm) if self.texts > TEXTS => Content::Refused(too_much_metadata()),
            Ok(Probed::Lvm) => match lvm::read(Arc::clone(disk)) {
                Ok(physical) => {
                    self.texts += physical.text.as_ref().map_or(0, Vec::len);
                    self.physical.push((self.found.volumes.len(), physical));
                    Content::Parts("lvm2")
                }
                Err(detail) => Content::Refused(damaged("LVM2 physical volume", detail)),
            },
            Ok(Probed::FileSystem(Kind::Btrfs)) if self.is_device(disk) => Content::Parts("btrfs"),
            _ if self.only_parts => return,
            Ok(Probed::FileSystem(kind)) => match file_system::open(kind, Arc::clone(disk)) {
                Ok(files) => Content::Files(files),
                Err(refusal) => Content::Refused(refusal),
            },
            Ok(Probed::Refused(refusal)) => Content::Refused(refusal),
            Ok(Probed::Nothing(word)) if word != "empty" => Content::Nothing(word),
            Ok(probed) => match partition.role {
                Role::NoFiles(word) => Content::Nothing(word),
                Role::NotRead(word) => Content::Refused(not_read(word)),
                _ if probed == Probed::Nothing("empty") => Content::Nothing("empty"),
                _ => Content::Refused(unknown()),
            },
            Err(error) => Content::Refused(unreadable(&error)),
        };
        self.push(place, disk.len(), partition, content);
    }

    /// Whether a volume is one of several devices of a btrfs, which is put together when all of them are known.
    fn is_device(&mut self, disk: &Arc<dyn BlockRead>) -> bool {
        let member = file_system::btrfs_member(disk).filter(|member| member.devices > 1);
        let origin = Origin::Own(self.found.volumes.len());
        self.devices.extend(member.map(|member| Device { disk: Arc::clone(disk), member, origin }));
        member.is_some()
    }

    fn push(&mut self, place: String, size: u64, partition: Partition, content: Content) {
        if self.found.volumes.len() >= limits::VOLUMES {
            self.left_out += 1;
            return;
        }
        let Partition { uuid: partition_uuid, label: partition_label, .. } = partition;
        self.found.volumes.push(Volume { place, size, partition_uuid, partition_label, content });
    }

    /// Puts groups together, and looks through their logical volumes.
    fn groups(&mut self, own: Vec<(usize, PhysicalVolume)>, further: &[Arc<dyn BlockRead>]) {
        let (places, mut disks): (Vec<usize>, Vec<PhysicalVolume>) = own.into_iter().unzip();
        let mut owners = Vec::new();
        for (number, disk) in further.iter().enumerate() {
            let physical = parts(disk).physical.into_iter().map(|(_, physical)| physical);
            let physical: Vec<PhysicalVolume> = physical.collect();
            owners.extend(physical.iter().map(|physical| (physical.uuid.clone(), number)));
            disks.extend(physical);
        }
        let groups = lvm::assemble(&disks);
        self.found.notes.extend(groups.notes);
        self.found.used.extend(
            owners.iter().filter(|(uuid, _)| groups.claimed.contains(uuid)).map(|(_, number)| number),
        );
        for (place, physical) in places.into_iter().zip(&disks) {
            let content = unclaimed(physical, groups.claimed.contains(&physical.uuid));
            if let (Some(volume), Some(content)) = (self.found.volumes.get_mut(place), content) {
                volume.content = content;
            }
        }
        for LogicalVolume { name, size, content } in groups.volumes {
            let place = format!("logical volume {name}");
            match content {
                LogicalContent::Disk(disk) => self.disk(&disk, &place),
                LogicalContent::Pool(word) => {
                    self.push(place, size, Partition::default(), Content::Parts(word))
                }
                LogicalContent::Refused(refusal) => {
                    self.push(place, size, Partition::default(), Content::Refused(refusal));
                }
            }
        }
    }

    /// Puts file systems on several devices together.
    fn file_systems(&mut self, further: &[Arc<dyn BlockRead>]) {
        let mut devices = std::mem::take(&mut self.devices);
        if devices.is_empty() {
            return;
        }
        for (number, disk) in further.iter().enumerate() {
            let found = parts(disk).devices;
            devices
                .extend(found.into_iter().map(|device| Device { origin: Origin::Further(number), ..device }));
        }
        let assembled = btrfs::assemble(devices);
        self.found.notes.extend(assembled.notes);
        self.found.used.extend(assembled.used);
        for (place, content) in assembled.contents {
            if let Some(volume) = self.found.volumes.get_mut(place) {
                volume.content = content;
            }
        }
    }
}

/// What a physical volume is that no group names.
fn unclaimed(physical: &PhysicalVolume, is_claimed: bool) -> Option<Content> {
    let what = "LVM2 physical volume";
    match &physical.text {
        _ if is_claimed => None,
        Some(_) => Some(Content::Refused(damaged(what, "its metadata cannot be read, or does not name it"))),
        None if !physical.notes.is_empty() => {
            Some(Content::Refused(damaged(what, physical.notes.join("; "))))
        }
        None if physical.areas == 0 => {
            let detail =
                "it keeps no metadata itself; give the other disks of its group with --also".to_owned();
            Some(Content::Refused(Refusal { reason: Reason::Incomplete, what: what.to_owned(), detail }))
        }
        None => Some(Content::Nothing("unused lvm2")),
    }
}

/// Whether something that is known begins at a place of a disk.
fn knows(disk: &Arc<dyn BlockRead>, at: u64) -> bool {
    let length = disk.len().saturating_sub(at);
    let probed = probe(&Section::new(Arc::clone(disk), at, length));
    length > 0 && !matches!(probed, Ok(Probed::Unknown | Probed::Nothing("empty")) | Err(_))
}

fn damaged(what: &str, detail: impl Into<String>) -> Refusal {
    Refusal { reason: Reason::Damaged, what: what.to_owned(), detail: detail.into() }
}

fn unreadable(error: &io::Error) -> Refusal {
    damaged("unreadable", format!("its first bytes cannot be read: {error}"))
}

fn not_read(what: &str) -> Refusal {
    let detail = "it spreads its volumes over disks in a way that is not read".to_owned();
    Refusal { reason: Reason::Unsupported, what: what.to_owned(), detail }
}

fn too_much_metadata() -> Refusal {
    let detail = format!("the physical volumes before it have more than {TEXTS} bytes of metadata");
    Refusal { reason: Reason::Limit, what: "LVM2 physical volume".to_owned(), detail }
}

fn too_deep() -> Refusal {
    let detail = format!("it lies in a logical volume of a group that lies in another; {DEPTH} are read");
    Refusal { reason: Reason::Limit, what: "LVM2 physical volume".to_owned(), detail }
}

fn unknown() -> Refusal {
    let detail =
        "its first bytes are those of no known file system: it may be encrypted without a head, or damaged"
            .to_owned();
    Refusal { reason: Reason::Unknown, what: "file system of unknown kind".to_owned(), detail }
}
