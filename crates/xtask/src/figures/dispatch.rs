//! `dispatch_1k`, `dispatch_10k`, `cpu_per_result`: one task to many connected agents, until the last result is
//! durably stored.

use super::{figure::Measured, generator, house::House, setup::Setup};

/// What a result cost the server in a run with so many agents, in ms.
#[derive(Debug)]
pub struct Cost {
    agents: usize,
    per_result: f64,
}

/// Gives `tasks` tasks to agents, one after the other; the value is the median task.
///
/// # Errors
/// Something is refused, lost or late.
pub async fn measure(
    setup: &Setup,
    agents: usize,
    tasks: u32,
    costs: &mut Vec<Cost>,
) -> anyhow::Result<Measured> {
    let agents = setup.sized(agents, 10).min(setup.most_connections);
    let mut house = House::start_new(setup).await?;
    let found = generator::agents(setup, &house, agents, &["--tasks", &tasks.to_string()]).await?;
    house.stop().await?;
    costs.push(Cost { agents, per_result: found.get("cpu_per_result")? });
    let note = format!(
        "Median of {tasks} tasks to {agents} agents, worst {:.0} ms; over all agents p50 {:.0} ms, p99 {:.0} ms, \
         the last {:.0} ms; the call that creates the task {:.0} ms.",
        found.get("dispatch_total_worst")?,
        found.get("dispatch_p50")?,
        found.get("dispatch_p99")?,
        found.get("dispatch_max")?,
        found.get("create_call")?,
    );
    Ok(Measured::new(found.get("dispatch_total")?, note))
}

/// What a result costs the server in those runs: the worst of them. Makes the larger one when none was made.
///
/// # Errors
/// Something is refused, lost or late.
pub async fn cost(setup: &Setup, costs: &mut Vec<Cost>) -> anyhow::Result<Measured> {
    if costs.is_empty() {
        measure(setup, 10_000, 5, costs).await?;
    }
    let worst = costs.iter().map(|cost| cost.per_result).fold(0.0, f64::max);
    let each: Vec<String> =
        costs.iter().map(|cost| format!("{:.3} ms with {} agents", cost.per_result, cost.agents)).collect();
    Ok(Measured::new(worst, format!("User and system time of the server per result: {}.", each.join(", "))))
}
