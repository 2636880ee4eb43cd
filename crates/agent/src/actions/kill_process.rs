//! `KillProcessByPid`: kills a process if its executable is the one that is meant.
//!
//! A process id alone names whoever has it at the moment. So the process is held by a descriptor first
//! (pidfd), its running image is hashed through `/proc/PID/exe`, which works for replaced and deleted files
//! too, and the signal goes to the descriptor: to the process that was hashed, or to nobody.

use std::{
    fs::{self, File, Metadata},
    io::{self, Read as _},
    os::{fd::OwnedFd, unix::fs::MetadataExt as _},
    time::Duration,
};

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use guardhouse_contract::{
    action::KillProcessByPidResult, pb::eset::dotnod::os_integration::v1::KillProcessByPidRequest,
    status::pack,
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};

use crate::outcome::{Failure, Outcome};

/// How long a killed process may take to be gone.
const DEATH: Duration = Duration::from_secs(10);

/// A process that is to be killed, with what its executable must be.
#[derive(Debug)]
pub struct Victim {
    pid: Pid,
    sha1: Option<String>,
    sha256: Option<String>,
}

/// Judges the request.
///
/// # Errors
/// The request names no process that may be killed, or no hash.
pub fn prepare(request: &KillProcessByPidRequest) -> Result<Victim, Failure> {
    let pid = i32::try_from(request.pid).ok().and_then(Pid::from_raw);
    let pid = match (request.pid, pid) {
        (1, _) => return Err(protected(1, "is the init process of the device")),
        (0, _) => return Err(Failure::parameters("pid: 0 names no process; give the id of a process")),
        (_, Some(pid)) => pid,
        (number, None) => return Err(gone(number)),
    };
    let hash = |text: &str| (!text.is_empty()).then(|| text.to_ascii_lowercase());
    let (sha1, sha256) = (hash(&request.executable_hash_sha1), hash(&request.executable_hash_sha2_256));
    if sha1.is_none() && sha256.is_none() {
        return Err(Failure::parameters("executableHashSha1 or executableHashSha2_256 is needed"));
    }
    Ok(Victim { pid, sha1, sha256 })
}

impl Victim {
    /// Kills the process if it is the one that is meant, and waits until it is gone.
    pub fn perform(self) -> Outcome {
        match self.kill() {
            Ok(result) => Outcome { succeeded: true, suppressed: false, result: pack(&result) },
            Err(failure) => failure.into(),
        }
    }

    fn kill(&self) -> Result<KillProcessByPidResult, Failure> {
        let pid = self.pid.as_raw_nonzero().get().unsigned_abs();
        let process = pidfd_open(self.pid, PidfdFlags::empty()).map_err(|error| match error {
            // INVAL: the id belongs to a thread.
            Errno::SRCH | Errno::INVAL => gone(pid),
            error => refused(pid, error.into()),
        })?;
        let executable = self.running_image(pid, &process)?;
        pidfd_send_signal(&process, Signal::KILL).map_err(|error| match error {
            Errno::SRCH => gone(pid),
            error => refused(pid, error.into()),
        })?;
        if !ends_within(&process, DEATH) {
            let reason =
                format!("process {pid} was sent SIGKILL, but hangs in the kernel and is not gone yet");
            return Err(Failure::new("PROCESS_STILL_RUNNING", reason));
        }
        Ok(executable)
    }

    /// Opens, compares and describes the image that the process runs.
    fn running_image(&self, pid: u32, process: &OwnedFd) -> Result<KillProcessByPidResult, Failure> {
        let link = format!("/proc/{pid}/exe");
        let unreadable = |error: io::Error| match error.kind() {
            _ if ends_within(process, Duration::ZERO) => gone(pid),
            io::ErrorKind::NotFound => Failure::new(
                "NO_EXECUTABLE",
                format!("process {pid} belongs to the kernel and has no executable"),
            ),
            _ => refused(pid, error),
        };
        let path = fs::read_link(&link).map_err(unreadable)?;
        let mut image = File::open(&link).map_err(unreadable)?;
        let opened = image.metadata().map_err(unreadable)?;
        let own = fs::metadata("/proc/self/exe").map_err(|error| refused(pid, error))?;
        if is_same(&opened, &own) {
            return Err(protected(pid, "runs the executable of this agent"));
        }
        let (sha1, sha256) = hash(&mut image).map_err(unreadable)?;

        // Hashing a large image takes time: is it still what the process runs?
        let same = is_same(&opened, &fs::metadata(&link).map_err(unreadable)?);
        let meant =
            |wanted: &Option<String>, found: &String| wanted.as_ref().is_none_or(|hash| hash == found);
        if !same || !meant(&self.sha1, &sha1) || !meant(&self.sha256, &sha256) {
            let reason = format!(
                "process {pid} runs {} with SHA-256 {sha256} and SHA-1 {sha1}: another one than the request means; \
                 it was not killed",
                path.display()
            );
            return Err(Failure::new("EXECUTABLE_HASH_MISMATCH", reason));
        }
        Ok(KillProcessByPidResult {
            pid,
            executable_path: path.to_string_lossy().into_owned(),
            executable_hash_sha2_256: sha256,
        })
    }
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// SHA-1 and SHA-256 of a file in hexadecimal.
fn hash(file: &mut File) -> io::Result<(String, String)> {
    let (mut sha1, mut sha256) = (Context::new(&SHA1_FOR_LEGACY_USE_ONLY), Context::new(&SHA256));
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            length => {
                sha1.update(&buffer[..length]);
                sha256.update(&buffer[..length]);
            }
        }
    }
    let hex = |context: Context| context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((hex(sha1), hex(sha256)))
}

/// A pidfd becomes readable when its process ends.
fn ends_within(process: &OwnedFd, limit: Duration) -> bool {
    let limit = Timespec { tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX), tv_nsec: 0 };
    loop {
        match poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&limit)) {
            Err(Errno::INTR) => {}
            polled => return polled.is_ok_and(|ready| ready > 0),
        }
    }
}

fn gone(pid: u32) -> Failure {
    Failure::new("PROCESS_NOT_FOUND", format!("there is no process {pid} on the device"))
}

fn protected(pid: u32, why: &str) -> Failure {
    Failure::new("PROTECTED_PROCESS", format!("process {pid} {why}; it is never killed"))
}

fn refused(pid: u32, error: io::Error) -> Failure {
    Failure::new(
        "NOT_PERMITTED",
        format!("the operating system does not let the agent kill process {pid}: {error}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_judged_before_anything_is_touched() {
        let hash = "ab".repeat(20);
        let table = [
            (0, hash.as_str(), "INVALID_PARAMETERS"),
            (1, &hash, "PROTECTED_PROCESS"),
            (77, "", "INVALID_PARAMETERS"),
            (u32::MAX, &hash, "PROCESS_NOT_FOUND"),
        ];
        for (pid, sha1, code) in table {
            let request =
                KillProcessByPidRequest { pid, executable_hash_sha1: sha1.to_owned(), ..Default::default() };
            assert_eq!(prepare(&request).expect_err("refused").code, code, "pid {pid}");
        }
    }
}
