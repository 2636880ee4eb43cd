//! Groups of logical volumes, byte by byte: the tools of LVM2 take block devices only, which need root.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use crate::{disks::put, partitions::empty};

const SECTOR: u64 = 512;

/// Where the area for metadata begins, and how long it is, in bytes.
const AREA: u64 = 4096;
const AREA_LENGTH: u64 = (1 << 20) - AREA;

/// Where the extents of a disk begin, in sectors.
const FIRST_EXTENT: u64 = 2048;

/// What LVM2 begins its checksums with.
const FIRST_SUM: u32 = 0xf597_a6cf;

/// A group.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// How often it was changed.
    pub sequence: u64,
    /// How long an extent is, in sectors.
    pub extent: u64,
    /// Its physical volumes.
    pub disks: Vec<Disk>,
    /// Its logical volumes.
    pub volumes: Vec<Volume>,
}

/// A physical volume.
#[derive(Clone, Debug)]
pub struct Disk {
    /// The file that it is written to.
    pub path: PathBuf,
    /// 32 letters.
    pub uuid: String,
    /// In which sector its label is: 0 to 3.
    pub label: u64,
    /// Where in the area for metadata the text begins, in bytes. Near the end of the area it goes on at its start.
    pub text: u64,
}

/// A logical volume.
#[derive(Clone, Debug)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// `"READ", "WRITE", "VISIBLE"` for one that is seen.
    pub status: &'static str,
    /// Its parts, in their order.
    pub segments: Vec<Segment>,
}

/// A part of a logical volume.
#[derive(Clone, Debug)]
pub struct Segment {
    /// `striped` for what is read.
    pub kind: &'static str,
    /// How many extents it has.
    pub extents: u64,
    /// How long a stripe is, in sectors.
    pub stripe: u64,
    /// The disks that the stripes go to in turn, each with its first extent.
    pub stripes: Vec<(usize, u64)>,
    /// Further settings, as they are written.
    pub extra: &'static str,
}

impl Disk {
    /// A disk with its label where `pvcreate` puts it.
    #[must_use]
    pub fn new(folder: &Path, number: usize) -> Self {
        let uuid = format!("{number:0>32}");
        Self { path: folder.join(format!("pv{number}.raw")), uuid, label: 1, text: SECTOR }
    }
}

impl Volume {
    /// A visible volume.
    #[must_use]
    pub fn new(name: &str, segments: Vec<Segment>) -> Self {
        Self { name: name.to_owned(), status: "\"READ\", \"WRITE\", \"VISIBLE\"", segments }
    }
}

impl Segment {
    /// A part on one disk.
    #[must_use]
    pub fn linear(extents: u64, disk: usize, first: u64) -> Self {
        Self { kind: "striped", extents, stripe: 0, stripes: vec![(disk, first)], extra: "" }
    }
}

