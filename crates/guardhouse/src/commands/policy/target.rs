//! What a policy is assigned to.

use clap::Args;
use guardhouse_contract::policies::{PolicyTarget, policy_target::Target};

use crate::client::Client;

/// A target on the command line: exactly one.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct TargetArgs {
    /// A device, by uuid or by name.
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,

    /// A group with all groups below it, by uuid or by name.
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
}

/// A target on the command line: at most one.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct OptionalTargetArgs {
    /// A device, by uuid or by name.
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,

    /// A group, by uuid or by name.
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
}

impl TargetArgs {
    /// Finds the device or group.
    ///
    /// # Errors
    /// A name is not that of one device or group.
    pub async fn resolve(self, client: &Client) -> anyhow::Result<PolicyTarget> {
        Ok(resolve(client, self.device, self.group).await?.unwrap_or_default())
    }
}

impl OptionalTargetArgs {
    /// Finds the device or group, if one is named.
    ///
    /// # Errors
    /// A name is not that of one device or group.
    pub async fn resolve(self, client: &Client) -> anyhow::Result<Option<PolicyTarget>> {
        resolve(client, self.device, self.group).await
    }
}

async fn resolve(
    client: &Client,
    device: Option<String>,
    group: Option<String>,
) -> anyhow::Result<Option<PolicyTarget>> {
    let target = match (device, group) {
        (Some(device), _) => Target::DeviceUuid(client.resolve_device(&device).await?),
        (None, Some(group)) => Target::DeviceGroupUuid(client.resolve_group(&group).await?),
        (None, None) => return Ok(None),
    };
    Ok(Some(PolicyTarget { target: Some(target) }))
}
