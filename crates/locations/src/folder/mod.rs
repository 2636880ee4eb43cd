//! Folders of this machine.

mod besides;
mod layout;
mod thread;
mod walk;

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use guardhouse_image::target::{TargetKind, probe};

use crate::{Fetched, Folders, Found, Listing, Trouble, limits, name, version::Version};
use thread::work;

/// Lists a folder and its sub-folders.
pub(crate) async fn list(path: PathBuf, folders: Folders) -> Result<Listing, Trouble> {
    work(path, move |path, stop| walk::list(&root(path, &folders)?, stop)).await
}

/// Lists a layout.
pub(crate) async fn list_layout(path: PathBuf, folders: Folders) -> Result<Listing, Trouble> {
    work(path, move |path, _| {
        let root = root(path, &folders)?;
        Ok(limited(layout::assets(&root)?.into_iter().map(layout::Asset::found), Vec::new()))
    })
    .await
}

/// Finds an asset of a folder.
pub(crate) async fn fetch(path: PathBuf, name: String, folders: Folders) -> Result<Fetched, Trouble> {
    work(path, move |path, _| {
        let root = root(path, &folders)?;
        name::check(&name)?;
        match layout::split(&root, &name)? {
            Some((folder, image)) => layout::fetch(&folder, image, &name),
            None => fetch_file(&root, &name),
        }
    })
    .await
}

/// Finds an image of a layout.
pub(crate) async fn fetch_from_layout(
    path: PathBuf,
    name: String,
    folders: Folders,
) -> Result<Fetched, Trouble> {
    work(path, move |path, _| layout::fetch(&root(path, &folders)?, &name, &name)).await
}

/// The folder of a location, with links resolved: whoever registered it may have named one. It may lead to none but
/// `folders`.
fn root(path: &Path, folders: &Folders) -> Result<PathBuf, Trouble> {
    let root = path.canonicalize().map_err(|error| Trouble::system(path.display(), &error))?;
    folders.permit(&root)?;
    match root.is_dir() {
        true => Ok(root),
        false => {
            Err(Trouble::lasting(format!("{} is not a folder; name the folder it lies in", path.display())))
        }
    }
}

/// What lies at a name, without following a symbolic link anywhere below the location.
fn inside(root: &Path, parts: &[&str]) -> Result<PathBuf, Trouble> {
    let mut path = root.to_owned();
    for part in parts {
        path.push(part);
        let metadata =
            fs::symlink_metadata(&path).map_err(|error| Trouble::system(path.display(), &error))?;
        if metadata.is_symlink() {
            let link = path.display();
            return Err(Trouble::lasting(format!(
                "{link} is a symbolic link, and none is followed in a location"
            )));
        }
    }
    Ok(path)
}

fn fetch_file(root: &Path, name: &str) -> Result<Fetched, Trouble> {
    let parts = name::parts(name)?;
    let path = inside(root, &parts)?;
    let metadata = fs::symlink_metadata(&path).map_err(|error| Trouble::system(path.display(), &error))?;
    if !metadata.is_file() {
        return Err(Trouble::lasting(format!("{} is no file, and no folder with images", path.display())));
    }
    let probed = probe(&path).map_err(|error| Trouble::system(path.display(), &error))?;
    let probed = probed.ok_or_else(|| {
        Trouble::lasting(format!("{} is no disk image and no archive of a system any more", path.display()))
    })?;
    let also = besides::all(root, &parts, probed.refers_to)?;
    let (size_bytes, version) = measure(&path, &also)?;
    Ok(Fetched { path, also, image: None, version, size_bytes, temporary: None })
}

/// How long a file and those that it needs are, and their version. The time of the last change of the inode is in it: a
/// program can set that of the content back.
fn measure(path: &Path, also: &[PathBuf]) -> Result<(u64, String), Trouble> {
    let (mut size, mut version) = (0_u64, Version::default());
    for path in std::iter::once(path).chain(also.iter().map(PathBuf::as_path)) {
        let metadata = fs::symlink_metadata(path).map_err(|error| Trouble::system(path.display(), &error))?;
        size = size.saturating_add(metadata.len());
        let times = [metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec()];
        version.add(&format!("{} {} {times:?}", metadata.ino(), metadata.len()));
    }
    Ok((size, version.finish()))
}

/// Whether something at a path can be scanned, and what it is.
fn kind(path: &Path) -> std::io::Result<Option<TargetKind>> {
    Ok(probe(path)?.map(|probed| probed.kind))
}

/// A listing within its bounds, by name.
pub(crate) fn limited(found: impl IntoIterator<Item = Found>, mut left_out: Vec<String>) -> Listing {
    let mut found: Vec<Found> = found.into_iter().collect();
    found.retain(|found| match name::check(&found.name) {
        Ok(()) => true,
        Err(trouble) => {
            left_out.push(trouble.to_string());
            false
        }
    });
    found.sort_by(|one, other| one.name.cmp(&other.name));
    if found.len() > limits::ASSETS {
        let (all, limit) = (found.len(), limits::ASSETS);
        left_out.insert(
            0,
            format!("{all} assets, of which the first {limit} are listed; register folders of it apart"),
        );
        found.truncate(limit);
    }
    if left_out.len() > limits::LEFT_OUT {
        let more = left_out.len() - limits::LEFT_OUT + 1;
        left_out.truncate(limits::LEFT_OUT - 1);
        left_out.push(format!("and {more} more"));
    }
    Listing { found, left_out }
}