impl Group {
    /// The metadata as LVM2 writes it.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines().expect("writes to memory")
    }

    fn lines(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        writeln!(
            text,
            "{} {{\nid = \"{}\"\nseqno = {}",
            self.name,
            hyphens(&format!("{:g>32}", self.name)),
            self.sequence
        )?;
        writeln!(
            text,
            "format = \"lvm2\" # informational\nstatus = [\"RESIZEABLE\", \"READ\", \"WRITE\"]\nflags = []"
        )?;
        writeln!(text, "extent_size = {}\nmax_lv = 0\nmax_pv = 0\nmetadata_copies = 0\n", self.extent)?;
        writeln!(text, "physical_volumes {{\n")?;
        for (number, disk) in self.disks.iter().enumerate() {
            writeln!(
                text,
                "pv{number} {{\nid = \"{}\"\ndevice = \"/dev/sd{number}\"\t# Hint only\n",
                hyphens(&disk.uuid)
            )?;
            writeln!(
                text,
                "status = [\"ALLOCATABLE\"]\nflags = []\npe_start = {FIRST_EXTENT}\npe_count = 100\n}}\n"
            )?;
        }
        writeln!(text, "}}\n\nlogical_volumes {{\n")?;
        for volume in &self.volumes {
            let id = hyphens(&format!("{:l>32}", volume.name));
            writeln!(text, "{} {{\nid = \"{id}\"\nstatus = [{}]\nflags = []", volume.name, volume.status)?;
            writeln!(
                text,
                "creation_time = 1700000000\t# 2023-11-14\nsegment_count = {}\n",
                volume.segments.len()
            )?;
            let mut start = 0;
            for (number, segment) in (1..).zip(&volume.segments) {
                writeln!(
                    text,
                    "segment{number} {{\nstart_extent = {start}\nextent_count = {}",
                    segment.extents
                )?;
                writeln!(text, "\ntype = \"{}\"\nstripe_count = {}", segment.kind, segment.stripes.len())?;
                writeln!(text, "stripe_size = {}\n{}\nstripes = [", segment.stripe, segment.extra)?;
                for (disk, first) in &segment.stripes {
                    writeln!(text, "\"pv{disk}\", {first},")?;
                }
                writeln!(text, "]\n}}")?;
                start += segment.extents;
            }
            writeln!(text, "}}\n")?;
        }
        writeln!(
            text,
            "}}\n\n}}\n# Generated by a test\n\ncontents = \"Text Format Volume Group\"\nversion = 1"
        )?;
        text.push('\0');
        Ok(text)
    }

    /// Makes the disks, with their labels and metadata, `length` bytes long.
    ///
    /// # Panics
    /// When they cannot be written.
    pub fn write(&self, length: u64) {
        for disk in &self.disks {
            let name = disk.path.file_name().and_then(|name| name.to_str()).expect("a plain name");
            drop(empty(disk.path.parent().expect("a folder"), name, length));
            self.write_head(disk, &self.text(), length);
        }
    }

    /// Writes label and metadata of a disk.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write_head(&self, disk: &Disk, text: &str, length: u64) {
        let mut label = vec![0; SECTOR as usize];
        label[..8].copy_from_slice(b"LABELONE");
        label[8..16].copy_from_slice(&disk.label.to_le_bytes());
        label[20..24].copy_from_slice(&32_u32.to_le_bytes());
        label[24..32].copy_from_slice(b"LVM2 001");
        label[32..64].copy_from_slice(disk.uuid.as_bytes());
        label[64..72].copy_from_slice(&length.to_le_bytes());
        for (at, number) in [(72, FIRST_EXTENT * SECTOR), (104, AREA), (112, AREA_LENGTH)] {
            label[at..at + 8].copy_from_slice(&number.to_le_bytes());
        }
        let checksum = sum(&label[20..]);
        label[16..20].copy_from_slice(&checksum.to_le_bytes());
        put(&disk.path, disk.label * SECTOR, &label);

        let mut head = vec![0; SECTOR as usize];
        head[4..20].copy_from_slice(b" LVM2 x[5A%r0N*>");
        head[20..24].copy_from_slice(&1_u32.to_le_bytes());
        let numbers = [(24, AREA), (32, AREA_LENGTH), (40, disk.text), (48, text.len() as u64)];
        for (at, number) in numbers {
            head[at..at + 8].copy_from_slice(&number.to_le_bytes());
        }
        head[56..60].copy_from_slice(&sum(text.as_bytes()).to_le_bytes());
        let checksum = sum(&head[4..]);
        head[..4].copy_from_slice(&checksum.to_le_bytes());
        put(&disk.path, AREA, &head);
        let (first, second) = text.as_bytes().split_at(text.len().min((AREA_LENGTH - disk.text) as usize));
        put(&disk.path, AREA + disk.text, first);
        put(&disk.path, AREA + SECTOR, second);
    }

    /// Writes the bytes of a volume to where its segments are.
    ///
    /// # Panics
    /// When they cannot be written.
    pub fn fill(&self, volume: &Volume, bytes: &[u8]) {
        let extent = self.extent * SECTOR;
        let mut rest = bytes;
        for segment in &volume.segments {
            let (part, after) = rest.split_at(rest.len().min((segment.extents * extent) as usize));
            let unit = if segment.stripes.len() == 1 {
                part.len().max(1)
            } else {
                (segment.stripe * SECTOR) as usize
            };
            for (number, stripe) in part.chunks(unit).enumerate() {
                let (disk, first) = segment.stripes[number % segment.stripes.len()];
                let at =
                    FIRST_EXTENT * SECTOR + first * extent + (number / segment.stripes.len() * unit) as u64;
                put(&self.disks[disk].path, at, stripe);
            }
            rest = after;
        }
    }
}

/// An id as the text has it.
fn hyphens(id: &str) -> String {
    let mut text = String::new();
    for (at, letter) in id.chars().enumerate() {
        if matches!(at, 6 | 10 | 14 | 18 | 22 | 26) {
            text.push('-');
        }
        text.push(letter);
    }
    text
}

/// The checksum of LVM2.
fn sum(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(!FIRST_SUM);
    hasher.update(bytes);
    !hasher.finalize()
}
