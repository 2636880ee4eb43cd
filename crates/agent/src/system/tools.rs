//! Runs programs of the system for an action.
//!
//! What they write goes to files in the folder of the run, never to a pipe: a package manager that works on when its
//! runner was killed must not die of a reader that is gone. For the same reason each leads a process group of its own.

use std::{
    cell::Cell,
    env,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom},
    os::unix::{fs::OpenOptionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use guardhouse_contract::action::Output;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open},
};

use super::{SEARCH_PATH, System, capture::Capture, exit_code};
use crate::{
    durable::PRIVATE_FILE, inventory::system::os_release, outcome::Failure, timer::Timer,
    workplace::Workplace,
};

/// How often a program that works is looked at: for its progress, and for the wish to stop it.
const LOOK: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// How long a program that is to stop may take, before it is killed.
const FAREWELL: Duration = Duration::from_secs(10);

/// How long looking at what was done may take.
const VERIFICATION: Duration = Duration::from_secs(10 * 60);

/// Most that is kept in mind of what a program said.
const MOST_SAID: u64 = 256 * 1024;

/// How often a program that found its lock taken is tried again, every [`BUSY_PAUSE`] looks: for ten minutes.
const BUSY_ROUNDS: u32 = 120;
const BUSY_PAUSE: u32 = 5;

/// Variables that say by which proxy the system reaches the network.
const PROXIES: [&str; 10] = [
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
];

/// A program with a small environment: English and UTF-8, and the proxies of the agent or, where it has none, those of
/// `/etc/environment`.
#[must_use]
pub fn command(system: &System, program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    let text = system.text("/etc/environment").unwrap_or_default();
    let settings = os_release(&text);
    let proxy = |name: &str| env::var(name).ok().or_else(|| settings.get(name).cloned());
    command
        .env_clear()
        .env("PATH", SEARCH_PATH.join(":"))
        .env("HOME", "/root")
        .env("LC_ALL", "C.UTF-8")
        .envs(PROXIES.iter().filter_map(|name| Some((*name, proxy(name)?))))
        .current_dir("/")
        .stdin(Stdio::null());
    command
}

/// Whether a program may be stopped before it ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It changes nothing that counts.
    AtAnyTime,
    /// The system would be left half changed: it is waited for, and when the time is over it is left alone.
    Never,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; 128 + the signal's number when a signal ended it.
    pub code: i32,
    /// What it wrote to both streams: the end of it, where that is very long.
    pub said: String,
}

/// What an action has to run programs with, and what they wrote.
#[derive(Debug)]
pub struct Tools<'a> {
    /// Where the action is carried out.
    pub workplace: &'a Workplace,
    /// The system whose programs are run.
    pub system: &'a System,
    transcript: PathBuf,
    limit: Timer,
    hours: u64,
    /// It is too late to cancel: something was changed.
    committed: Cell<bool>,
}

