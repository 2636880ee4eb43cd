//! An archive, those in it, and the packages of all of them.

use std::{cell::RefCell, collections::BTreeMap, ops::ControlFlow};

use super::{
    archive::{Archive, Entry, Fault},
    bytes::{Blocks, Bytes},
    identity, is_archive,
    manifest::Manifest,
    pom::{self, Coordinates},
};
use crate::{Found, Input, Kind, Origin, ParseError, collect::Collector, text};

/// How deep archives are opened: an application has a web application with libraries, which is three.
pub(super) const DEPTH_AT_MOST: usize = 5;
/// Entries of a file and of all archives in it. The largest in public have about 200,000.
const ENTRIES_AT_MOST: u64 = 1_000_000;
/// Descriptions and archives of a file and of all archives in it. Large applications have 2,000.
const READ_AT_MOST: u64 = 20_000;
/// Names of entries that are read.
const NAME_AT_MOST: usize = 1 << 10;
/// A compressed archive in an archive is unpacked into memory; one that is stored is read where it stands.
const NESTED_AT_MOST: u64 = 64 << 20;
/// All archives that are in memory at a time, one in the other.
const HELD_AT_MOST: u64 = 128 << 20;
/// Everything that is unpacked of a file.
const UNPACKED_AT_MOST: u64 = 1 << 30;
/// An archive is compressed already and hardly becomes smaller by it.
const RATIO_AT_MOST: u64 = 200;
/// Below this, a high ratio does no harm.
const RATIO_FROM: u64 = 1 << 20;
/// A `pom.xml` or `pom.properties`.
const DESCRIPTION_AT_MOST: u64 = 1 << 20;
/// The main section of a manifest; digests of all classes may follow.
const MANIFEST_AT_MOST: u64 = 64 << 10;

/// Reads an archive.
pub(super) fn read(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let blocks = RefCell::new(Blocks::new(&mut *input.source));
    let mut scan = Scan {
        collector: Collector::new(Kind::Maven, Origin::Installed, found),
        entries: 0,
        wanted: 0,
        unpacked: 0,
        held: 0,
        stopped: false,
    };
    match scan.archive(Bytes::of_file(&blocks), input.path, &[]) {
        Ok(()) => Ok(()),
        Err(Fault::Damaged(what)) => {
            Err(ParseError::Malformed(format!("a Java archive is expected: {what}")))
        }
        Err(Fault::NotRead(what)) => Err(ParseError::Unsupported(what)),
        Err(Fault::Io(error)) => Err(error.into()),
    }
}

/// What is used up of the bounds of one file.
struct Scan<'f> {
    collector: Collector<'f>,
    entries: u64,
    wanted: u64,
    unpacked: u64,
    held: u64,
    /// A bound of the whole file was reached, and told.
    stopped: bool,
}

/// The entries of an archive that are read.
#[derive(Default)]
struct Wanted {
    /// Descriptions by their folder: `pom.properties` and `pom.xml`.
    poms: BTreeMap<Vec<u8>, [Option<Entry>; 2]>,
    manifest: Option<Entry>,
    archives: Vec<Entry>,
}

