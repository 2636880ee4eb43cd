//! What one thread of the walk does.

use std::{
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering},
};

use guardhouse_image::{Entry, FileKind, ReadError, TreeReader, limits, tree::TreePlace};

use super::{
    Hashing, PACKAGES, Sweep,
    file::{ScannedFile, Window},
    task::{Folder, Line, Task},
};
use crate::{
    analyser::{Candidate, Found, Interest},
    event::{Event, Trouble},
    positions::Slot,
};

/// How many folders of a folder are held back until their share of the whole is known.
const HELD: usize = 256;

/// How many files make a portion: what another thread may take over.
const PORTION: usize = 64;

/// What one thread works with.
pub struct Hands {
    /// Reads files.
    pub reader: TreeReader,
    /// Says where the thread is.
    pub slot: Slot,
    /// Read folders: one for each of those that are being read at the same time, below each other.
    listers: Vec<TreeReader>,
    window: Window,
}

impl Hands {
    /// With nothing in them.
    pub fn new(reader: TreeReader, slot: Slot) -> Self {
        Self { reader, slot, listers: Vec::new(), window: Window::default() }
    }
}

/// A folder that is being read.
struct Listing {
    line: Arc<Line>,
    entries: u64,
    /// Folders in it that wait for their share.
    folders: Vec<TreePlace>,
    /// Files in it that were not looked at yet.
    files: Vec<TreePlace>,
}

