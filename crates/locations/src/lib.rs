//! Places where disk images and container images lie: lists what can be scanned there, and fetches one of them to be read.
//!
//! ```text
//! Address           a folder, an OCI layout, a store of objects (S3, WebDAV)
//!  ├ list           → [`Found`]: name, size, a version that changes with the content
//!  └ fetch          → [`Fetched`]: a path to open, which is the file itself where it lies on this machine
//! ```
//!
//! Knows neither what is registered nor who asks. What lies there may have been put there by an attacker: a name never
//! leads out of its location, lists have bounds ([`limits`]), and of files only heads are looked at here.

mod address;
mod contract;
mod endings;
mod folder;
mod folders;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod limits;
mod name;
mod remote;
mod trouble;
mod version;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

pub use address::{Address, Credentials, Flaw, ObjectStore};
pub use folders::Folders;
pub use trouble::Trouble;

/// Something that can be scanned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name in its location: a path with `/`; of an image in a layout `PATH#IMAGE`, or `IMAGE` where the location is
    /// the layout.
    pub name: String,
    /// How much there is to read at most, in bytes, with the files that it refers to.
    pub size_bytes: u64,
    /// Another text whenever the content is another.
    pub version: String,
}

/// What lies in a location.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// By name.
    pub found: Vec<Found>,
    /// What was left out and why: sentences.
    pub left_out: Vec<String>,
}

/// An asset that can be opened.
#[derive(Debug)]
pub struct Fetched {
    /// Where it is on this machine.
    pub path: PathBuf,
    /// Other files that it needs and may refer to.
    pub also: Vec<PathBuf>,
    /// Which image of a layout it is; `None`: all that is at the path.
    pub image: Option<String>,
    /// As it is listed now; it may have changed since it was listed.
    pub version: String,
    /// As it is listed now, in bytes.
    pub size_bytes: u64,
    /// What was made for this one use.
    temporary: Option<TempDir>,
}

impl Fetched {
    /// Whether the path is a copy, which is removed when this value is dropped.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }
}

/// Lists what can be scanned in a location. Of this machine only `folders` are read. Dropped, it stops.
///
/// # Errors
/// [`Trouble`]: the location as a whole cannot be read. Parts of it that cannot be are left out, and told.
pub async fn list(address: &Address, folders: &Folders) -> Result<Listing, Trouble> {
    let listing = async {
        match address {
            Address::Folder { path } => folder::list(path.clone(), folders.clone()).await,
            Address::OciLayout { path } => folder::list_layout(path.clone(), folders.clone()).await,
            Address::ObjectStore(store) => remote::list(store).await,
        }
    };
    match tokio::time::timeout(limits::LIST_TIME, listing).await {
        Ok(listing) => listing,
        Err(_) => Err(Trouble::passing(format!(
            "listing it takes longer than {} minutes; register folders of it as locations of their own",
            limits::LIST_TIME.as_secs() / 60
        ))),
    }
}

/// Makes an asset readable on this machine. What has to be copied goes into a folder of its own below `scratch`, which is
/// removed with the answer. Of this machine only `folders` are read. Dropped, it stops and leaves nothing behind; a process
/// that is killed leaves that folder.
///
/// # Errors
/// [`Trouble`]: there is no such asset, it cannot be reached, it changed meanwhile, or there is no room for it.
pub async fn fetch(
    address: &Address,
    name: &str,
    scratch: &Path,
    folders: &Folders,
) -> Result<Fetched, Trouble> {
    let folders = folders.clone();
    match address {
        Address::Folder { path } => folder::fetch(path.clone(), name.to_owned(), folders).await,
        Address::OciLayout { path } => {
            folder::fetch_from_layout(path.clone(), name.to_owned(), folders).await
        }
        Address::ObjectStore(store) => remote::fetch(store, name, scratch).await,
    }
}
