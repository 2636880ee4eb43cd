//! Vulnerabilities that agentless scans found, as a public API has them, and the whitelist of those somebody lives with.

mod add_image_vul_white_list;
mod asked;
mod delete_image_vul_whitelist;
mod describe_can_fix_vul_list;
mod describe_image_grouped_vul_list;
mod describe_image_vul_list;
mod describe_image_vul_white_list;
pub mod entries;
mod reason;
mod render;
mod source;
pub mod target;
mod update_image_vul_whitelist_target;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    agentless::{
        AddImageVulWhiteListRequest, AddImageVulWhiteListResponse, DeleteImageVulWhitelistRequest,
        DeleteImageVulWhitelistResponse, DescribeCanFixVulListRequest, DescribeCanFixVulListResponse,
        DescribeImageGroupedVulListRequest, DescribeImageGroupedVulListResponse, DescribeImageVulListRequest,
        DescribeImageVulListResponse, DescribeImageVulWhiteListRequest, DescribeImageVulWhiteListResponse,
        ImageVulnerabilities, UpdateImageVulWhitelistTargetRequest, UpdateImageVulWhitelistTargetResponse,
    },
};

use crate::Context;

/// What an operation answers that did what it was asked for.
mod done {
    /// `Code`.
    pub const CODE: &str = "200";
    /// `HttpStatusCode`.
    pub const HTTP: i32 = 200;
    /// `Message`.
    pub const MESSAGE: &str = "success";
}

/// Implements the service `ImageVulnerabilities`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl ImageVulnerabilities for Service {
    async fn describe_image_vul_list(
        &self,
        _: &Call,
        request: DescribeImageVulListRequest,
    ) -> Result<DescribeImageVulListResponse, Status> {
        describe_image_vul_list::run(&self.0.store, request).await
    }

    async fn describe_image_grouped_vul_list(
        &self,
        _: &Call,
        request: DescribeImageGroupedVulListRequest,
    ) -> Result<DescribeImageGroupedVulListResponse, Status> {
        describe_image_grouped_vul_list::run(&self.0.store, request).await
    }

    async fn describe_can_fix_vul_list(
        &self,
        _: &Call,
        request: DescribeCanFixVulListRequest,
    ) -> Result<DescribeCanFixVulListResponse, Status> {
        describe_can_fix_vul_list::run(&self.0.store, request).await
    }

    async fn add_image_vul_white_list(
        &self,
        _: &Call,
        request: AddImageVulWhiteListRequest,
    ) -> Result<AddImageVulWhiteListResponse, Status> {
        add_image_vul_white_list::run(&self.0.store, request).await
    }

    async fn update_image_vul_whitelist_target(
        &self,
        _: &Call,
        request: UpdateImageVulWhitelistTargetRequest,
    ) -> Result<UpdateImageVulWhitelistTargetResponse, Status> {
        update_image_vul_whitelist_target::run(&self.0.store, request).await
    }

    async fn delete_image_vul_whitelist(
        &self,
        _: &Call,
        request: DeleteImageVulWhitelistRequest,
    ) -> Result<DeleteImageVulWhitelistResponse, Status> {
        delete_image_vul_whitelist::run(&self.0.store, request).await
    }

    async fn describe_image_vul_white_list(
        &self,
        _: &Call,
        request: DescribeImageVulWhiteListRequest,
    ) -> Result<DescribeImageVulWhiteListResponse, Status> {
        describe_image_vul_white_list::run(&self.0.store, request).await
    }
}

#[cfg(test)]
mod tests;
