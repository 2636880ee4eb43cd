//! `policy_looks`: what policies add to what each look of a connected device costs, on SQLite.

use std::time::Duration;

use guardhouse_contract::policies::Policy as Features;
use guardhouse_dispatch::policies::Policies;
use guardhouse_loadgen::process::Process;
use guardhouse_model::{DeviceId, Environment, groups::ALL};
use guardhouse_store::{Claim, Policy, PolicyAssign, PolicyTarget, Store};
use prost::Message as _;

use super::mixes::ours;
use crate::figures::{checkins::devices, figure::Measured, setup::Setup};

/// How many devices look, again and again.
const DEVICES: usize = 25_600;

/// How many look together.
const BATCH: usize = 256;

/// How often each of them looks: the processor time is told in steps of 10 ms.
const ROUNDS: u32 = 4;

/// Policies on *All*; every tenth device has one of its own besides.
const ON_ALL: usize = 3;

/// Looks without and with policies; the value is the difference for one device.
///
/// # Errors
/// The store fails.
pub async fn measure(setup: &Setup) -> anyhow::Result<Measured> {
    let (folder, environment) = (setup.folder()?, Environment::system());
    let store = Store::open(folder.path())?;
    let policies = Policies::new(store.clone());
    let devices = devices::import(&store, &environment, setup.sized(DEVICES, 10 * BATCH)).await?;

    let without = look(&store, &policies, &environment, &devices).await?;
    for index in 0..ON_ALL {
        assign(&store, &environment, index, PolicyTarget::Group(ALL)).await?;
    }
    for &device in devices.iter().step_by(10) {
        assign(&store, &environment, ON_ALL, PolicyTarget::Device(device)).await?;
    }
    // The first time is that of reading and merging.
    look(&store, &policies, &environment, &devices).await?;
    let with = look(&store, &policies, &environment, &devices).await?;

    let micros = |cost: &Cost| cost.all.as_secs_f64() * 1e6;
    let note = format!(
        "Processor time of a look of one of {} devices, {BATCH} in a batch: {:.1} µs without any policy, {:.1} µs with \
         {ON_ALL} policies on All and one more on every tenth device. The policies are asked for last: that part alone is \
         {:.1} µs without and {:.1} µs with.",
        devices.len(),
        micros(&without),
        micros(&with),
        without.policies.as_secs_f64() * 1e6,
        with.policies.as_secs_f64() * 1e6,
    );
    Ok(Measured::new(micros(&with) - micros(&without), note))
}

/// Processor time of one look.
struct Cost {
    all: Duration,
    policies: Duration,
}

/// Lets all devices look, in batches, as the dispatcher does it.
async fn look(
    store: &Store,
    policies: &Policies,
    environment: &Environment,
    devices: &[DeviceId],
) -> anyhow::Result<Cost> {
    let process = Process::new(std::process::id())?;
    let looks = u32::try_from(devices.len())? * ROUNDS;
    let begun = process.processor_time()?;
    for _ in 0..ROUNDS {
        for batch in devices.chunks(BATCH) {
            // None of them ever connected.
            let claims = batch.iter().map(|&device| Claim { device, epoch: 0 }).collect();
            store.task_runs_claim(claims, environment.now()).await?;
        }
    }
    let claimed = process.processor_time()?;
    for _ in 0..ROUNDS {
        for batch in devices.chunks(BATCH) {
            policies.of_devices(batch.to_vec()).await?;
        }
    }
    let ended = process.processor_time()?;
    Ok(Cost { all: (ended - begun) / looks, policies: (ended - claimed) / looks })
}

async fn assign(
    store: &Store,
    environment: &Environment,
    index: usize,
    target: PolicyTarget,
) -> anyhow::Result<()> {
    let policy = Policy {
        id: environment.uuid().into(),
        display_name: format!("policy {index}"),
        description: String::new(),
        features: Features { features: ours(index), ..Default::default() }.encode_to_vec(),
    };
    let id = policy.id;
    store.policy_create(policy).await?;
    let assigned = store.policy_assign(environment.uuid().into(), id, target).await?;
    anyhow::ensure!(matches!(assigned, PolicyAssign::Done(_)), "not assigned: {assigned:?}");
    Ok(())
}
