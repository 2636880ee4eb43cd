//! The snapshots of one run: taken together, read one after the other, and removed as soon as they are read.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::makedev;

use super::{
    archive::{Omissions, Tree},
    mount::Mounted,
};
use crate::{
    durable,
    outcome::Failure,
    snapshots::{
        self, btrfs, leftovers,
        look::{Look, last_words, missing},
        lvm, mounts,
        notes::{self, Made},
        survey::{Origin, Volume},
    },
    system::Tools,
};

/// The snapshots of a run.
pub(super) struct Snapshots<'a> {
    tools: &'a Tools<'a>,
    /// Those that are there.
    taken: Vec<Option<Taken>>,
    /// One could not be removed, and is the agent's now.
    left_behind: bool,
}

/// A snapshot that is there.
struct Taken {
    made: Made,
    mount_point: PathBuf,
}

/// A snapshot that can be read.
#[derive(Debug)]
pub(super) struct Readable {
    /// Its place among the snapshots of the run.
    pub(super) number: usize,
    /// What is read of it.
    pub(super) trees: Vec<Tree>,
    /// How it was taken: `LVM` or `BTRFS`.
    pub(super) kind: &'static str,
    /// Keeps it mounted.
    _mounted: Option<Mounted>,
}

/// What does not come into any archive: as device of the file system, inode number and reason.
type Unwanted = Vec<(u64, u64, &'static str)>;

impl<'a> Snapshots<'a> {
    pub(super) fn new(tools: &'a Tools<'a>) -> Self {
        Self { tools, taken: Vec::new(), left_behind: false }
    }

    /// Takes the snapshots. What cannot be taken is left out, unless the device starts from it.
    ///
    /// # Errors
    /// There is none of the root file system; what was taken is to be removed.
    pub(super) async fn take(
        &mut self,
        volumes: &[Volume],
        look: &Look,
        omissions: &mut Omissions,
    ) -> Result<Vec<Readable>, Failure> {
        let workplace = self.tools.workplace;
        let named = |(number, volume)| self.named(number, volume, look);
        let made: Vec<Made> = volumes.iter().enumerate().map(named).collect();
        notes::write(&workplace.state, workplace.run, &made)
            .map_err(|error| Failure::new("STATE_FOLDER_FAILED", error.to_string()))?;
        // All at once, so that they show the same moment; what is mounted is read afterwards.
        let mut troubles = Vec::new();
        for (made, volume) in made.into_iter().zip(volumes) {
            let created = self.create(&made, volume);
            let mount_point = first_mount_point(volume);
            // lvcreate may have made it though it failed later.
            self.taken.push(Some(Taken { made, mount_point }));
            troubles.push(created.err());
        }
        let unwanted = unwanted(&workplace.state);
        let mut readable = Vec::new();
        for (number, (volume, trouble)) in volumes.iter().zip(troubles).enumerate() {
            let opened = match trouble {
                None => self.open(number, volume, &unwanted),
                Some(reason) => Err(reason),
            };
            match opened {
                Ok(opened) => readable.push(opened),
                Err(reason) if volume.trees.iter().any(|tree| tree.mount_point == Path::new("/")) => {
                    return Err(Failure::new(
                        "SNAPSHOT_FAILED",
                        format!("of the root file system: {reason}"),
                    ));
                }
                Err(reason) => {
                    for tree in &volume.trees {
                        omissions.add(&tree.mount_point, reason.clone());
                    }
                    self.remove(number).await;
                }
            }
        }
        Ok(readable)
    }

    /// Whether a snapshot still is what it was taken of.
    ///
    /// # Errors
    /// `SNAPSHOT_OVERFLOWED`; or it cannot be told.
    pub(super) fn check(&self, number: usize) -> Result<(), Failure> {
        let Some(Some(Taken { made: Made::Lvm { group, name }, mount_point })) = self.taken.get(number)
        else {
            return Ok(());
        };
        let system = self.tools.system;
        let look = lvm::look(system, group, name).ok_or_else(|| failed(missing("lvs", "lvm2")))?;
        let answer = self.run(look).map_err(failed)?;
        let volumes = lvm::parse(&answer).map_err(|error| failed(error.to_string()))?;
        match volumes.first() {
            None => Err(failed(format!("the snapshot {group}/{name} is gone; somebody else removed it"))),
            Some(volume) if volume.is_overflowed() => {
                let reason = format!(
                    "more was written to {} while it was read than its snapshot has room for ({} MiB): give the volume group \
                     {group} more room, or scan when less is written",
                    mount_point.display(),
                    volume.size >> 20
                );
                Err(Failure::new("SNAPSHOT_OVERFLOWED", reason))
            }
            Some(_) => Ok(()),
        }
    }

    /// Whether all snapshots that are there still are what they were taken of.
    ///
    /// # Errors
    /// As [`Snapshots::check`].
    pub(super) fn check_all(&self) -> Result<(), Failure> {
        (0..self.taken.len()).try_for_each(|number| self.check(number))
    }

    /// Removes a snapshot that has been read. What cannot be removed, the agent removes.
    pub(super) async fn remove(&mut self, number: usize) {
        let Some(Taken { made, .. }) = self.taken.get_mut(number).and_then(Option::take) else { return };
        if let Err(reason) = leftovers::remove_made(&made, self.tools.system).await {
            tracing::error!(?made, reason, "cannot remove a snapshot; the agent tries again");
            self.left_behind = true;
        }
    }

    /// Removes all that are left, and forgets them. What cannot be removed, the agent removes.
    pub(super) async fn remove_all(mut self) {
        for number in 0..self.taken.len() {
            self.remove(number).await;
        }
        if self.left_behind {
            return;
        }
        let workplace = self.tools.workplace;
        if let Err(error) = notes::forget(&workplace.state, workplace.run) {
            tracing::warn!(%error, "what this run made is still written down");
        }
    }

    /// What the snapshot of a volume is called, and where it is.
    fn named(&self, number: usize, volume: &Volume, look: &Look) -> Made {
        let workplace = self.tools.workplace;
        let name = snapshots::name(workplace.run, number);
        match &volume.origin {
            Origin::Lvm { group, .. } => Made::Lvm { group: group.clone(), name },
            Origin::Btrfs { .. } => {
                // A snapshot lies in the file system of which it is one.
                let state = fs::canonicalize(&workplace.state).unwrap_or_else(|_| workplace.state.clone());
                let beside =
                    mounts::of(&look.mounts, &state).is_some_and(|mount| mount.device == volume.device);
                let folder = match beside {
                    true => notes::folder_in(&state),
                    false => first_mount_point(volume).join(btrfs::FOLDER),
                };
                Made::Btrfs { path: folder.join(name) }
            }
        }
    }

    fn create(&self, made: &Made, volume: &Volume) -> Result<(), String> {
        let system = self.tools.system;
        let command = match (made, &volume.origin) {
            (Made::Lvm { group, name }, Origin::Lvm { name: origin, room, .. }) => {
                let command = lvm::create(system, group, origin, name, *room);
                command.ok_or_else(|| missing("lvcreate", "lvm2"))?
            }
            (Made::Btrfs { path }, _) => {
                let folder = path.parent().unwrap_or(Path::new("/"));
                durable::create_folder(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
                let command = btrfs::create(system, &first_mount_point(volume), path);
                command.ok_or_else(|| missing("btrfs", "btrfs-progs"))?
            }
            (Made::Lvm { .. }, Origin::Btrfs { .. }) => {
                return Err("a subvolume is no logical volume".to_owned());
            }
        };
        self.run(command).map(drop)
    }

    fn open(&self, number: usize, volume: &Volume, unwanted: &Unwanted) -> Result<Readable, String> {
        let Some(Some(Taken { made, .. })) = self.taken.get(number) else {
            return Err("its snapshot is gone".to_owned());
        };
        let (folder, mounted, kind, device) = match (made, &volume.origin) {
            (Made::Lvm { group, name }, Origin::Lvm { kind, .. }) => {
                let device = Path::new("/dev").join(group).join(name);
                let mounted = Mounted::new(&device, kind)?;
                (mounted.path(), Some(mounted), "LVM", makedev(volume.device.0, volume.device.1))
            }
            (Made::Btrfs { path }, _) => {
                let original = fs::metadata(first_mount_point(volume)).map_err(|error| error.to_string())?;
                (path.clone(), None, "BTRFS", original.dev())
            }
            (Made::Lvm { .. }, Origin::Btrfs { .. }) => {
                return Err("a subvolume is no logical volume".to_owned());
            }
        };
        let here = unwanted.iter().filter(|(found_on, ..)| *found_on == device);
        let here: Vec<(u64, &'static str)> = here.map(|(_, inode, reason)| (*inode, *reason)).collect();
        let tree = |tree: &snapshots::survey::Tree| Tree {
            folder: folder.join(tree.root.strip_prefix("/").unwrap_or(&tree.root)),
            mount_point: tree.mount_point.clone(),
            unwanted: here.clone(),
            is_subvolume: mounted.is_none(),
        };
        Ok(Readable { number, trees: volume.trees.iter().map(tree).collect(), kind, _mounted: mounted })
    }

    /// Runs a program to its end; answers what it wrote to its standard output.
    fn run(&self, mut command: std::process::Command) -> Result<String, String> {
        let name = command.get_program().display().to_string();
        let ended = self.tools.query_to_the_end(&mut command).map_err(|failure| failure.reason)?;
        match ended.code {
            0 => Ok(ended.said),
            code => Err(format!("{name}: {}", last_words(&ended.said, code))),
        }
    }
}

fn first_mount_point(volume: &Volume) -> PathBuf {
    volume.trees.first().map_or_else(|| PathBuf::from("/"), |tree| tree.mount_point.clone())
}

fn failed(reason: String) -> Failure {
    Failure::new("SNAPSHOT_FAILED", reason)
}

/// What does not come into any archive: the key of the agent is in its state folder, and what was in memory in swap files.
fn unwanted(state: &Path) -> Unwanted {
    let mut unwanted = Unwanted::new();
    let mut add = |path: &Path, reason| {
        if let Ok(found) = fs::metadata(path) {
            unwanted.push((found.dev(), found.ino(), reason));
        }
    };
    add(state, "the state of the agent");
    let swaps = fs::read_to_string("/proc/swaps").unwrap_or_default();
    let files: BTreeSet<&str> =
        swaps.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    for file in files {
        add(Path::new(file), "a file for swapping");
    }
    unwanted
}
