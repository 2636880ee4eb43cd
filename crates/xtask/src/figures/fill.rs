//! A database with a million devices and a million runs, for the figures that need one. The only place that writes
//! through the verbs of the store.

use anyhow::Context as _;
use futures_util::{TryStreamExt as _, stream};
use guardhouse_contract::{
    action::RunCommandResult, automation::Action, pb::era::common::data_definition::task::os::RunCommand,
    status::pack,
};
use guardhouse_model::{DeviceId, Environment, Timestamp, groups::ALL, tasks::RunStatus};
use guardhouse_store::{
    Claim, DeviceFilter, NewTask, RunEnd, RunReport, Store, Targets, TaskChange, Trigger, Work,
};
use prost::Message as _;

use super::{generator, house::House, setup::Setup};

/// How many devices there are; each has one run, which is over.
const DEVICES: usize = 1_000_000;

/// Devices that are handled in one transaction.
const BATCH: usize = 1_000;

/// Batches that are under way at the same time.
const TOGETHER: usize = 4;

/// How long the task stays open: longer than any filling takes.
const TASK_LIFE: std::time::Duration = std::time::Duration::from_secs(24 * 3_600);

/// A server over a full database; it does not run.
#[derive(Debug)]
pub struct Filled {
    /// The server.
    pub house: House,
    /// How many devices there are.
    pub devices: usize,
    /// How many runs there are.
    pub runs: usize,
}

/// Fills a database, if that has not been done.
///
/// # Errors
/// The database refuses it.
pub async fn once<'a>(filled: &'a mut Option<Filled>, setup: &Setup) -> anyhow::Result<&'a mut Filled> {
    if filled.is_none() {
        *filled = Some(fill(setup).await.context("the database could not be filled")?);
    }
    filled.as_mut().context("it was filled")
}

async fn fill(setup: &Setup) -> anyhow::Result<Filled> {
    let devices = setup.sized(DEVICES, 5_000);
    eprintln!("    importing {devices} devices");
    let mut house = House::start_new(setup).await?;
    let call = ["import", "--devices", &devices.to_string()];
    generator::rest(setup, &house, &[], &call).await?;
    house.stop().await?;
    eprintln!("    writing a run for each");
    let runs = give_runs(&Store::open(&house.data())?, &Environment::system()).await?;
    anyhow::ensure!(runs == devices, "{devices} devices have {runs} runs");
    Ok(Filled { house, devices, runs })
}

/// Gives every device a run that is over; answers how many there are.
async fn give_runs(store: &Store, environment: &Environment) -> anyhow::Result<usize> {
    let now = environment.now();
    create_task(store, environment, now).await?;
    let pages = stream::try_unfold(None, |after| async move {
        let page = store.devices_list(DeviceFilter::default(), after, BATCH).await?;
        let ids: Vec<DeviceId> = page.iter().map(|device| device.id).collect();
        anyhow::Ok(ids.last().copied().map(|last| (ids, Some(last))))
    });
    let runs = pages.map_ok(|devices| carry_out(store, devices, now)).try_buffer_unordered(TOGETHER);
    runs.try_fold(0, |sum, count| async move { Ok(sum + count) }).await
}

/// A task for everybody.
async fn create_task(store: &Store, environment: &Environment, now: Timestamp) -> anyhow::Result<()> {
    let command = RunCommand { command_line: "true".to_owned(), ..Default::default() };
    let action = Action { name: "RunCommand".to_owned(), params: Some(pack(&command)) };
    let task = NewTask {
        id: environment.uuid().into(),
        template_digest: environment.random(),
        display_name: "fill".to_owned(),
        description: String::new(),
        action: action.encode_to_vec(),
        asset_group: String::new(),
        source: 0,
        targets: Targets { devices: Vec::new(), groups: vec![ALL] },
        triggers: vec![Trigger {
            id: environment.uuid().into(),
            create_time: now,
            expire_time: now.saturating_add(TASK_LIFE)?,
        }],
        now,
    };
    let created = store.task_create(task, environment.uuid().into()).await?;
    anyhow::ensure!(created == TaskChange::Changed, "the task was not created: {created:?}");
    Ok(())
}

/// Hands the task out to these devices and ends their runs; answers how many there were.
async fn carry_out(store: &Store, devices: Vec<DeviceId>, now: Timestamp) -> anyhow::Result<usize> {
    // None of them ever connected.
    let claims = devices.iter().map(|&device| Claim { device, epoch: 0 }).collect();
    let work = store.task_runs_claim(claims, now).await?;
    let result = pack(&RunCommandResult::default()).encode_to_vec();
    let mut reports = Vec::with_capacity(devices.len());
    for (device, work) in devices.into_iter().zip(work) {
        let Work::Runs(runs) = work else { anyhow::bail!("{device} has no work: {work:?}") };
        reports.extend(runs.into_iter().map(|run| {
            RunReport::Ended(RunEnd {
                run: run.id,
                device,
                status: RunStatus::Finished,
                end_time: now,
                result: Some(result.clone()),
                code: None,
            })
        }));
    }
    let kept = store.task_runs_report(reports).await?;
    Ok(kept.into_iter().filter(|&kept| kept).count())
}
