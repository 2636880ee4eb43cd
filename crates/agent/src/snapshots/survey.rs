//! Of which file systems a snapshot can be taken, and why not of the others: a plain function.
//!
//! Part of the system is the root file system; what is mounted at `/boot`, `/etc`, `/opt`, `/usr` or `/var`, wherever it
//! lies; and what lies in the volume group, or in the btrfs, of the root file system and is mounted at or below these,
//! `/home`, `/root` or `/srv`. Everything else is data.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    btrfs,
    lvm::{LEAST_ROOM, LogicalVolume, Way, divide},
    mounts::Mount,
};

/// File systems of the kernel and in memory: they hold nothing that lasts.
const PASSING: [&str; 24] = [
    "autofs",
    "bdev",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "nsfs",
    "proc",
    "pstore",
    "ramfs",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "sysfs",
    "tmpfs",
    "tracefs",
];

/// Mount points of the system, wherever they lie.
const SYSTEM: [&str; 5] = ["/boot", "/etc", "/opt", "/usr", "/var"];

/// Mount points of the system where they lie with its root.
const BESIDE_ROOT: [&str; 3] = ["/home", "/root", "/srv"];

/// What LVM says.
#[derive(Debug, Clone)]
pub struct Lvm {
    /// The devices that are logical volumes, as the kernel knows them.
    pub devices: BTreeSet<(u32, u32)>,
    /// The volumes; or why they are not known.
    pub volumes: Result<Vec<LogicalVolume>, String>,
}

/// A file system of which a snapshot can be taken: a logical volume, or a subvolume of btrfs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// What the snapshot is taken of.
    pub origin: Origin,
    /// The device of what is mounted now, as major and minor number.
    pub device: (u32, u32),
    /// What is seen of it: at least one.
    pub trees: Vec<Tree>,
    /// It is no part of the system.
    pub data_disk: bool,
    /// How much of it is used, in bytes. What is used of one btrfs counts for the first of its subvolumes.
    pub used_bytes: u64,
}

/// What a snapshot is taken of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A logical volume.
    Lvm {
        /// Its volume group.
        group: String,
        /// Its name there.
        name: String,
        /// The type of the file system on it.
        kind: String,
        /// How much room its snapshot gets in the group, in bytes; `None` where it lies in a pool.
        room: Option<u64>,
    },
    /// A subvolume.
    Btrfs {
        /// Which one, counted from the top of the file system.
        subvolume: PathBuf,
    },
}

/// A folder of a file system that is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// Where it is mounted.
    pub mount_point: PathBuf,
    /// Which folder it is; of a subvolume: the whole of it, `/`.
    pub root: PathBuf,
}

/// Something of which no snapshot is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Where it is mounted.
    pub path: PathBuf,
    /// Why, for people.
    pub reason: String,
}

/// Of what snapshots can be taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// The file systems, those of the system first.
    pub volumes: Vec<Volume>,
    /// The others.
    pub left_out: Vec<LeftOut>,
}

impl Survey {
    /// Looks at everything that is mounted. `used` says how many bytes are used of the file system at a mount point.
    #[must_use]
    pub fn new(mounts: &[Mount], lvm: &Lvm, data_disks: bool, used: &dyn Fn(&Path) -> u64) -> Self {
        let mut survey = Self::default();
        let root = mounts.iter().find(|mount| mount.mount_point == Path::new("/"));
        let root_origin = root.and_then(|root| origin(root, lvm).ok());
        let mut named = BTreeSet::new();
        let mut counted = BTreeSet::new();
        for mount in mounts.iter().filter(|mount| !PASSING.contains(&mount.kind.as_str())) {
            let origin = match origin(mount, lvm) {
                Ok(origin) => origin,
                Err(reason) => {
                    let news = named.insert(mount.device) && !survey.has_subvolume(mount);
                    if news {
                        survey.leave_out(&mount.mount_point, reason);
                    }
                    continue;
                }
            };
            let beside_root = root.zip(root_origin.as_ref()).is_some_and(|(root, root_origin)| {
                match (&origin, root_origin) {
                    (Origin::Lvm { group: one, .. }, Origin::Lvm { group: other, .. }) => one == other,
                    (Origin::Btrfs { .. }, Origin::Btrfs { .. }) => mount.device == root.device,
                    _ => false,
                }
            });
            let is_data = !is_system(&mount.mount_point, beside_root);
            let folder = match origin {
                Origin::Lvm { .. } => mount.root.clone(),
                Origin::Btrfs { .. } => "/".into(),
            };
            let tree = Tree { mount_point: mount.mount_point.clone(), root: folder };
            if survey.add_tree(&origin, mount.device, &tree, is_data) {
                continue;
            }
            let counts = is_lvm(&origin) || counted.insert(mount.device);
            let used_bytes = if counts { used(&mount.mount_point) } else { 0 };
            let trees = vec![tree];
            survey.volumes.push(Volume {
                origin,
                device: mount.device,
                trees,
                data_disk: is_data,
                used_bytes,
            });
        }
        survey.volumes.sort_by_key(|volume| volume.data_disk);
        if !data_disks {
            survey.drop(|volume| {
                volume.data_disk.then(|| "a data disk, and data disks were not asked for".to_owned())
            });
        }
        if let Ok(volumes) = &lvm.volumes {
            survey.give_room(volumes);
        }
        survey
    }

