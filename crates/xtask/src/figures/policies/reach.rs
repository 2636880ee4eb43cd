//! `policy_reach`, `policy_reach_1k`, `policy_reach_10k`: a policy that is assigned to everybody, until the last
//! connected agent has it and the server has kept that it does.

use crate::figures::{figure::Measured, generator, house::House, setup::Setup};

/// Assigns `policies` policies to *All*, one after the other; the value is the median policy.
///
/// # Errors
/// Something is refused, lost or late.
pub async fn measure(setup: &Setup, agents: usize, policies: u32) -> anyhow::Result<Measured> {
    let agents = setup.sized(agents, 10).min(setup.most_connections);
    let mut house = House::start_new(setup).await?;
    let further = ["--tasks", "0", "--policies", &policies.to_string()];
    let found = generator::agents(setup, &house, agents, &further).await?;
    house.stop().await?;
    let note = format!(
        "Median of {policies} policies on All with {agents} agents until their reports are kept, worst {:.0} ms; over all \
         agents the policy is there after p50 {:.0} ms, p99 {:.0} ms, the last {:.0} ms; the call that assigns it \
         {:.1} ms.",
        found.get("policy_total_worst")?,
        found.get("policy_p50")?,
        found.get("policy_p99")?,
        found.get("policy_max")?,
        found.get("assign_call")?,
    );
    Ok(Measured::new(found.get("policy_total")?, note))
}
