//! Where the snapshots of devices are kept.

use std::{
    fs::DirBuilder,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf, absolute},
};

use anyhow::Context as _;
use guardhouse_contract::scans::{Address, DeviceSnapshotFolder, address::Place};
use guardhouse_store::Store;
use prost::Message as _;

use super::ServeArgs;

/// What it is called in a data folder.
const NAME: &str = "device-snapshots";

/// Makes the folder if it is not there, and says in the store where it is: workers are told from there. `None`: this server
/// has none.
///
/// # Errors
/// The folder cannot be made, or the store fails.
pub async fn open(args: &ServeArgs, store: &Store) -> anyhow::Result<Option<PathBuf>> {
    let named = args.device_snapshots.clone().or_else(|| args.storage.folder_in(NAME));
    let Some(folder) = named else { return Ok(None) };
    let shown = folder.display();
    let failed =
        || format!("cannot keep snapshots of devices in {shown}; --device-snapshots names another folder");
    let folder = make(&folder).with_context(failed)?;
    let path = folder.to_str().context("its path is not UTF-8").with_context(failed)?.to_owned();
    let address = Address { place: Some(Place::DeviceSnapshots(DeviceSnapshotFolder { path })) };
    store.agentless_snapshot_folder_set(address.encode_to_vec()).await?;
    Ok(Some(folder))
}

/// Nobody else reads what is in it: these are the disks of devices.
fn make(folder: &Path) -> std::io::Result<PathBuf> {
    let folder = absolute(folder)?;
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    Ok(folder)
}