impl Sweep<'_> {
    /// Does what is in the queue until nothing comes any more.
    pub(super) fn work(&self, hands: &mut Hands) {
        while let Some(task) = self.queue.take() {
            match task {
                Task::Folder(folder) => self.folder(hands, &folder),
                Task::Files(files) => self.files(hands, files),
            }
            hands.slot.clear();
            self.queue.done();
        }
    }

    fn folder(&self, hands: &mut Hands, folder: &Folder) {
        // Below a folder that is read at this moment, a reader that fails has been dropped.
        let read = catch_unwind(AssertUnwindSafe(|| self.read_folder(hands, folder)));
        match read {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.unreadable(Some(&folder.place.path), &error),
            Err(panic) => {
                self.renew(hands);
                let message = format!("while the folder was read: {}", panic_message(&*panic));
                self.problem(Trouble::Panicked, &folder.place, message);
            }
        }
    }

    fn read_folder(&self, hands: &mut Hands, folder: &Folder) -> Result<(), ReadError> {
        hands.slot.set(Some(self.number), &folder.place.path, "folder");
        let mut lister = match hands.listers.pop() {
            Some(lister) => lister,
            None => self.system.tree.reader()?,
        };
        let mut listing = Listing { line: folder.line(), entries: 0, folders: Vec::new(), files: Vec::new() };
        let read = lister.read_folder(&folder.place, &mut |entry, place| {
            self.entry(hands, folder, &mut listing, entry, place)
        });
        hands.listers.push(lister);
        let Listing { line, folders, files, .. } = listing;
        self.files(hands, files);
        let count = folders.len() as u64;
        let share = folder.share / (count + 1);
        for place in folders {
            self.descend(hands, folder.below(&line, place, share));
        }
        self.progress.add(folder.share - share * count);
        read
    }

    fn entry(
        &self,
        hands: &mut Hands,
        folder: &Folder,
        listing: &mut Listing,
        entry: Entry<'_>,
        place: TreePlace,
    ) -> ControlFlow<()> {
        if !self.count_file(&place.path) {
            return ControlFlow::Break(());
        }
        listing.entries += 1;
        if listing.entries > limits::FOLDER_ENTRIES {
            let message = format!("more than {} entries: the rest was not looked at", limits::FOLDER_ENTRIES);
            self.problem(Trouble::Limit, &folder.place, message);
            return ControlFlow::Break(());
        }
        if place.path.as_bytes().len() > limits::PATH_BYTES {
            let message = format!("a path of more than {} bytes: not looked at", limits::PATH_BYTES);
            self.problem(Trouble::Limit, &folder.place, message);
            return ControlFlow::Continue(());
        }
        if self.apart.contains(&place.path) {
            return ControlFlow::Continue(());
        }
        let kind = match entry.kind.map_or_else(|| hands.reader.metadata(&place).map(|known| known.kind), Ok)
        {
            Ok(kind) => kind,
            Err(error) => {
                self.unreadable(Some(&place.path), &error);
                return ControlFlow::Continue(());
            }
        };
        match kind {
            FileKind::Folder => self.subfolder(hands, folder, listing, place),
            FileKind::File => {
                listing.files.push(place);
                if listing.files.len() == PORTION {
                    self.portion(
                        hands,
                        folder,
                        std::mem::replace(&mut listing.files, Vec::with_capacity(PORTION)),
                    );
                }
            }
            FileKind::Symlink | FileKind::Other => {}
        }
        ControlFlow::Continue(())
    }

    fn subfolder(&self, hands: &mut Hands, folder: &Folder, listing: &mut Listing, place: TreePlace) {
        if folder.depth >= limits::DEPTH {
            let message = format!("more than {} folders in each other: not read", limits::DEPTH);
            self.problem(Trouble::Limit, &place, message);
        } else if self.can_lead_back(&place) && listing.line.leads_to(&place) {
            let message = "damaged: a folder that lies in itself; not read again".to_owned();
            self.problem(Trouble::Unreadable, &place, message);
        } else if listing.folders.len() < HELD {
            listing.folders.push(place);
        } else {
            self.descend(hands, folder.below(&listing.line, place, 0));
            hands.slot.set(Some(self.number), &folder.place.path, "folder");
        }
    }

    /// Whether a folder may lie in itself. A running system does not let that happen, and its numbers are those of
    /// several file systems.
    fn can_lead_back(&self, place: &TreePlace) -> bool {
        self.system.tree.mounts.get(place.mount).is_some_and(|mount| mount.file_system.kind() != "folder")
    }

    /// Leaves a folder to whoever comes next, or reads it at once.
    fn descend(&self, hands: &mut Hands, folder: Folder) {
        if let Err(Task::Folder(folder)) = self.queue.offer(Task::Folder(folder)) {
            self.folder(hands, &folder);
        }
    }

    /// Leaves some files of a large folder to somebody who has nothing to do, or looks at them.
    fn portion(&self, hands: &mut Hands, folder: &Folder, files: Vec<TreePlace>) {
        let mine = if self.queue.is_wanting() {
            self.queue.offer(Task::Files(files))
        } else {
            Err(Task::Files(files))
        };
        if let Err(Task::Files(files)) = mine {
            self.files(hands, files);
            hands.slot.set(Some(self.number), &folder.place.path, "folder");
        }
    }

    pub(super) fn files(&self, hands: &mut Hands, files: Vec<TreePlace>) {
        for place in files {
            match catch_unwind(AssertUnwindSafe(|| self.file(hands, &place))) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => self.unreadable(Some(&place.path), &error),
                Err(panic) => {
                    self.renew(hands);
                    let message = format!("while the file was read: {}", panic_message(&*panic));
                    self.problem(Trouble::Panicked, &place, message);
                }
            }
        }
    }

    /// Shows a file to everybody who is interested in it.
    fn file(&self, hands: &mut Hands, place: &TreePlace) -> Result<(), ReadError> {
        let Hands { reader, slot, window, .. } = hands;
        let metadata = reader.metadata(place)?;
        if metadata.kind != FileKind::File {
            return Ok(());
        }
        self.counts.bytes.fetch_add(metadata.size, Ordering::Relaxed);
        let candidate = Candidate { path: &place.path, metadata: &metadata };
        let mut file = ScannedFile::new(reader, window, place, &metadata);
        let mut hashed = Ok(());
        if self.plan.hashing == Hashing::All && metadata.size > 0 {
            slot.set(Some(self.number), &place.path, "hash");
            hashed = file.sha256().map(|_| ());
        }
        for analyser in self.analysers {
            if analyser.interest(&candidate) == Interest::None {
                continue;
            }
            slot.set(Some(self.number), &place.path, analyser.name());
            let look = || analyser.look(&mut file, &mut |found| self.found(place, found));
            if let Err(panic) = catch_unwind(AssertUnwindSafe(look)) {
                let message = format!("{} failed: {}", analyser.name(), panic_message(&*panic));
                self.problem(Trouble::Panicked, place, message);
            }
        }
        self.counts.bytes_read.fetch_add(file.bytes_read(), Ordering::Relaxed);
        hashed
    }

    fn found(&self, place: &TreePlace, found: Found) {
        let (format, package) = match found {
            Found::Trouble { kind, message } => return self.problem(kind, place, message),
            Found::Package { format, package } => (format, package),
        };
        if self.counts.packages.fetch_add(1, Ordering::Relaxed) < PACKAGES {
            let (system, path) = (self.number, place.path.clone());
            (self.tell)(Event::Package { system, path, format: format.to_owned(), package: *package });
        } else if !self.counts.packages_limit_told.swap(true, Ordering::Relaxed) {
            let message = format!("more than {PACKAGES} packages: the rest is not told");
            self.problem(Trouble::Limit, place, message);
        }
    }

    /// After a panic, nobody knows in which state the readers are.
    fn renew(&self, hands: &mut Hands) {
        hands.listers.clear();
        if let Ok(reader) = self.system.tree.reader() {
            hands.reader = reader;
        }
    }
}

/// What a panic says.
fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
