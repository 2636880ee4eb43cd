//! A clock that a descriptor shows.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::Duration,
};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

/// A clock that a descriptor shows: it counts while the machine is awake, and nobody can set it.
#[derive(Debug)]
pub(crate) struct Timer(OwnedFd);

impl Timer {
    /// A clock that is not set: it never becomes readable.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?))
    }

    /// Becomes readable `after` this moment, and not before; it stays so until it is set again.
    pub(crate) fn set(&self, after: Duration) -> io::Result<()> {
        // Zero would switch the timer off.
        let it_value = Timespec::try_from(after.max(Duration::from_nanos(1)))
            .unwrap_or(Timespec { tv_sec: i64::from(u32::MAX), tv_nsec: 0 });
        let once = Itimerspec { it_interval: Timespec::default(), it_value };
        timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }
}

impl AsFd for Timer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
