//! How a runner hears that its run is to be stopped, without asking again and again.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    fs::inotify::{CreateFlags, WatchFlags, add_watch, init},
    io::{Errno, read},
};

use super::folder::Folder;

/// Watches the folder of a run for the wish to stop it.
#[derive(Debug)]
pub struct CancelWatch {
    changes: OwnedFd,
    folder: Folder,
}

impl CancelWatch {
    /// Watches a folder.
    ///
    /// # Errors
    /// What the system says, for example that this user watches too much already.
    pub fn new(folder: &Folder) -> io::Result<Self> {
        let changes = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        add_watch(&changes, folder.path(), WatchFlags::CREATE)?;
        Ok(Self { changes, folder: folder.clone() })
    }

    /// A descriptor that becomes readable when the run may have been cancelled since the watch began. What was there
    /// before is told by [`CancelWatch::is_cancelled`].
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.changes.as_fd()
    }

    /// Whether the run is to be stopped. The descriptor is no longer readable until something else changes.
    ///
    /// # Errors
    /// What the system says.
    pub fn is_cancelled(&self) -> io::Result<bool> {
        let mut events = [0; 4_096];
        loop {
            match read(&self.changes, &mut events) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) => return Ok(self.folder.is_cancelled()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use guardhouse_contract::link::Order;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::*;

    #[test]
    fn only_the_wish_to_stop_is_heard_as_such() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = Folder::at(root.path().join("run"));
        folder.create(&Order::default()).expect("made");
        let watch = CancelWatch::new(&folder).expect("watched");
        let stirs = || {
            let mut fds = [PollFd::from_borrowed_fd(watch.fd(), PollFlags::IN)];
            poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).expect("polls") > 0
        };
        assert!(!watch.is_cancelled().expect("readable") && !stirs());
        fs::write(folder.path().join("another"), []).expect("written");
        assert!(stirs());
        assert!(!watch.is_cancelled().expect("readable"));
        assert!(!stirs(), "it was another file");
        folder.cancel().expect("asked");
        assert!(stirs());
        assert!(watch.is_cancelled().expect("readable") && !stirs());
    }
}
