//! `memory_per_agent`: what a connected agent that does nothing costs the server.

use super::{figure::Measured, generator, house::House, setup::Setup};

/// How many agents are connected.
const AGENTS: usize = 20_000;

/// How long they rest before the memory is read, in seconds: longer than the first look for work after a connect.
const REST: &str = "20";

/// Connects agents and lets them rest.
///
/// # Errors
/// They do not all get their link.
pub async fn measure(setup: &Setup) -> anyhow::Result<Measured> {
    let wanted = setup.sized(AGENTS, 100);
    let agents = wanted.min(setup.most_connections);
    let mut house = House::start_new(setup).await?;
    let found = generator::agents(setup, &house, agents, &["--tasks", "0", "--settle", REST]).await?;
    house.stop().await?;
    let mut note = format!(
        "PSS of the server with {agents} idle agents less that without, per agent; anonymous memory {:.0} MiB in all.",
        found.get("server_pss_anonymous_connected")? / 1_024.0
    );
    if agents < wanted {
        note.push_str(&format!(" Not {wanted}: no process here may have more open files."));
    }
    Ok(Measured::new(found.get("memory_per_agent")?, note))
}
