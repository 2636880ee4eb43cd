//! Files that survive a power cut at any moment.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

/// Permissions of files with secrets: the owner may read and write.
pub const PRIVATE_FILE: u32 = 0o600;

/// Permissions of folders: nobody but the owner may enter.
const PRIVATE_FOLDER: u32 = 0o700;

/// Makes a folder that only its owner may enter, with those above it; one that exists is left as it is.
///
/// # Errors
/// What the system says.
pub fn create_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent()
        && !parent.as_os_str().is_empty()
    {
        create_folder(parent)?;
    }
    DirBuilder::new().mode(PRIVATE_FOLDER).create(path)?;
    sync_parent(path)
}

/// Writes a whole file: after a crash there is the old content or the new one, never a mixture.
///
/// Only one process at a time may write the file; the locks of the agent and of its runners see to that.
///
/// # Errors
/// What the system says; the old content is still there then.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(PRIVATE_FILE).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    sync_parent(path)
}

/// Makes an empty file; answers whether it was this call that made it.
///
/// # Errors
/// What the system says.
pub fn create_marker(path: &Path) -> io::Result<bool> {
    match OpenOptions::new().write(true).create_new(true).mode(PRIVATE_FILE).open(path) {
        Ok(file) => {
            file.sync_all()?;
            sync_parent(path)?;
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes a file, or a folder with everything in it, if it is there.
///
/// # Errors
/// What the system says.
pub fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes the names in the folder of `path` durable.
///
/// # Errors
/// What the system says.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn files_are_private_and_replaced_as_a_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a/b/file");
        create_folder(path.parent().expect("a parent")).expect("created");
        write(&path, b"first, longer").expect("written");
        write(&path, b"second").expect("written");
        assert_eq!(fs::read(&path).expect("read"), b"second");

        let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&folder.path().join("a"))), (0o600, 0o700));
        assert_eq!(fs::read_dir(path.parent().expect("a parent")).expect("list").count(), 1);
    }

    #[test]
    fn what_is_there_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let tree = folder.path().join("tree");
        fs::create_dir_all(tree.join("below")).expect("made");
        fs::write(tree.join("file"), "").expect("written");
        for path in [tree.join("file"), tree.clone(), tree] {
            remove(&path).expect("removed");
            remove(&path).expect("gone");
            assert!(!path.exists());
        }
    }

    #[test]
    fn only_one_call_makes_a_marker() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("begun");
        assert!(create_marker(&path).expect("made"));
        assert!(!create_marker(&path).expect("found"));
    }
}
