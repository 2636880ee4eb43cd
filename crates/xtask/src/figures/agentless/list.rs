//! `agentless_list`: whether a page of subtasks costs more when there are more subtasks.

use guardhouse_model::{Environment, agentless::TaskStatus};
use guardhouse_store::{AgentlessSubtaskFilter, AgentlessTaskFilter, PageNumber, Store};
use uuid::Uuid;

use super::sides::{FEW, MANY, Sides, Times, judged, queue};
use crate::figures::{figure::Measured, now, setup::Setup};

/// How often each page is read, in turns.
const ROUNDS: usize = 200;

/// Reads pages of ten with their totals, out of ten subtasks and out of ten thousand, through the store; the value is the
/// worst ratio of the median times.
///
/// # Errors
/// The store fails.
pub async fn measure(setup: &Setup, database_url: Option<&str>) -> anyhow::Result<Measured> {
    let environment = Environment::system();
    let (rounds, mut times) = (setup.sized(ROUNDS, 5), Vec::new());
    let mut added = String::new();
    for sides in Sides::of_all(setup, database_url).await? {
        let few = queue(&sides.few, &environment, FEW).await?;
        let begun = now();
        let many = queue(&sides.many, &environment, MANY).await?;
        added.push_str(&format!(" {} {:.0} ms", sides.engine, begun.elapsed().as_secs_f64() * 1_000.0));
        for (what, skip, of_all) in [
            ("the first page of a task", 0, false),
            ("the page in its middle", MANY / 2, false),
            ("its last page", MANY - FEW, false),
            ("the last page of all that run", MANY - FEW, true),
        ] {
            let mut found =
                Times { what: format!("{}, {what}", sides.engine), few: Vec::new(), many: Vec::new() };
            for _ in 0..rounds {
                found.few.push(page(&sides.few, filter(few, of_all), 0, FEW).await?);
                found.many.push(page(&sides.many, filter(many, of_all), skip, MANY).await?);
            }
            times.push(found);
        }
        sides.remove().await?;
    }
    let rest = format!(
        "Pages of {FEW} with their totals, median of {rounds} each, in turns. To queue the {MANY} took, in one \
         transaction:{added}."
    );
    Ok(judged(times, &rest))
}

fn filter(task: Uuid, of_all: bool) -> AgentlessSubtaskFilter {
    if of_all {
        let common = AgentlessTaskFilter { statuses: vec![TaskStatus::Running], ..Default::default() };
        AgentlessSubtaskFilter { common, ..Default::default() }
    } else {
        AgentlessSubtaskFilter { task: Some(task), ..Default::default() }
    }
}

/// How long a page takes, in ms.
async fn page(
    store: &Store,
    filter: AgentlessSubtaskFilter,
    skip: usize,
    total: usize,
) -> anyhow::Result<f64> {
    let begun = now();
    let page = store.agentless_subtasks_list(filter, PageNumber { skip: skip as u64, size: FEW }).await?;
    let took = begun.elapsed().as_secs_f64() * 1_000.0;
    anyhow::ensure!((page.rows.len(), page.total) == (FEW, total as u64), "a page is not whole");
    Ok(took)
}