impl Scan<'_> {
    /// Reads an archive: `name` is that of the file or of the entry, `inside` the names of the archives around it.
    fn archive(&mut self, bytes: Bytes<'_>, name: &[u8], inside: &[String]) -> Result<(), Fault> {
        let archive = Archive::open(bytes)?;
        // What was listed before the directory turned out to be damaged is read all the same.
        let mut wanted = Wanted::default();
        let listed = archive.entries(|entry| self.list(entry, &mut wanted, inside));
        let marked = self.marked(&archive, &wanted, inside);
        for package in &marked {
            self.collector.add_with(&package.name(), &package.version, Vec::new(), inside.to_vec());
        }
        let manifest = match &wanted.manifest {
            Some(entry) => archive.unpack(entry, MANIFEST_AT_MOST).map(text::decode),
            None => Ok(String::new()),
        };
        let manifest = manifest.unwrap_or_else(|fault| {
            self.skipped(inside, "META-INF/MANIFEST.MF", &fault);
            String::new()
        });
        // An empty line ends the main section.
        let is_whole = manifest.lines().any(|line| line.trim().is_empty());
        if manifest.len() as u64 >= MANIFEST_AT_MOST && !is_whole {
            let what = format!("of META-INF/MANIFEST.MF, only the first {MANIFEST_AT_MOST} bytes were read");
            self.limit(inside, &what);
        }
        let manifest = Manifest::parse(&manifest);
        if !identity::is_marked(name, &marked, &manifest) {
            let is_there = |folder: &str| has_folder(&archive, folder.as_bytes());
            if let Some(package) = identity::guess(name, &manifest, is_there) {
                self.collector.add_with(&package.name(), &package.version, Vec::new(), inside.to_vec());
            }
        }
        for entry in &wanted.archives {
            if self.stopped || self.collector.is_full() {
                break;
            }
            let name = String::from_utf8_lossy(&entry.name).into_owned();
            if let Err(fault) = self.nested(&archive, entry, &name, inside) {
                self.skipped(inside, &name, &fault);
            }
        }
        listed
    }

    /// Notes an entry that is wanted.
    fn list(&mut self, entry: &Entry, wanted: &mut Wanted, inside: &[String]) -> ControlFlow<()> {
        self.entries = self.entries.saturating_add(1);
        if self.entries > ENTRIES_AT_MOST {
            self.stop(inside, format!("the archives of this file have more than {ENTRIES_AT_MOST} entries"));
            return ControlFlow::Break(());
        }
        let name = entry.name.as_slice();
        let which = [&b"/pom.properties"[..], b"/pom.xml"].iter().position(|end| name.ends_with(end));
        if let Some((which, (folder, _))) =
            which.zip(name.iter().rposition(|byte| *byte == b'/').and_then(|at| name.split_at_checked(at)))
            && pom::folder(name).is_some()
            && name.len() <= NAME_AT_MOST
        {
            if let Some(place) = wanted.poms.entry(folder.to_vec()).or_default().get_mut(which) {
                *place = Some(entry.clone());
            }
        } else if name == b"META-INF/MANIFEST.MF" {
            wanted.manifest = Some(entry.clone());
        } else if is_archive(name) && name.len() <= NAME_AT_MOST {
            wanted.archives.push(entry.clone());
        } else {
            return ControlFlow::Continue(());
        }
        self.wanted = self.wanted.saturating_add(1);
        if self.wanted <= READ_AT_MOST {
            return ControlFlow::Continue(());
        }
        self.stop(inside, format!("the file has more than {READ_AT_MOST} descriptions and archives in it"));
        ControlFlow::Break(())
    }

    /// The packages that Maven marked.
    fn marked(&mut self, archive: &Archive<'_>, wanted: &Wanted, inside: &[String]) -> Vec<Coordinates> {
        let mut marked = Vec::new();
        for [properties, project] in wanted.poms.values() {
            let mut coordinates = Coordinates::default();
            if let Some(text) = properties.as_ref().and_then(|entry| self.description(archive, entry, inside))
            {
                coordinates = pom::properties(&text);
            }
            if let Some(entry) = project
                && (coordinates.group.is_empty()
                    || coordinates.artifact.is_empty()
                    || coordinates.version.is_empty())
                && let Some(text) = self.description(archive, entry, inside)
            {
                match pom::project(&text) {
                    Ok(project) => coordinates = coordinates.or(project),
                    Err(error) => {
                        let name = String::from_utf8_lossy(&entry.name);
                        self.limit(inside, &format!("{name} was not read: {error}"));
                    }
                }
            }
            let folder = properties.as_ref().or(project.as_ref());
            if let Some(folder) = folder.and_then(|entry| Coordinates::of_folder(&entry.name)) {
                marked.push(coordinates.or(folder));
            }
        }
        marked
    }

    fn description(&mut self, archive: &Archive<'_>, entry: &Entry, inside: &[String]) -> Option<String> {
        if !self.may_unpack(entry.size.min(DESCRIPTION_AT_MOST), inside) {
            return None;
        }
        match archive.read(entry, DESCRIPTION_AT_MOST) {
            Ok(bytes) => Some(text::decode(bytes)),
            Err(fault) => {
                self.skipped(inside, &String::from_utf8_lossy(&entry.name), &fault);
                None
            }
        }
    }

    /// An archive in an archive.
    fn nested(
        &mut self,
        archive: &Archive<'_>,
        entry: &Entry,
        name: &str,
        inside: &[String],
    ) -> Result<(), Fault> {
        // The file itself is the first level.
        if inside.len().saturating_add(1) >= DEPTH_AT_MOST {
            return Err(Fault::NotRead(format!("archives are opened {DEPTH_AT_MOST} levels deep")));
        }
        let mut inside = inside.to_vec();
        inside.push(name.to_owned());
        if let Some(bytes) = archive.stored(entry)? {
            return self.archive(bytes, &entry.name, &inside);
        }
        if entry.size > RATIO_FROM && entry.ratio() > RATIO_AT_MOST {
            return Err(Fault::NotRead(format!(
                "it unpacks to more than {RATIO_AT_MOST} times its size, as no archive of classes does"
            )));
        }
        let held = self.held.saturating_add(entry.size);
        if held > HELD_AT_MOST {
            return Err(Fault::NotRead(format!(
                "more than {HELD_AT_MOST} bytes of archives would be in memory"
            )));
        }
        if !self.may_unpack(entry.size.min(NESTED_AT_MOST), &inside) {
            return Ok(());
        }
        let bytes = archive.read(entry, NESTED_AT_MOST)?;
        let before = std::mem::replace(&mut self.held, held);
        let read = self.archive(Bytes::of_memory(bytes), &entry.name, &inside);
        self.held = before;
        read
    }

    /// Counts what is about to be unpacked.
    fn may_unpack(&mut self, size: u64, inside: &[String]) -> bool {
        self.unpacked = self.unpacked.saturating_add(size);
        if self.unpacked <= UNPACKED_AT_MOST {
            return true;
        }
        self.stop(inside, format!("at most {UNPACKED_AT_MOST} bytes of a file are unpacked"));
        false
    }

    /// A bound of the whole file was reached: told once.
    fn stop(&mut self, inside: &[String], why: String) {
        if !std::mem::replace(&mut self.stopped, true) {
            self.limit(inside, &format!("the rest was not read: {why}"));
        }
    }

    fn skipped(&mut self, inside: &[String], name: &str, fault: &Fault) {
        let why = match fault {
            Fault::Damaged(what) => (*what).to_owned(),
            Fault::NotRead(what) => what.clone(),
            Fault::Io(error) => error.to_string(),
        };
        self.limit(inside, &format!("{name} was not read: {why}"));
    }

    fn limit(&mut self, inside: &[String], what: &str) {
        let place = if inside.is_empty() { String::new() } else { format!("in {}: ", inside.join(" in ")) };
        self.collector.limit(format!("{place}{what}"));
    }
}

fn has_folder(archive: &Archive<'_>, folder: &[u8]) -> bool {
    let (mut has, mut entries) = (false, 0);
    // A damaged directory was told when it was listed.
    let _ = archive.entries(|entry| {
        entries += 1;
        has = entry.name.starts_with(folder);
        if has || entries == ENTRIES_AT_MOST { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    has
}