impl<'a> Tools<'a> {
    /// Begins; all programs together may take so many hours.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn new(workplace: &'a Workplace, system: &'a System, hours: u64) -> io::Result<Self> {
        let limit = Timer::new()?;
        limit.set(Duration::from_secs(hours * 60 * 60))?;
        let transcript = workplace.folder.path().join("transcript");
        Ok(Self { workplace, system, transcript, limit, hours, committed: Cell::new(false) })
    }

    /// Runs a program that only tells something; answers what it wrote to its standard output, and where its exit code is
    /// not 0, also what it wrote to the other stream.
    ///
    /// # Errors
    /// It could not be run to its end: `PROGRAM_NOT_STARTED`, `CANCELLED`, `TIMED_OUT`.
    pub fn query(&self, command: &mut Command) -> Result<Ended, Failure> {
        self.ask(command, Stop::AtAnyTime)
    }

    /// As [`Tools::query`], of a program that changes something, too: it is not stopped by a run that is cancelled.
    ///
    /// # Errors
    /// It could not be run to its end: `PROGRAM_NOT_STARTED`, `TIMED_OUT`.
    pub fn query_to_the_end(&self, command: &mut Command) -> Result<Ended, Failure> {
        self.ask(command, Stop::Never)
    }

    fn ask(&self, command: &mut Command, stop: Stop) -> Result<Ended, Failure> {
        let answer = self.workplace.folder.path().join("answer");
        let (file, errors) = (open(&answer, true), open(&self.transcript, false));
        let (file, errors) = (file.map_err(|error| lost(&error))?, errors.map_err(|error| lost(&error))?);
        let begin = errors.metadata().map_err(|error| lost(&error))?.len();
        let code = self.wait(command.stdout(file).stderr(errors), stop, &mut || {})?;
        let said = fs::read(&answer).map_err(|error| lost(&error))?;
        let mut said = String::from_utf8_lossy(&said).into_owned();
        if code != 0 {
            said += &self.said_since(begin).map_err(|error| lost(&error))?;
        }
        Ok(Ended { code, said })
    }

    /// Runs a program; what it writes becomes part of the output of the action. `look` is called every second.
    ///
    /// # Errors
    /// It could not be run to its end: `PROGRAM_NOT_STARTED`, `CANCELLED`, `TIMED_OUT`.
    pub fn run(&self, command: &mut Command, stop: Stop, look: &mut dyn FnMut()) -> Result<Ended, Failure> {
        let file = open(&self.transcript, false).map_err(|error| lost(&error))?;
        let begin = file.metadata().map_err(|error| lost(&error))?.len();
        let errors = file.try_clone().map_err(|error| lost(&error))?;
        let code = self.wait(command.stdout(file).stderr(errors), stop, look)?;
        Ok(Ended { code, said: self.said_since(begin).map_err(|error| lost(&error))? })
    }

    /// Runs a program, again and again for some minutes while it says that another one holds its lock.
    ///
    /// # Errors
    /// As [`Tools::run`], and `PACKAGE_MANAGER_BUSY`.
    pub fn run_when_free(
        &self,
        command: &mut Command,
        stop: Stop,
        is_busy: fn(&Ended) -> bool,
        look: &mut dyn FnMut(),
    ) -> Result<Ended, Failure> {
        for _ in 0..BUSY_ROUNDS {
            let ended = self.run(command, stop, look)?;
            if !is_busy(&ended) {
                return Ok(ended);
            }
            self.workplace.progress("WAITING", None, "another program uses the package manager");
            self.pause()?;
        }
        let last = self.said_since(0).unwrap_or_default();
        let last = last.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
        let reason = format!(
            "another program has used the package manager for {} minutes; try again when it is done: {last}",
            BUSY_ROUNDS * BUSY_PAUSE / 60
        );
        Err(Failure::new("PACKAGE_MANAGER_BUSY", reason))
    }

    /// What all programs wrote so far: head and tail.
    #[must_use]
    pub fn output(&self) -> Output {
        self.output_since(0)
    }

    /// Where the output of programs is now, for [`Tools::output_since`].
    #[must_use]
    pub fn mark(&self) -> u64 {
        fs::metadata(&self.transcript).map_or(0, |metadata| metadata.len())
    }

    /// What programs wrote since then: head and tail.
    #[must_use]
    pub fn output_since(&self, mark: u64) -> Output {
        let mut capture = Capture::new(self.workplace.limits.output_limit);
        let mut read = || -> io::Result<()> {
            let mut file = File::open(&self.transcript)?;
            file.seek(SeekFrom::Start(mark))?;
            let mut buffer = [0; 16 * 1024];
            loop {
                match file.read(&mut buffer)? {
                    0 => return Ok(()),
                    length => capture.push(&buffer[..length]),
                }
            }
        };
        // There is no transcript as long as nothing was run; a broken one costs only itself.
        let _ = read();
        capture.finish()
    }

    fn said_since(&self, begin: u64) -> io::Result<String> {
        use std::os::unix::fs::FileExt as _;
        let file = File::open(&self.transcript)?;
        let end = file.metadata()?.len();
        let begin = begin.max(end.saturating_sub(MOST_SAID));
        let mut said = vec![0; usize::try_from(end - begin).unwrap_or(0)];
        file.read_exact_at(&mut said, begin)?;
        Ok(String::from_utf8_lossy(&said).into_owned())
    }

    /// Something was changed, and what became of it is looked at now: whatever time that took and whoever cancels.
    pub fn look_at_what_is_done(&self) {
        self.too_late_to_cancel();
        // Fails only for times that are none.
        let _ = self.limit.set(VERIFICATION);
    }

    /// Something is about to be changed: a run that is cancelled from now on ends by itself.
    pub fn too_late_to_cancel(&self) {
        self.committed.set(true);
    }

    /// Whether the action may go on.
    ///
    /// # Errors
    /// `CANCELLED`, `TIMED_OUT`.
    pub fn may_go_on(&self) -> Result<(), Failure> {
        if !self.committed.get() && self.workplace.is_cancelled() {
            return Err(Failure::new("CANCELLED", "the run was cancelled before anything was changed"));
        }
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        match poll(&mut [PollFd::new(&self.limit, PollFlags::IN)], Some(&now)) {
            Ok(1) => Err(self.timed_out("it was stopped before anything was changed")),
            _ => Ok(()),
        }
    }

    fn timed_out(&self, what_now: &str) -> Failure {
        Failure::new(
            "TIMED_OUT",
            format!("the action took longer than the {} h it may; {what_now}", self.hours),
        )
    }

    /// Waits before a program is tried again.
    fn pause(&self) -> Result<(), Failure> {
        for _ in 0..BUSY_PAUSE {
            self.may_go_on()?;
            // The limit wakes it early.
            let _ = poll(&mut [PollFd::new(&self.limit, PollFlags::IN)], Some(&LOOK));
        }
        Ok(())
    }

    fn wait(&self, command: &mut Command, stop: Stop, look: &mut dyn FnMut()) -> Result<i32, Failure> {
        let name = command.get_program().to_owned();
        let failed = |error: io::Error| {
            Failure::new("PROGRAM_NOT_STARTED", format!("{} cannot be run: {error}", name.display()))
        };
        if stop == Stop::AtAnyTime {
            self.may_go_on()?;
        }
        let mut child = command.process_group(0).spawn().map_err(failed)?;
        let pid = Pid::from_child(&child);
        let handle = pidfd_open(pid, PidfdFlags::empty()).map_err(|error| failed(error.into()))?;
        loop {
            let mut both = [PollFd::new(&handle, PollFlags::IN), PollFd::new(&self.limit, PollFlags::IN)];
            let waited = poll(&mut both, Some(&LOOK));
            if !both[0].revents().is_empty() {
                return child.wait().map(exit_code).map_err(failed);
            }
            look();
            let timed_out = waited.is_ok() && !both[1].revents().is_empty();
            match stop {
                Stop::Never if timed_out => {
                    let what_now = format!(
                        "{} still works and is left alone, so that the system is not half changed; when it is done, \
                         the next task tells what is left",
                        name.display()
                    );
                    return Err(self.timed_out(&what_now));
                }
                Stop::Never => {}
                Stop::AtAnyTime => {
                    if let Err(failure) = self.may_go_on() {
                        end(&mut child, pid, &handle);
                        return Err(failure);
                    }
                }
            }
        }
    }
}

/// Ends a program and what it started.
fn end(child: &mut Child, group: Pid, handle: &impl std::os::fd::AsFd) {
    let _ = kill_process_group(group, Signal::TERM);
    let farewell = Timespec { tv_sec: i64::try_from(FAREWELL.as_secs()).unwrap_or(1), tv_nsec: 0 };
    let handle = handle.as_fd();
    let _ = poll(&mut [PollFd::from_borrowed_fd(handle, PollFlags::IN)], Some(&farewell));
    // It is not reaped yet: the kernel has given its id to no other group.
    let _ = kill_process_group(group, Signal::KILL);
    let _: io::Result<ExitStatus> = child.wait();
}

fn open(path: &Path, anew: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).mode(PRIVATE_FILE);
    match anew {
        true => options.write(true).truncate(true),
        false => options.append(true),
    };
    options.open(path)
}

fn lost(error: &io::Error) -> Failure {
    Failure::new(
        "OUTPUT_LOST",
        format!("what programs write cannot be kept in the folder of the run: {error}"),
    )
}
