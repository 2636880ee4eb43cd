//! Files that processes lock (`flock`), so that one of them at a time does something. The kernel drops a lock when its
//! process dies, however it dies.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    time::Duration,
};

use crate::durable;

/// How often a lock that another process holds is tried, and how long is waited in between: two seconds together.
const ATTEMPTS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// Opens a lock file, making it where it is missing, without locking it.
///
/// # Errors
/// What the system says; `NotFound` when its folder does not exist.
pub fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(durable::PRIVATE_FILE).open(path)
}

/// Tries to get a lock, again for a moment when another process holds it; answers whether it got it.
///
/// # Errors
/// What the system says.
pub async fn try_for_a_moment(file: &File) -> io::Result<bool> {
    for _ in 0..ATTEMPTS {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(false)
}
