//! `agentless_queue`: whether the work of workers with the queue costs more when it is longer.

use std::time::Duration;

use guardhouse_model::{Environment, Timestamp};
use guardhouse_store::{
    AgentlessResult, LeaseAnswer, Store, SubtaskEnd, SubtaskOutcome, SubtaskProgress, TakeSubtasks,
};

use super::sides::{FEW, MANY, Sides, Times, judged, queue};
use crate::figures::{figure::Measured, now, setup::Setup};

/// How often ten subtasks are taken, in turns.
const ROUNDS: usize = 100;

/// How long ten subtasks take in each step, in ms for one of them.
struct Steps {
    take: f64,
    progress: f64,
    end: f64,
}

/// Takes ten subtasks, says how far they are, and ends them, again and again: out of a queue that has just these, and out
/// of one with ten thousand. The value is the worst ratio of the median times of a step.
///
/// # Errors
/// The store fails.
pub async fn measure(setup: &Setup, database_url: Option<&str>) -> anyhow::Result<Measured> {
    let environment = Environment::system();
    let (rounds, mut times) = (setup.sized(ROUNDS, 5), Vec::new());
    for sides in Sides::of_all(setup, database_url).await? {
        queue(&sides.many, &environment, MANY).await?;
        let times_of = |what: &str| Times {
            what: format!("{}, {what}", sides.engine),
            few: Vec::new(),
            many: Vec::new(),
        };
        let mut all = [times_of("taking one"), times_of("its progress"), times_of("its end")];
        for _ in 0..rounds {
            queue(&sides.few, &environment, FEW).await?;
            let few = work(&sides.few, &environment).await?;
            let many = work(&sides.many, &environment).await?;
            let steps = [(few.take, many.take), (few.progress, many.progress), (few.end, many.end)];
            for (times, (few, many)) in std::iter::zip(&mut all, steps) {
                times.few.push(few);
                times.many.push(many);
            }
        }
        times.extend(all);
        sides.remove().await?;
    }
    let rest = format!(
        "Per subtask, {FEW} in a call where a call takes several, median of {rounds} each, in turns; every call is on \
         disk when it answers."
    );
    Ok(judged(times, &rest))
}

/// What a worker does with ten subtasks.
async fn work(store: &Store, environment: &Environment) -> anyhow::Result<Steps> {
    let now_there = environment.now();
    let until = now_there + Duration::from_secs(60);
    let take = TakeSubtasks {
        worker: "figures".to_owned(),
        limit: FEW,
        now: now_there,
        until,
        time_limit: Default::default(),
    };
    let begun = now();
    let taken = store.agentless_subtasks_take(take).await?;
    let took = begun.elapsed();
    anyhow::ensure!(taken.len() == FEW, "the queue is too short");

    let said = taken.iter().map(|one| SubtaskProgress {
        lease: one.lease,
        progress: 50,
        progress_by_project: r#"{"scaVul":50,"vul":50}"#.to_owned(),
    });
    let said: Vec<_> = said.collect();
    let begun = now();
    let answers = store.agentless_subtasks_progress(said, until).await?;
    let told = begun.elapsed();
    anyhow::ensure!(answers.iter().all(|answer| *answer == LeaseAnswer::Renewed), "a lease is lost");

    let begun = now();
    for one in &taken {
        let result = AgentlessResult { expire_time: Timestamp::MAX, ..Default::default() };
        let outcome = SubtaskOutcome::Done(result);
        let end = SubtaskEnd { lease: one.lease, now: now_there, outcome, measure_bytes: 1 << 30 };
        anyhow::ensure!(store.agentless_subtask_end(end).await?, "a lease is lost");
    }
    #[allow(clippy::cast_precision_loss, reason = "ten")]
    let per_subtask = |whole: Duration| whole.as_secs_f64() * 1_000.0 / FEW as f64;
    Ok(Steps { take: per_subtask(took), progress: per_subtask(told), end: per_subtask(begun.elapsed()) })
}
