//! What comes of policies: for a device as it is, and for an assignment that is not made yet.

use std::process::ExitCode;

use guardhouse_contract::{
    management::{GetEffectivePolicyRequest, PreviewPolicyAssignmentRequest},
    policies::PolicyAssignment,
};

use crate::{
    client::Client,
    output::{OutputFormat, effective_policies},
};

/// `policy effective`
pub async fn show(
    client: &Client,
    device: &str,
    explain: bool,
    output: OutputFormat,
) -> anyhow::Result<ExitCode> {
    let device_uuid = client.resolve_device(device).await?;
    let answer = client.get_effective_policy(&GetEffectivePolicyRequest { device_uuid }).await?;
    output.show(&answer, |answer| effective_policies::of_device(answer, explain))?;
    Ok(ExitCode::SUCCESS)
}

/// `policy assign --dry-run`
pub async fn preview(
    client: &Client,
    assignment: PolicyAssignment,
    rank: Option<u32>,
    device: Option<String>,
    output: OutputFormat,
) -> anyhow::Result<ExitCode> {
    let device_uuid = match device {
        Some(device) => client.resolve_device(&device).await?,
        None => String::new(),
    };
    let request = PreviewPolicyAssignmentRequest {
        assignment: Some(assignment),
        rank: rank.unwrap_or_default(),
        device_uuid,
    };
    let answer = client.preview_policy_assignment(&request).await?;
    output.show(&answer, effective_policies::preview)?;
    Ok(ExitCode::SUCCESS)
}
