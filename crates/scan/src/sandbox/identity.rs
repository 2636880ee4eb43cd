//! Whoever starts a scan as root scans as nobody, who may read every file and do nothing else.

use std::{io, path::Path};

use rustix::{
    fs::{Gid, Uid, chown},
    process::geteuid,
    thread::{
        CapabilitySet, CapabilitySets, set_capabilities, set_keep_capabilities, set_thread_gid,
        set_thread_groups, set_thread_res_gid, set_thread_res_uid, set_thread_uid,
    },
};

/// `nobody` and `nogroup`: the ids that the kernel itself gives to whom it does not know.
const NOBODY: u32 = 65534;

/// Gives up root, if this is root: all that stays is the right to read. Says whether there is such a right.
pub fn step_down(scratch: Option<&Path>) -> io::Result<bool> {
    if !geteuid().is_root() {
        return Ok(false);
    }
    let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    if let Some(scratch) = scratch {
        chown(scratch, Some(user), Some(group))?;
    }
    set_keep_capabilities(true)?;
    set_thread_groups(&[])?;
    set_thread_res_gid(group, group, group)?;
    set_thread_gid(group)?;
    set_thread_res_uid(user, user, user)?;
    set_thread_uid(user)?;
    keep(CapabilitySet::DAC_READ_SEARCH)?;
    Ok(true)
}

/// Gives up the right to read, too.
pub fn drop_capabilities() -> io::Result<()> {
    keep(CapabilitySet::empty())
}

fn keep(set: CapabilitySet) -> io::Result<()> {
    let sets = CapabilitySets { effective: set, permitted: set, inheritable: CapabilitySet::empty() };
    Ok(set_capabilities(None, sets)?)
}
