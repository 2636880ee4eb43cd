//! `KillProcessByPid` on real processes.

use std::{
    fs,
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::{Child, Command},
};

use crate::bench::{Bench, RUN, failure, order, result};
use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use guardhouse_contract::{
    action::KillProcessByPidResult, link::RunEnded,
    pb::eset::dotnod::os_integration::v1::KillProcessByPidRequest,
};

/// A process to kill, of an executable that only this test runs.
struct Victim {
    executable: PathBuf,
    child: Child,
    _place: tempfile::TempDir,
}

impl Victim {
    fn new() -> Self {
        let place = tempfile::tempdir().expect("a folder");
        let executable = place.path().join("sleep");
        fs::copy("/bin/sleep", &executable).expect("copied");
        // A fork of another test may still hold the copy open for writing.
        let mut command = Command::new(&executable);
        command.arg("300");
        let child = loop {
            match command.spawn() {
                Ok(child) => break child,
                Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {}
                Err(error) => panic!("{error}"),
            }
        };
        Self { executable, child, _place: place }
    }

    fn hash(&self, algorithm: &'static Algorithm) -> String {
        let image = fs::read(&self.executable).expect("read");
        digest(algorithm, &image).as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
    }

    fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("a status").is_none()
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn kill(pid: u32, sha1: &str, sha256: &str) -> RunEnded {
    let request = KillProcessByPidRequest {
        pid,
        executable_hash_sha1: sha1.to_owned(),
        executable_hash_sha2_256: sha256.to_owned(),
    };
    Bench::new(&order(RUN, "KillProcessByPid", &request)).finish("1h")
}

#[test]
fn a_process_with_the_right_hash_is_killed() {
    for (with_sha1, with_sha256) in [(true, false), (false, true), (true, true)] {
        let mut victim = Victim::new();
        let (sha1, sha256) = (victim.hash(&SHA1_FOR_LEGACY_USE_ONLY), victim.hash(&SHA256));
        let given = |given: bool, hash: &str| if given { hash.to_owned() } else { String::new() };
        let ended = kill(victim.child.id(), &given(with_sha1, &sha1), &given(with_sha256, &sha256));
        assert!(ended.succeeded);
        let result: KillProcessByPidResult = result(&ended);
        assert_eq!(result.pid, victim.child.id());
        assert_eq!(result.executable_path, victim.executable.to_string_lossy());
        assert_eq!(result.executable_hash_sha2_256, sha256.to_lowercase());
        assert_eq!(victim.child.wait().expect("a status").signal(), Some(9));
    }
}

#[test]
fn a_process_with_another_hash_lives() {
    let mut victim = Victim::new();
    let (right, wrong) = (victim.hash(&SHA256), "0".repeat(64));
    assert_eq!(failure(&kill(victim.child.id(), "", &wrong)), "EXECUTABLE_HASH_MISMATCH");
    assert_eq!(failure(&kill(victim.child.id(), &"0".repeat(40), &right)), "EXECUTABLE_HASH_MISMATCH");
    let sha1 = victim.hash(&SHA1_FOR_LEGACY_USE_ONLY);
    assert_eq!(failure(&kill(victim.child.id(), &sha1, &wrong)), "EXECUTABLE_HASH_MISMATCH", "both count");
    assert!(victim.is_alive());
}

#[test]
fn a_replaced_executable_is_still_the_running_one() {
    let mut victim = Victim::new();
    let hash = victim.hash(&SHA256);
    fs::remove_file(&victim.executable).expect("removed");
    fs::write(&victim.executable, "something else").expect("written");
    assert!(kill(victim.child.id(), "", &hash).succeeded);
    assert_eq!(victim.child.wait().expect("a status").signal(), Some(9));
}

#[test]
fn a_process_that_is_not_there_is_not_found() {
    let mut victim = Victim::new();
    let (pid, hash) = (victim.child.id(), victim.hash(&SHA256));
    victim.child.kill().expect("killed");
    assert_eq!(failure(&kill(pid, "", &hash)), "PROCESS_NOT_FOUND", "not reaped yet");
    victim.child.wait().expect("a status");
    assert_eq!(failure(&kill(pid, "", &hash)), "PROCESS_NOT_FOUND");
}

#[test]
fn the_system_and_the_agent_are_safe() {
    let hash = "0".repeat(64);
    assert_eq!(failure(&kill(0, "", &hash)), "INVALID_PARAMETERS");
    assert_eq!(failure(&kill(1, "", &hash)), "PROTECTED_PROCESS");

    // A runner that waits for a lock stands for the agent: it runs the same executable.
    let waiting = Bench::new(&order(RUN, "KillProcessByPid", &KillProcessByPidRequest::default()));
    let lock = waiting.folder.open_lock().expect("the lock");
    lock.lock().expect("locked");
    let mut agent = waiting.start("1h");
    assert_eq!(failure(&kill(agent.id(), "", &hash)), "PROTECTED_PROCESS");
    drop(lock);
    assert!(agent.wait().expect("a status").success(), "it was not killed");
}

#[test]
fn a_kernel_thread_has_no_executable() {
    // 2 is kthreadd, unless the process ids are those of a container.
    let is_kernel = fs::read_to_string("/proc/2/stat").is_ok_and(|stat| stat.starts_with("2 (kthreadd)"));
    if !is_kernel {
        eprintln!("skipped: no kernel thread is visible here");
        return;
    }
    assert_eq!(failure(&kill(2, "", &"0".repeat(64))), "NO_EXECUTABLE");
}
