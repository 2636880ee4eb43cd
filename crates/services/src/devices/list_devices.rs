//! `GET /v1/devices`

use guardhouse_contract::{
    Status,
    devices::{DeviceFunctionalityStatus, ListDevicesRequest, ListDevicesResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::DeviceFilter;

use crate::{Context, devices::render, page::Scan};

/// Lists devices in the order of their ids, which is the order of their creation.
pub async fn run(context: &Context, request: ListDevicesRequest) -> Result<ListDevicesResponse, Status> {
    let status = DeviceFunctionalityStatus::try_from(request.functionality_status)
        .map_err(|_| Status::invalid_field("functionalityStatus", "is not a known status"))?;
    let mut scan =
        Scan::new("ListDevices").with(status.as_str_name()).with(format!("{:?}", request.is_muted));
    for name in &request.display_names {
        scan = scan.with(name);
    }
    let page = context.pages.open(scan, request.page_size, &request.page_token)?;
    let after = page.after_id()?;

    let filter = DeviceFilter {
        display_names: request.display_names,
        functionality_status: (status != DeviceFunctionalityStatus::Unspecified).then_some(status as i32),
        is_muted: request.is_muted,
    };
    let mut devices = context.store.devices_list(filter, after, page.fetch()).await.map_err(Failure::from)?;
    let next_page_token = page.close(&mut devices, |device| device.id.0.into_bytes().into());
    Ok(ListDevicesResponse { devices: render::devices(devices)?, next_page_token })
}
