//! `DescribeCloudCenterInstances`

use guardhouse_contract::{
    Status,
    agentless::{
        DescribeCloudCenterInstancesRequest, DescribeCloudCenterInstancesResponse, InstancePageInfo,
    },
};
use guardhouse_identity::Failure;
use guardhouse_store::{DevicePage, DevicePageFilter};

use super::{criteria, render};
use crate::{Context, fields::Checks, numbered_pages, page::Scan};

/// Lists devices in the order of their ids, which is that in which they came.
pub async fn run(
    context: &Context,
    request: DescribeCloudCenterInstancesRequest,
) -> Result<DescribeCloudCenterInstancesResponse, Status> {
    let mut checks = Checks::default();
    let page = numbered_pages::Page::read(&mut checks, request.current_page, request.page_size);
    let filter = criteria::read(&mut checks, &request);
    checks.finish()?;
    let number = page.number();
    let (found, next_token) = if request.use_next_token {
        let size = u32::try_from(number.size).unwrap_or(u32::MAX);
        let token = context.pages.open(scan(&filter), size, &request.next_token).map_err(|_| {
            let why = "does not belong to this list; NextToken of the page before is needed, with the same \
                       parameters, or none for the first page";
            Status::invalid_field("NextToken", why)
        })?;
        let after = DevicePage::After(token.after_id()?, token.fetch());
        let mut found = context.store.devices_page(filter, after).await.map_err(Failure::from)?;
        let next = token.close(&mut found.rows, |device| device.id.0.into_bytes().into());
        (found, next)
    } else {
        let page = DevicePage::Numbered(number);
        (context.store.devices_page(filter, page).await.map_err(Failure::from)?, String::new())
    };
    let info = page.counted_info(found.rows.len(), found.total);
    let now = context.environment.now();
    let instance = |device: guardhouse_store::Device| {
        let is_connected = context.dispatcher.is_connected(device.id, device.last_sync_time, now);
        render::instance(device, &context.region, is_connected)
    };
    Ok(DescribeCloudCenterInstancesResponse {
        request_id: String::new(),
        success: true,
        page_info: Some(InstancePageInfo {
            count: info.count,
            current_page: info.current_page,
            page_size: info.page_size,
            total_count: info.total_count,
            next_token,
        }),
        instances: found.rows.into_iter().map(instance).collect::<Result<_, _>>()?,
    })
}

/// The list that a token belongs to. Pages of it may differ in size.
fn scan(filter: &DevicePageFilter) -> Scan {
    Scan::new("DescribeCloudCenterInstances").with(format!("{filter:?}"))
}
