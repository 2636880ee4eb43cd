//! `guardhouse device`

use std::{path::PathBuf, process::ExitCode};

use clap::{Subcommand, ValueEnum};
use guardhouse_contract::{
    devices::{DeviceFunctionalityStatus, ListDevicesRequest, MoveDeviceRequest, RenameDeviceRequest},
    management::GetDeviceStateRequest,
};

use crate::{
    client::{Client, ConnectionArgs},
    commands::import,
    output::{OutputFormat, device_states, devices},
};

/// Show and change devices. A device or group is named by its uuid, or by a display name that no other has.
#[derive(Debug, Subcommand)]
pub enum DeviceCommand {
    /// List the devices that pass all filters.
    List {
        /// Only devices with this display name; repeat it for several.
        #[arg(long = "name", value_name = "NAME")]
        names: Vec<String>,

        /// Only devices in this state.
        #[arg(long, value_enum)]
        status: Option<StatusArg>,

        /// Only devices that are muted, or only those that are not.
        #[arg(long, value_name = "BOOL")]
        muted: Option<bool>,
    },
    /// Show devices.
    Get {
        /// The devices, by uuid or by name.
        #[arg(value_name = "DEVICE", required = true)]
        devices: Vec<String>,
    },
    /// Show what a device is in: connected, isolated, about to restart.
    State {
        /// The device, by uuid or by name.
        device: String,
    },
    /// Import placeholders for devices that will enrol later.
    Import {
        /// A file with one display name per line, or with an import request in JSON; - is standard input.
        file: PathBuf,

        /// Group for the devices; Lost & found when neither this nor the file names one.
        #[arg(long)]
        group: Option<String>,
    },
    /// Put a device into another group.
    Move {
        /// The device, by uuid or by name.
        device: String,

        /// The group, by uuid or by name.
        #[arg(long)]
        group: String,
    },
    /// Give a device a new display name.
    Rename {
        /// The device, by uuid or by name.
        device: String,

        /// The new name.
        name: String,
    },
}

/// States to filter by.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum StatusArg {
    /// No problem.
    Ok,
    /// Somebody should look when there is time.
    AttentionRecommended,
    /// Somebody must act.
    AttentionRequired,
}

impl DeviceCommand {
    /// Carries out the command.
    ///
    /// # Errors
    /// The server refuses or cannot be reached, or a name is not that of one device or group.
    pub async fn run(self, connection: ConnectionArgs, output: OutputFormat) -> anyhow::Result<ExitCode> {
        let client = Client::connect(connection)?;
        match self {
            Self::List { names, status, muted } => {
                let filter = ListDevicesRequest {
                    display_names: names,
                    functionality_status: filter(status).into(),
                    is_muted: muted,
                    ..Default::default()
                };
                let answer = client.list_devices(filter).await?;
                output.show(&answer, |answer| devices::devices(&answer.devices))?;
            }
            Self::Get { devices } => {
                let uuids = client.resolve_devices(&devices).await?;
                let answer = client.batch_get_devices(&uuids).await?;
                output.show(&answer, |answer| devices::devices(&answer.devices))?;
            }
            Self::State { device } => {
                let device_uuid = client.resolve_device(&device).await?;
                let answer = client.get_device_state(&GetDeviceStateRequest { device_uuid }).await?;
                output.show(&answer, device_states::state)?;
            }
            Self::Import { file, group } => {
                return import::run(&client, &file, group.as_deref(), output).await;
            }
            Self::Move { device, group } => {
                let request = MoveDeviceRequest {
                    device_uuid: client.resolve_device(&device).await?,
                    new_parent_uuid: client.resolve_group(&group).await?,
                };
                let answer = client.move_device(&request).await?;
                output.show(&answer, |answer| devices::devices(&answer.device))?;
            }
            Self::Rename { device, name } => {
                let device_uuid = client.resolve_device(&device).await?;
                let answer =
                    client.rename_device(&RenameDeviceRequest { device_uuid, display_name: name }).await?;
                output.show(&answer, |answer| devices::devices(&answer.device))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn filter(status: Option<StatusArg>) -> DeviceFunctionalityStatus {
    match status {
        None => DeviceFunctionalityStatus::Unspecified,
        Some(StatusArg::Ok) => DeviceFunctionalityStatus::Ok,
        Some(StatusArg::AttentionRecommended) => DeviceFunctionalityStatus::AttentionRecommended,
        Some(StatusArg::AttentionRequired) => DeviceFunctionalityStatus::AttentionRequired,
    }
}
