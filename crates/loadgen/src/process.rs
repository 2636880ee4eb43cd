//! What the server process uses, as Linux tells it (proc_pid_smaps, proc_pid_stat and proc_pid_io, all of section 5).

use std::{fs, path::PathBuf, time::Duration};

use anyhow::Context as _;
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
    param::clock_ticks_per_second,
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open},
};

/// How often a file of a process is read again when the process has just become another program.
const REPETITIONS: usize = 10;

/// A process on this machine.
#[derive(Debug, Clone)]
pub struct Process {
    id: u32,
    folder: PathBuf,
}

/// The memory of a process, in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Proportional set size: resident pages, shared ones divided by the number of their users.
    pub pss: u64,
    /// The part of it that no file backs: heap and stacks, without the mapped database.
    pub pss_anonymous: u64,
}

impl Process {
    /// The process with this id.
    ///
    /// # Errors
    /// There is none, or another user owns it.
    pub fn new(id: u32) -> anyhow::Result<Self> {
        let process = Self { id, folder: PathBuf::from(format!("/proc/{id}")) };
        process.memory().and(process.processor_time()).with_context(|| {
            format!("cannot measure process {id}; is it the server, on this machine, and of the same user?")
        })?;
        Ok(process)
    }

    /// What it occupies now.
    ///
    /// # Errors
    /// The process is gone.
    pub fn memory(&self) -> anyhow::Result<Memory> {
        read_memory(&self.read("smaps_rollup")?).context("smaps_rollup without Pss")
    }

    /// User and system time of all its threads since it began, to the clock tick (10 ms).
    ///
    /// # Errors
    /// The process is gone.
    pub fn processor_time(&self) -> anyhow::Result<Duration> {
        let ticks = read_ticks(&self.read("stat")?).context("stat without times")?;
        Ok(Duration::from_millis(ticks * 1_000 / clock_ticks_per_second().max(1)))
    }

    /// Bytes that it has handed to the system to write to files since it began.
    ///
    /// # Errors
    /// The process is gone.
    pub fn written(&self) -> anyhow::Result<u64> {
        read_written(&self.read("io")?).context("io without wchar")
    }

    /// `kill -9`; waits until it is gone, and its port is free. Whoever started it has still to wait for it.
    ///
    /// # Errors
    /// It was gone already, or belongs to another user.
    pub async fn kill(&self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.id).ok().and_then(Pid::from_raw).context("not the id of a process")?;
        // The descriptor stays with this process even when the number is given to another.
        let handle = pidfd_open(pid, PidfdFlags::empty()).context("the process is gone")?;
        kill_process(pid, Signal::KILL).with_context(|| format!("cannot kill process {}", self.id))?;
        // Readable once the process has ended.
        let wait = move || poll(&mut [PollFd::new(&handle, PollFlags::IN)], None);
        tokio::task::spawn_blocking(wait).await??;
        Ok(())
    }

    fn read(&self, file: &str) -> anyhow::Result<String> {
        let path = self.folder.join(file);
        let mut text = fs::read_to_string(&path);
        // A process that becomes another program at this moment (execve), as the shell that starts a server does,
        // takes the memory away that was opened. It is there again at once.
        for _ in 0..REPETITIONS {
            let Err(error) = &text else { break };
            if error.raw_os_error() != Some(Errno::SRCH.raw_os_error()) {
                break;
            }
            text = fs::read_to_string(&path);
        }
        text.with_context(|| format!("cannot read {}", path.display()))
    }
}

fn read_memory(text: &str) -> Option<Memory> {
    let line = |name| text.lines().find_map(|line| line.strip_prefix(name));
    let kib = |rest: &str| rest.trim().strip_suffix("kB")?.trim_end().parse().ok();
    Some(Memory { pss: kib(line("Pss:")?)?, pss_anonymous: kib(line("Pss_Anon:")?)? })
}

fn read_written(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("wchar:"))?.trim().parse().ok()
}

fn read_ticks(text: &str) -> Option<u64> {
    // The name of the program is in parentheses and may hold anything, parentheses too.
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_the_kernel_are_read() {
        let rollup = "5581-7ffd ---p 00000000 00:00 0 [rollup]\nRss: 9 kB\nPss:                8400 kB\n\
            Pss_Dirty: 3 kB\nPss_Anon:           5120 kB\nPss_File: 1 kB\n";
        assert_eq!(read_memory(rollup), Some(Memory { pss: 8400, pss_anonymous: 5120 }));
        assert_eq!(read_memory("Rss: 9 kB\n"), None);

        let stat = "71 (a) b) S 1 71 71 0 -1 4194560 2312 0 1 0 250 31 0 0 20 0 6 0 8100 1 2";
        assert_eq!(read_ticks(stat), Some(281));
        assert_eq!(read_ticks("71 (a) S 1"), None);

        assert_eq!(read_written("rchar: 9\nwchar: 4120\nsyscr: 1\nwrite_bytes: 8192\n"), Some(4_120));
        assert_eq!(read_written("rchar: 9\n"), None);
    }

    #[tokio::test]
    async fn a_killed_process_is_gone() {
        let mut child = tokio::process::Command::new("sleep").arg("600").spawn().expect("sleep starts");
        let process = Process::new(child.id().expect("it runs")).expect("it can be measured");
        process.kill().await.expect("it is ours");
        let ended = child.try_wait().expect("it is our child");
        assert!(ended.is_some_and(|status| !status.success()), "it ended before kill answered");
        process.kill().await.expect_err("it is gone");
    }

    #[test]
    fn this_process_can_be_measured() {
        let this = Process::new(std::process::id()).expect("it runs");
        let memory = this.memory().expect("it runs");
        assert!(memory.pss >= memory.pss_anonymous && memory.pss_anonymous > 0, "{memory:?}");
        this.processor_time().expect("it runs");
        Process::new(u32::MAX).expect_err("there is none");
    }
}
