//! A file that appears under its name only when it is whole.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use super::{BackupError, at};

/// The file while it is written, beside its place. It is removed with the value unless it was finished.
#[derive(Debug)]
pub struct Part {
    path: PathBuf,
    target: PathBuf,
}

impl Part {
    /// Begins the file `target`, which must not exist. While it is written nobody else writes to the same target.
    pub fn begin(target: &Path) -> Result<Self, BackupError> {
        let mut path = target.as_os_str().to_owned();
        path.push(".part");
        let path = PathBuf::from(path);
        // Empty, so that SQLite fills it and keeps the mode: the copy holds keys.
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(
            |error| match error.kind() {
                io::ErrorKind::AlreadyExists => BackupError::Exists(path.clone()),
                _ => at(&path)(error).into(),
            },
        )?;
        let part = Self { path, target: target.to_owned() };
        refuse_existing(target)?;
        Ok(part)
    }

    /// What to write to.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name once it is on disk.
    pub fn finish(self) -> Result<(), BackupError> {
        File::open(&self.path).and_then(|file| file.sync_all()).map_err(at(&self.path))?;
        fs::rename(&self.path, &self.target).map_err(at(&self.target))?;
        let folder = self.target.parent().filter(|parent| !parent.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))?;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After finishing there is none. Else what went wrong is what counts; a part that stays behind says so to the
        // next attempt.
        let _ = fs::remove_file(&self.path);
    }
}

/// Refuses a path with anything there; a dangling link is something, too.
pub fn refuse_existing(path: &Path) -> Result<(), BackupError> {
    match path.symlink_metadata() {
        Ok(_) => Err(BackupError::Exists(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(at(path)(error).into()),
    }
}
