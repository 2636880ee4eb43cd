//! Devices as a public API lists machines: names, types and words are those of that API.

mod criteria;
mod describe_cloud_center_instances;
mod describe_instance_statistics;
mod render;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    agentless::{
        DescribeCloudCenterInstancesRequest, DescribeCloudCenterInstancesResponse,
        DescribeInstanceStatisticsRequest, DescribeInstanceStatisticsResponse, Instances,
    },
};

use crate::Context;

/// Implements the service `Instances`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl Instances for Service {
    async fn describe_cloud_center_instances(
        &self,
        _: &Call,
        request: DescribeCloudCenterInstancesRequest,
    ) -> Result<DescribeCloudCenterInstancesResponse, Status> {
        describe_cloud_center_instances::run(&self.0, request).await
    }

    async fn describe_instance_statistics(
        &self,
        _: &Call,
        request: DescribeInstanceStatisticsRequest,
    ) -> Result<DescribeInstanceStatisticsResponse, Status> {
        describe_instance_statistics::run(&self.0.store, request).await
    }
}
