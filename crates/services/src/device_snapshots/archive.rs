//! The archive of a snapshot, in parts until it is whole.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use guardhouse_model::{DeviceId, RunId, agentless::snapshots};

/// What stands behind the name of an archive until it is whole.
const PART: &str = "part";

/// Where the archive of a run is, and where it is until it is whole.
#[derive(Debug, Clone)]
pub struct Archive {
    /// Has a folder for each device.
    root: PathBuf,
    folder: PathBuf,
    whole: PathBuf,
    part: PathBuf,
}

/// How much of an archive there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// So many bytes from its beginning.
    Part(u64),
    /// All of it, which is so many bytes.
    Whole(u64),
}

impl Kept {
    /// In bytes.
    pub fn bytes(self) -> u64 {
        match self {
            Self::Part(bytes) | Self::Whole(bytes) => bytes,
        }
    }
}

impl Archive {
    /// The archive of a run of a device in `root`, the folder for snapshots.
    pub fn of(root: &Path, device: DeviceId, run: RunId) -> Self {
        let whole = root.join(snapshots::archive(device, run));
        let part = whole.with_added_extension(PART);
        let folder = whole.parent().unwrap_or(root).to_owned();
        Self { root: root.to_owned(), folder, whole, part }
    }

    /// How much there is.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn kept(&self) -> io::Result<Kept> {
        match length(&self.whole)? {
            Some(bytes) => Ok(Kept::Whole(bytes)),
            None => Ok(Kept::Part(length(&self.part)?.unwrap_or(0))),
        }
    }

    /// Keeps what begins at `offset`, if everything before that is there, and answers how much is on disk then. The archive is
    /// whole with the last part.
    ///
    /// The part that was kept last may come again, as its sender has heard no answer: it is written again, because a server
    /// that died in the middle of it left some of it behind. One that came before it is left as it is.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn put(&self, offset: u64, content: &[u8], is_last: bool) -> io::Result<Kept> {
        // Nothing is made for a part in the middle: the archive may have been removed.
        let Some(file) = self.open(offset == 0)? else { return self.kept() };
        // One connection at a time: that of an agent may be replaced while the server still works on the one before.
        file.lock()?;
        if let Some(bytes) = length(&self.whole)? {
            if file.metadata()?.len() == 0 {
                // Made here, while another connection sent the end.
                found(fs::remove_file(&self.part))?;
            }
            return Ok(Kept::Whole(bytes));
        }
        let there = file.metadata()?.len();
        let end = offset.saturating_add(content.len() as u64);
        if offset > there || end < there {
            return Ok(Kept::Part(there));
        }
        file.write_all_at(content, offset)?;
        file.sync_data()?;
        if offset == 0 {
            // That there is such a file is to outlast a power cut, as its content does.
            for folder in [&self.folder, &self.root] {
                File::open(folder)?.sync_all()?;
            }
        }
        if !is_last {
            return Ok(Kept::Part(end));
        }
        fs::rename(&self.part, &self.whole)?;
        File::open(&self.folder)?.sync_all()?;
        Ok(Kept::Whole(end))
    }

    /// The file of an archive that is not whole; `None`: there is none, and none is made.
    fn open(&self, make: bool) -> io::Result<Option<File>> {
        if make {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        }
        let file = OpenOptions::new().read(true).write(true).create(make).mode(0o600).open(&self.part);
        found(file)
    }
}

fn length(path: &Path) -> io::Result<Option<u64>> {
    Ok(found(fs::metadata(path))?.map(|file| file.len()))
}

fn found<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn archive(root: &Path) -> Archive {
        let id = |number| uuid::Uuid::from_u128(number);
        Archive::of(root, DeviceId(id(1)), RunId(id(2)))
    }

    #[test]
    fn parts_become_an_archive() {
        let root = tempfile::tempdir().expect("a folder");
        let archive = archive(root.path());
        assert_eq!(archive.kept().expect("reads"), Kept::Part(0));
        assert_eq!(archive.put(0, b"first", false).expect("writes"), Kept::Part(5));
        assert_eq!(archive.kept().expect("reads"), Kept::Part(5));
        assert_eq!(archive.put(5, b"second", true).expect("writes"), Kept::Whole(11));
        assert_eq!(archive.kept().expect("reads"), Kept::Whole(11));
        assert_eq!(fs::read(&archive.whole).expect("is there"), b"firstsecond");
        assert!(!archive.part.exists());
        let mode = |path: &Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
        assert_eq!((mode(&archive.folder), mode(&archive.whole)), (0o700, 0o600), "nobody else reads it");
        assert_eq!(archive.put(5, b"second", true).expect("is there"), Kept::Whole(11), "said again");
        assert!(!archive.part.exists());
    }

    #[test]
    fn parts_that_are_said_again_or_too_early_change_nothing() {
        let root = tempfile::tempdir().expect("a folder");
        let archive = archive(root.path());
        assert_eq!(archive.put(5, b"second", false).expect("none"), Kept::Part(0));
        assert!(!archive.folder.exists(), "nothing is made of what has no beginning");
        archive.put(0, b"first", false).expect("writes");
        assert_eq!(archive.put(6, b"gap", true).expect("reads"), Kept::Part(5));
        archive.put(5, b"second", false).expect("writes");
        assert_eq!(archive.put(0, b"FIRST", false).expect("reads"), Kept::Part(11), "came before");
        assert_eq!(archive.put(5, b"second", false).expect("writes"), Kept::Part(11), "came last");
        assert_eq!(archive.put(11, b"", true).expect("writes"), Kept::Whole(11), "an end of its own");
        assert_eq!(fs::read(&archive.whole).expect("is there"), b"firstsecond");
    }

    #[test]
    fn a_part_that_was_cut_short_is_written_again() {
        let root = tempfile::tempdir().expect("a folder");
        let archive = archive(root.path());
        archive.put(0, b"first", false).expect("writes");
        let cut = OpenOptions::new().write(true).open(&archive.part).expect("is there");
        cut.write_all_at(b"\0\0", 5).expect("writes");
        assert_eq!(archive.put(5, b"second", true).expect("writes"), Kept::Whole(11));
        assert_eq!(fs::read(&archive.whole).expect("is there"), b"firstsecond");
    }

    #[test]
    fn two_connections_do_not_mix() {
        const PARTS: u64 = 64;
        const LENGTH: usize = 4_096;
        let root = tempfile::tempdir().expect("a folder");
        let archive = archive(root.path());
        let send = || {
            for number in 0..PARTS {
                let content = [u8::try_from(number).expect("few"); LENGTH];
                let offset = number * LENGTH as u64;
                let kept = archive.put(offset, &content, number + 1 == PARTS).expect("writes");
                assert!(kept.bytes() >= offset + LENGTH as u64, "{kept:?} after part {number}");
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(send);
            }
        });
        let whole = fs::read(&archive.whole).expect("is there");
        assert_eq!(whole.len() as u64, PARTS * LENGTH as u64);
        let is_right = |(position, byte): (usize, &u8)| usize::from(*byte) == position / LENGTH;
        assert!(whole.iter().enumerate().all(is_right));
        assert!(!archive.part.exists());
    }
}
