//! A program that is run and measured from outside, with every process it starts.

use std::{
    fs,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use rustix::param::clock_ticks_per_second;

use super::super::now;

/// How often the memory of the processes is looked at. What is read is a high-water mark, so that only what a process
/// takes in its last moments is missed.
const LOOK: Duration = Duration::from_millis(2);

/// How long a program may run.
const LIMIT: Duration = Duration::from_secs(300);

/// What a run took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// From start to end, in seconds.
    pub wall: f64,
    /// User and system time of all its processes, in seconds.
    pub processor: f64,
    /// The sum of the most that each of its processes had resident, in MiB.
    pub resident: f64,
}

/// Runs a program to its end; what it says goes nowhere.
///
/// # Errors
/// It does not start, it fails, or it was not done in five minutes.
pub async fn run(command: &mut Command) -> anyhow::Result<Cost> {
    let before = processor_time_of_children()?;
    let begun = now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let mut peaks: Vec<(u32, f64)> = Vec::new();
    let status = loop {
        for process in with_children(child.id()) {
            // It may have ended meanwhile.
            let Some(resident) = high_water_mark(process) else { continue };
            match peaks.iter_mut().find(|(known, _)| *known == process) {
                Some((_, peak)) => *peak = peak.max(resident),
                None => peaks.push((process, resident)),
            }
        }
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if begun.elapsed() > LIMIT {
            child.kill()?;
            child.wait()?;
            anyhow::bail!("not done after {} s", LIMIT.as_secs());
        }
        tokio::time::sleep(LOOK).await;
    };
    let wall = begun.elapsed().as_secs_f64();
    let processor = processor_time_of_children()? - before;
    let said = child.wait_with_output()?.stderr;
    anyhow::ensure!(status.success(), "{command:?}: {status}: {}", String::from_utf8_lossy(&said));
    Ok(Cost { wall, processor, resident: peaks.iter().map(|(_, peak)| peak).sum() })
}

/// The process and what it has started, as far down as that goes.
fn with_children(process: u32) -> Vec<u32> {
    let mut found = vec![process];
    let mut next = 0;
    while let Some(&process) = found.get(next) {
        next += 1;
        let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { continue };
        for thread in threads.flatten() {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            found.extend(children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
        }
    }
    found
}

/// The most that it has had resident, in MiB.
fn high_water_mark(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(kib / 1_024.0)
}

/// User and system time of this process, in seconds.
///
/// # Errors
/// The system does not tell.
pub fn processor_time() -> anyhow::Result<f64> {
    seconds(11)
}

/// The same of the processes that this one has waited for, and of those that they have waited for.
fn processor_time_of_children() -> anyhow::Result<f64> {
    seconds(13)
}

/// Two fields of `/proc/self/stat` behind the name, which is in parentheses and may hold anything.
fn seconds(first: usize) -> anyhow::Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, rest) = stat.rsplit_once(')').context("stat without a name")?;
    let ticks: u32 =
        rest.split_whitespace().skip(first).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
    let per_second = u32::try_from(clock_ticks_per_second()).unwrap_or(100);
    Ok(f64::from(ticks) / f64::from(per_second))
}
