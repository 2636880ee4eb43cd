//! `policy_merge`: what it costs to find out what many policies together say, when no device has had just these yet.

use std::{hint::black_box, sync::Arc, time::Duration};

use guardhouse_contract::policies::{FeaturePolicy, Policy};
use guardhouse_loadgen::process::Process;
use guardhouse_policy::{Parsed, effective};
use prost::Message as _;

use super::mixes::{ours, vendor};
use crate::figures::{figure::Measured, setup::Setup};

/// How many policies there are.
const POLICIES: usize = 50;

/// How often each mix is merged: the processor time is told in steps of 10 ms.
const ROUNDS: usize = 1_000;

/// Makes a policy by its number.
type Mix = fn(usize) -> Vec<FeaturePolicy>;

/// Reads policies as they are kept and merges them, for several mixes; the value is the dearest merge. Policies never
/// change, so a process reads each of them once, whatever devices have it.
///
/// # Errors
/// This process cannot be measured.
pub fn measure(setup: &Setup) -> anyhow::Result<Measured> {
    let rounds = setup.sized(ROUNDS, 100);
    let mixes: [(&str, Mix); 3] = [
        ("all settings of our own features in every policy", ours),
        ("30 foreign settings, the same in every policy", |index| vendor(index, |_| 0)),
        ("30 foreign settings, others in every policy", |index| vendor(index, |index| index)),
    ];
    let (mut worst, mut each) = (0.0_f64, Vec::new());
    for (name, mix) in mixes {
        let kept: Vec<Vec<u8>> = (0..POLICIES)
            .map(|index| Policy { features: mix(index), ..Default::default() }.encode_to_vec())
            .collect();
        let parsed = read(&kept)?;
        let reading = cost(rounds, || read(&kept).map(drop))?;
        let merging = cost(rounds, || {
            black_box(effective(black_box(&parsed)));
            Ok(())
        })?;
        worst = worst.max(millis(merging));
        each.push(format!("{name}: {:.3} ms, {:.3} ms", millis(merging), millis(reading)));
    }
    let note = format!(
        "Processor time to merge {POLICIES} policies, behind that to read them, which each process does once; mean of \
         {rounds} rounds. {}. Devices with the same policies share one merge.",
        each.join("; "),
    );
    Ok(Measured::new(worst, note))
}

fn read(kept: &[Vec<u8>]) -> anyhow::Result<Vec<Arc<Parsed>>> {
    kept.iter().map(|policy| Ok(Arc::new(Parsed::from_kept(black_box(policy))?))).collect()
}

/// The processor time of one of many rounds.
fn cost(rounds: usize, mut round: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let process = Process::new(std::process::id())?;
    let before = process.processor_time()?;
    for _ in 0..rounds {
        round()?;
    }
    Ok((process.processor_time()? - before) / u32::try_from(rounds)?)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
