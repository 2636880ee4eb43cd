//! btrfs on several devices, put together by its UUID.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Content, Reason, Refusal};
use crate::{
    block::BlockRead,
    file_system::{self, BtrfsMember},
};

/// Where a device was found.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    /// On the target: the place of its volume in the list.
    Own(usize),
    /// On one of the further disks.
    Further(usize),
}

/// A device of a btrfs that lies on several.
#[derive(Clone, Debug)]
pub(super) struct Device {
    pub disk: Arc<dyn BlockRead>,
    pub member: BtrfsMember,
    pub origin: Origin,
}

/// What came of some devices.
#[derive(Debug, Default)]
pub(super) struct Assembled {
    /// By the places of volumes: the files are in the first volume of a file system, the others are parts of it.
    pub contents: Vec<(usize, Content)>,
    /// The further disks that were needed.
    pub used: BTreeSet<usize>,
    pub notes: Vec<String>,
}

/// Puts file systems together. Those that lie on further disks alone are no part of the target.
pub(super) fn assemble(devices: Vec<Device>) -> Assembled {
    let mut found = Assembled::default();
    let mut groups = BTreeMap::<[u8; 16], Vec<Device>>::new();
    for device in devices {
        groups.entry(device.member.uuid).or_default().push(device);
    }
    for (uuid, devices) in groups {
        if !devices.iter().any(|device| matches!(device.origin, Origin::Own(_))) {
            continue;
        }
        let (mut ids, mut disks, mut place) = (BTreeSet::new(), Vec::new(), None);
        for Device { disk, member, origin } in devices {
            if !ids.insert(member.id) {
                let name = file_system::uuid(&uuid);
                let detail =
                    format!("device {} of the btrfs {name} is there twice; the first one is read", member.id);
                found.notes.push(detail.clone());
                if let Origin::Own(place) = origin {
                    let refusal = Refusal { reason: Reason::Damaged, what: "btrfs".to_owned(), detail };
                    found.contents.push((place, Content::Refused(refusal)));
                }
                continue;
            }
            disks.push(disk);
            match origin {
                Origin::Own(own) => place = place.or(Some(own)),
                Origin::Further(number) => drop(found.used.insert(number)),
            }
        }
        let Some(place) = place else { continue };
        let content = match file_system::open_btrfs(disks) {
            Ok(files) => Content::Files(files),
            Err(refusal) => Content::Refused(refusal),
        };
        found.contents.push((place, content));
    }
    found
}
