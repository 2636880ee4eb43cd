//! Stopping all processes of a server where they are, and letting them go on.

use std::{fs, thread};

use rustix::process::{Pid, Signal, kill_process};

/// Stops `main` and its children; when this returns, none of them runs.
pub(super) fn pause(main: Pid) {
    // The main process first: then there is nobody left to make new ones.
    stop(main);
    children(main).into_iter().for_each(stop);
}

/// Lets `main` and its children go on.
pub(super) fn resume(main: Pid) {
    for pid in children(main).into_iter().chain([main]) {
        // One that is no longer there needs nothing.
        let _ = kill_process(pid, Signal::CONT);
    }
}

fn stop(pid: Pid) {
    // A session may end in the meantime.
    let _ = kill_process(pid, Signal::STOP);
    // The signal counts as soon as the process is scheduled; there is no event to wait for, as it is no child of ours.
    while state(pid).is_some_and(|state| !matches!(state, 'T' | 'Z' | 'X')) {
        thread::yield_now();
    }
}

/// The state of a process, a letter as in proc(5); none when there is no such process.
fn state(pid: Pid) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // The name of the program comes before, in parentheses, and may contain some.
    stat.rsplit_once(") ")?.1.chars().next()
}

fn children(main: Pid) -> Vec<Pid> {
    let main = main.as_raw_nonzero();
    let children = fs::read_to_string(format!("/proc/{main}/task/{main}/children")).unwrap_or_default();
    children.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
}
