//! Watches a script: reads both streams, keeps the time limit, hears when it is to stop, ends its process group.

use std::{
    fs::File,
    io::{self, Read as _},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    process::{Child, ExitStatus},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open},
};

use crate::system::capture::Capture;
use crate::{runs::cancel::CancelWatch, timer::Timer};

/// How long the streams may stay open when the script itself is over: a background process that holds them
/// must not hold the run.
const GRACE: Duration = Duration::from_secs(2);

/// How long the script may take to die when it was killed; only a process that hangs in the kernel takes any.
const DEATH: Duration = Duration::from_secs(10);

/// How a script ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// Absent when it was killed and did not die.
    pub(super) status: Option<ExitStatus>,
    pub(super) timed_out: bool,
    /// It was killed because the run is to be stopped.
    pub(super) cancelled: bool,
    pub(super) stdout: Capture,
    pub(super) stderr: Capture,
}

/// Waits for a script that leads a process group and whose streams are pipes, of each of which at most `output_limit`
/// bytes are kept. It is stopped when `cancel` says so.
pub(super) fn supervise(
    mut child: Child,
    limit: Duration,
    output_limit: usize,
    cancel: Option<&CancelWatch>,
) -> io::Result<Ended> {
    let group = Pid::from_child(&child);
    let watched = watch(&mut child, group, limit, output_limit, cancel);
    // The script is not reaped yet: until then the kernel gives its id to no other process or group.
    kill_group(group);
    let Watched { exited, timed_out, cancelled, output: [stdout, stderr] } = watched?;
    let status = if exited { Some(child.wait()?) } else { None };
    Ok(Ended { status, timed_out, cancelled, stdout, stderr })
}

/// What was seen of a script.
struct Watched {
    exited: bool,
    timed_out: bool,
    cancelled: bool,
    /// Of standard output and standard error.
    output: [Capture; 2],
}

fn watch(
    child: &mut Child,
    group: Pid,
    limit: Duration,
    output_limit: usize,
    cancel: Option<&CancelWatch>,
) -> io::Result<Watched> {
    let leader = pidfd_open(group, PidfdFlags::empty())?;
    let timer = Timer::new()?;
    timer.set(limit)?;
    let mut stdout = Stream::new(child.stdout.take(), output_limit);
    let mut stderr = Stream::new(child.stderr.take(), output_limit);
    let (mut exited, mut timed_out, mut cancelled) = (false, false, false);
    // It may have been said before the watch began.
    let mut wish = cancel.map_or(Ok(false), CancelWatch::is_cancelled)?;

    while !exited || stdout.pipe.is_some() || stderr.pipe.is_some() {
        let leader = (!exited).then(|| leader.as_fd());
        if wish && !exited && !timed_out && !cancelled {
            cancelled = true;
            kill_group(group);
            timer.set(DEATH)?;
        }
        let cancel_fd = cancel.map(CancelWatch::fd);
        let ready = ready([leader, Some(timer.as_fd()), stdout.fd(), stderr.fd(), cancel_fd])?;
        if ready[4] {
            wish = cancel.map_or(Ok(false), CancelWatch::is_cancelled)?;
        }
        if ready[2] {
            stdout.read()?;
        }
        if ready[3] {
            stderr.read()?;
        }
        if ready[0] {
            exited = true;
            timer.set(GRACE)?;
        } else if ready[1] {
            if exited || timed_out || cancelled {
                break;
            }
            timed_out = true;
            kill_group(group);
            timer.set(DEATH)?;
        }
    }
    Ok(Watched { exited, timed_out, cancelled, output: [stdout.capture, stderr.capture] })
}

fn kill_group(group: Pid) {
    // Fails only when nobody is left in the group.
    let _ = kill_process_group(group, Signal::KILL);
}

/// Waits until at least one of the descriptors is ready; absent ones never are.
fn ready<const N: usize>(fds: [Option<BorrowedFd<'_>>; N]) -> io::Result<[bool; N]> {
    let mut polled: Vec<_> =
        fds.iter().flatten().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
    match poll(&mut polled, None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let mut results = polled.iter().map(|fd| !fd.revents().is_empty());
    Ok(fds.map(|fd| fd.is_some() && results.next().unwrap_or(false)))
}

/// One output stream of the script, open as long as there is a pipe.
struct Stream {
    pipe: Option<File>,
    capture: Capture,
}

impl Stream {
    fn new(pipe: Option<impl Into<OwnedFd>>, output_limit: usize) -> Self {
        Self { pipe: pipe.map(|pipe| File::from(pipe.into())), capture: Capture::new(output_limit) }
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Reads what is there, without waiting for more.
    fn read(&mut self) -> io::Result<()> {
        let Some(pipe) = &mut self.pipe else { return Ok(()) };
        let mut buffer = [0; 16 * 1024];
        match pipe.read(&mut buffer) {
            Ok(0) => self.pipe = None,
            Ok(length) => self.capture.push(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
