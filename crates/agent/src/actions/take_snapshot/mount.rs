//! Mounts the snapshot of a logical volume where nobody sees it.
//!
//! It is mounted nowhere in the tree of files: only who holds its descriptor reaches it, and with that process it is gone.

use std::{
    io,
    os::fd::{AsFd, AsRawFd as _, OwnedFd},
    path::{Path, PathBuf},
};

use rustix::{
    io::{Errno, read},
    mount::{
        FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string,
        fsmount, fsopen,
    },
};

/// A mounted file system.
#[derive(Debug)]
pub(super) struct Mounted(OwnedFd);

impl Mounted {
    /// Mounts the file system of this kind on a device, read-only. What its journal says is brought in order on the device
    /// first, which is a snapshot.
    ///
    /// # Errors
    /// Why not, for people.
    pub(super) fn new(device: &Path, kind: &str) -> Result<Self, String> {
        let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC).map_err(|error| match error {
            Errno::NOSYS => "the kernel is older than 5.2".to_owned(),
            Errno::NODEV => format!("the kernel does not know {kind}"),
            error => error.to_string(),
        })?;
        let mount = || -> rustix::io::Result<OwnedFd> {
            fsconfig_set_string(&context, "source", device)?;
            fsconfig_set_flag(&context, "ro")?;
            if kind == "xfs" {
                // It is mounted already: the file system of which this is the snapshot.
                fsconfig_set_flag(&context, "nouuid")?;
            }
            fsconfig_create(&context)?;
            let attributes = MountAttrFlags::MOUNT_ATTR_RDONLY
                | MountAttrFlags::MOUNT_ATTR_NOSUID
                | MountAttrFlags::MOUNT_ATTR_NODEV
                | MountAttrFlags::MOUNT_ATTR_NOEXEC;
            fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
        };
        mount().map(Self).map_err(|error| {
            let words = words(&context);
            let error = io::Error::from(error);
            format!("{kind} on {} cannot be mounted: {error}{words}", device.display())
        })
    }

    /// Where this process finds it.
    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/", self.0.as_raw_fd()))
    }
}

/// What the file system said about it, where it said something: one message for each read.
fn words(context: impl AsFd) -> String {
    let mut words = String::new();
    let mut message = [0; 1024];
    while let Ok(length @ 1..) = read(context.as_fd(), &mut message) {
        let said = String::from_utf8_lossy(message.get(..length).unwrap_or_default()).into_owned();
        // A letter before each says whether it is an error.
        let said = said.split_once(' ').map_or(said.as_str(), |(_, said)| said);
        words += ": ";
        words += said.trim();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_mounted_is_said() {
        let error = Mounted::new(Path::new("/dev/null"), "no-such-file-system").expect_err("there is none");
        // Who is not root, or lives in a container, may not ask at all.
        assert!(error.contains("no-such-file-system") || error.contains("permitted"), "{error}");
    }
}
