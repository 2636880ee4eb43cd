//! Whether a folder is the root of a system.

use super::{Tree, TreeReader, os};
use crate::{
    file_system::{FileKind, ReadError},
    path::FilePath,
};

/// Databases of package managers, in their places below the root.
const DATABASES: [&str; 9] = [
    "/var/lib/dpkg/status",
    "/var/lib/dpkg/status.d",
    "/lib/apk/db/installed",
    "/usr/lib/apk/db/installed",
    "/var/lib/rpm/Packages",
    "/var/lib/rpm/Packages.db",
    "/var/lib/rpm/rpmdb.sqlite",
    "/usr/lib/sysimage/rpm/rpmdb.sqlite",
    "/usr/lib/sysimage/rpm/Packages.db",
];

/// What a root is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RootKind {
    Unix,
    Windows,
}

/// What the root of a tree is the root of; `None` for data. What cannot be read is no root: its volume is read as data,
/// and whoever does so meets the error.
pub(super) fn kind(tree: &Tree) -> Option<RootKind> {
    let mut reader = tree.reader().ok()?;
    // Links are not followed: `/etc/os-release` is one to `/usr`, which may be on another volume.
    let mut has = |path: &str| matches!(reader.find_entry(&FilePath::new(path.as_bytes())), Ok(Some(_)));
    if os::files().any(&mut has) || DATABASES.into_iter().any(has) {
        return Some(RootKind::Unix);
    }
    let is_windows = matches!(has_folders(&mut reader, &[b"windows", b"system32"]), Ok(true));
    is_windows.then_some(RootKind::Windows)
}

/// Whether there are folders of these names below each other, in whatever case they are written.
fn has_folders(reader: &mut TreeReader, names: &[&[u8]]) -> Result<bool, ReadError> {
    let mut here = reader.root();
    for name in names {
        let mut found = None;
        reader.read_folder(&here, &mut |entry, place| {
            if !entry.name.eq_ignore_ascii_case(name) {
                return std::ops::ControlFlow::Continue(());
            }
            found = Some(place);
            std::ops::ControlFlow::Break(())
        })?;
        match found {
            Some(place) if reader.metadata(&place)?.kind == FileKind::Folder => here = place,
            _ => return Ok(false),
        }
    }
    Ok(true)
}