    /// Why no snapshot can be taken of what the device starts from, and so none at all; `None`: one can.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        let root = Path::new("/");
        if self.volumes.iter().any(|volume| volume.trees.iter().any(|tree| tree.mount_point == root)) {
            return None;
        }
        let known = self.left_out.iter().find(|left| left.path == root);
        let reason = known.map_or("nothing that lasts is mounted there", |left| &left.reason);
        Some(format!("no snapshot can be taken of the root file system: {reason}"))
    }

    /// Adds a folder to a volume that is known; answers whether it is.
    fn add_tree(&mut self, origin: &Origin, device: (u32, u32), tree: &Tree, is_data: bool) -> bool {
        let same = |volume: &&mut Volume| volume.device == device && volume.origin == *origin;
        let Some(volume) = self.volumes.iter_mut().find(same) else { return false };
        // What is mounted at a second place, as a whole or a part of it, is in the archive already.
        if volume.trees.iter().any(|known| tree.root.starts_with(&known.root)) {
            return true;
        }
        if let Some(known) = volume.trees.iter().find(|known| known.root.starts_with(&tree.root)) {
            let reason =
                format!("only what of it is mounted at {} is in the archive", known.mount_point.display());
            self.leave_out(&tree.mount_point, reason);
            return true;
        }
        volume.data_disk &= is_data;
        volume.trees.push(tree.clone());
        true
    }

    /// Whether the subvolume of a mounted folder is known.
    fn has_subvolume(&self, mount: &Mount) -> bool {
        let Some(subvolume) = &mount.subvolume else { return false };
        let origin = Origin::Btrfs { subvolume: subvolume.clone() };
        self.volumes.iter().any(|volume| volume.device == mount.device && volume.origin == origin)
    }

    /// Gives each snapshot of a thick volume its room.
    fn give_room(&mut self, all: &[LogicalVolume]) {
        let mut wanted: BTreeMap<String, Vec<(usize, u64)>> = BTreeMap::new();
        for (place, volume) in self.volumes.iter().enumerate() {
            if let Origin::Lvm { group, room: Some(room), .. } = &volume.origin {
                wanted.entry(group.clone()).or_default().push((place, *room));
            }
        }
        let mut cramped = BTreeMap::new();
        for (group, wanted) in wanted {
            let room = all.iter().find(|volume| volume.group == group).map_or(0, |volume| volume.room(all));
            let wishes: Vec<u64> = wanted.iter().map(|(_, wish)| *wish).collect();
            for ((place, _), given) in wanted.iter().zip(divide(room, &wishes)) {
                if given == 0 {
                    cramped.insert(*place, (group.clone(), room));
                } else if let Some(Origin::Lvm { name, room, .. }) =
                    self.volumes.get_mut(*place).map(|volume| &mut volume.origin)
                {
                    let known = all.iter().find(|volume| volume.group == group && volume.name == *name);
                    *room = Some(known.map_or(given, |known| known.whole_extents(given)));
                }
            }
        }
        let mut places = 0_usize..;
        self.drop(|_| {
            let (group, room) = cramped.get(&places.next()?)?;
            Some(format!(
                "the volume group {group} has {} MiB for snapshots, and one needs at least {} MiB: extend the group",
                room >> 20,
                LEAST_ROOM >> 20
            ))
        });
    }

    /// Leaves volumes out for which there is a reason.
    fn drop(&mut self, mut reason: impl FnMut(&Volume) -> Option<String>) {
        for volume in std::mem::take(&mut self.volumes) {
            match reason(&volume) {
                Some(reason) => {
                    for tree in &volume.trees {
                        self.leave_out(&tree.mount_point, reason.clone());
                    }
                }
                None => self.volumes.push(volume),
            }
        }
    }

    fn leave_out(&mut self, path: &Path, reason: String) {
        self.left_out.push(LeftOut { path: path.to_owned(), reason });
    }
}

/// What a snapshot of a mounted file system would be taken of.
fn origin(mount: &Mount, lvm: &Lvm) -> Result<Origin, String> {
    // A copy of the device would be a second file system with the same identity, which btrfs does not bear.
    if mount.kind == btrfs::KIND {
        return match &mount.subvolume {
            Some(subvolume) if *subvolume == mount.root => Ok(Origin::Btrfs { subvolume: subvolume.clone() }),
            _ => Err("only a folder of a subvolume of btrfs is mounted".to_owned()),
        };
    }
    if !lvm.devices.contains(&mount.device) {
        let Mount { kind, source, .. } = mount;
        return Err(format!("{kind} on {source} lies neither on a logical volume (LVM) nor is it btrfs"));
    }
    let all = lvm.volumes.as_ref().map_err(Clone::clone)?;
    let volume = all.iter().find(|volume| volume.device == Some(mount.device));
    let volume = volume.ok_or_else(|| format!("LVM does not list {}", mount.source))?;
    let room = match volume.way(all)? {
        Way::Thin => None,
        Way::Thick { wanted } => Some(wanted),
    };
    let (group, name) = (volume.group.clone(), volume.name.clone());
    Ok(Origin::Lvm { group, name, kind: mount.kind.clone(), room })
}

fn is_lvm(origin: &Origin) -> bool {
    matches!(origin, Origin::Lvm { .. })
}

/// Whether what is mounted there is part of the system.
fn is_system(mount_point: &Path, beside_root: bool) -> bool {
    let mut everywhere = ["/"].into_iter().chain(SYSTEM);
    let mut beside = SYSTEM.into_iter().chain(BESIDE_ROOT);
    everywhere.any(|place| mount_point == Path::new(place))
        || (beside_root && beside.any(|place| mount_point.starts_with(place)))
}

#[cfg(test)]
mod tests;
