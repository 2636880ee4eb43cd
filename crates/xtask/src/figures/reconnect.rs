//! `reconnect_10k`: the server is killed and started again, until all agents are back.

use super::{figure::Measured, generator, house::House, setup::Setup};

/// How many agents are connected.
const AGENTS: usize = 10_000;

/// How often the server is killed.
const RESTARTS: &str = "3";

/// Connects agents and kills the server.
///
/// # Errors
/// Agents do not come back.
pub async fn measure(setup: &Setup) -> anyhow::Result<Measured> {
    let agents = setup.sized(AGENTS, 10).min(setup.most_connections);
    let house = House::start_new(setup).await?;
    let command = house.start_command();
    let further = ["--tasks", "0", "--restarts", RESTARTS, "--restart-with", &command];
    let found = generator::agents(setup, &house, agents, &further).await?;
    let note = format!(
        "Median of {RESTARTS} kills with {agents} agents that wait by the rules of the real one, worst {:.1} s; \
         over all agents p50 {:.1} s, p99 {:.1} s; attempts {:.0}.",
        found.get("reconnect_total_worst")? / 1_000.0,
        found.get("reconnect_p50")? / 1_000.0,
        found.get("reconnect_p99")? / 1_000.0,
        found.get("reconnect_attempts")?,
    );
    Ok(Measured::new(found.get("reconnect_total")? / 1_000.0, note))
}
