//! Malicious files as a public API has them: names, types and words are those of that API.

mod batch_delete_malicious_file_whitelist_config;
mod batch_update_malicious_file_whitelist_config;
mod create_malicious_file_whitelist_config;
mod create_malicious_note;
mod delete_malicious_file_whitelist_config;
mod delete_malicious_note;
mod describe_grouped_malicious_files;
mod get_malicious_file_whitelist_config;
mod handle_malicious_files;
mod handle_similar_malicious_files;
mod list_agentless_malicious_files;
mod list_agentless_relate_malicious;
mod list_malicious_file_whitelist_configs;
mod rows;
mod rules;
mod update_malicious_file_whitelist_config;
mod words;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    agentless::{
        BatchDeleteMaliciousFileWhitelistConfigRequest, BatchDeleteMaliciousFileWhitelistConfigResponse,
        BatchUpdateMaliciousFileWhitelistConfigRequest, BatchUpdateMaliciousFileWhitelistConfigResponse,
        CreateMaliciousFileWhitelistConfigRequest, CreateMaliciousFileWhitelistConfigResponse,
        CreateMaliciousNoteRequest, CreateMaliciousNoteResponse, DeleteMaliciousFileWhitelistConfigRequest,
        DeleteMaliciousFileWhitelistConfigResponse, DeleteMaliciousNoteRequest, DeleteMaliciousNoteResponse,
        DescribeGroupedMaliciousFilesRequest, DescribeGroupedMaliciousFilesResponse,
        GetMaliciousFileWhitelistConfigRequest, GetMaliciousFileWhitelistConfigResponse,
        HandleMaliciousFilesRequest, HandleMaliciousFilesResponse, HandleSimilarMaliciousFilesRequest,
        HandleSimilarMaliciousFilesResponse, ListAgentlessMaliciousFilesRequest,
        ListAgentlessMaliciousFilesResponse, ListAgentlessRelateMaliciousRequest,
        ListAgentlessRelateMaliciousResponse, ListMaliciousFileWhitelistConfigsRequest,
        ListMaliciousFileWhitelistConfigsResponse, MaliciousFiles, UpdateMaliciousFileWhitelistConfigRequest,
        UpdateMaliciousFileWhitelistConfigResponse,
    },
};

use crate::Context;

/// Most rules that are changed or removed together.
const LARGEST_BATCH: usize = 100;

/// Implements the service `MaliciousFiles`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl MaliciousFiles for Service {
    async fn list_agentless_malicious_files(
        &self,
        call: &Call,
        request: ListAgentlessMaliciousFilesRequest,
    ) -> Result<ListAgentlessMaliciousFilesResponse, Status> {
        list_agentless_malicious_files::run(&self.0, call, request).await
    }

    async fn list_agentless_relate_malicious(
        &self,
        _: &Call,
        request: ListAgentlessRelateMaliciousRequest,
    ) -> Result<ListAgentlessRelateMaliciousResponse, Status> {
        list_agentless_relate_malicious::run(&self.0, request).await
    }

    async fn describe_grouped_malicious_files(
        &self,
        _: &Call,
        request: DescribeGroupedMaliciousFilesRequest,
    ) -> Result<DescribeGroupedMaliciousFilesResponse, Status> {
        describe_grouped_malicious_files::run(&self.0, request).await
    }

    async fn handle_malicious_files(
        &self,
        _: &Call,
        request: HandleMaliciousFilesRequest,
    ) -> Result<HandleMaliciousFilesResponse, Status> {
        handle_malicious_files::run(&self.0, request).await
    }

    async fn handle_similar_malicious_files(
        &self,
        _: &Call,
        request: HandleSimilarMaliciousFilesRequest,
    ) -> Result<HandleSimilarMaliciousFilesResponse, Status> {
        handle_similar_malicious_files::run(&self.0, request).await
    }

    async fn create_malicious_note(
        &self,
        _: &Call,
        request: CreateMaliciousNoteRequest,
    ) -> Result<CreateMaliciousNoteResponse, Status> {
        create_malicious_note::run(&self.0, request).await
    }

    async fn delete_malicious_note(
        &self,
        _: &Call,
        request: DeleteMaliciousNoteRequest,
    ) -> Result<DeleteMaliciousNoteResponse, Status> {
        delete_malicious_note::run(&self.0, request).await
    }

    async fn create_malicious_file_whitelist_config(
        &self,
        _: &Call,
        request: CreateMaliciousFileWhitelistConfigRequest,
    ) -> Result<CreateMaliciousFileWhitelistConfigResponse, Status> {
        create_malicious_file_whitelist_config::run(&self.0, request).await
    }

    async fn list_malicious_file_whitelist_configs(
        &self,
        _: &Call,
        request: ListMaliciousFileWhitelistConfigsRequest,
    ) -> Result<ListMaliciousFileWhitelistConfigsResponse, Status> {
        list_malicious_file_whitelist_configs::run(&self.0, request).await
    }

    async fn get_malicious_file_whitelist_config(
        &self,
        _: &Call,
        request: GetMaliciousFileWhitelistConfigRequest,
    ) -> Result<GetMaliciousFileWhitelistConfigResponse, Status> {
        get_malicious_file_whitelist_config::run(&self.0, request).await
    }

    async fn update_malicious_file_whitelist_config(
        &self,
        _: &Call,
        request: UpdateMaliciousFileWhitelistConfigRequest,
    ) -> Result<UpdateMaliciousFileWhitelistConfigResponse, Status> {
        update_malicious_file_whitelist_config::run(&self.0, request).await
    }

    async fn batch_update_malicious_file_whitelist_config(
        &self,
        _: &Call,
        request: BatchUpdateMaliciousFileWhitelistConfigRequest,
    ) -> Result<BatchUpdateMaliciousFileWhitelistConfigResponse, Status> {
        batch_update_malicious_file_whitelist_config::run(&self.0, request).await
    }

    async fn delete_malicious_file_whitelist_config(
        &self,
        _: &Call,
        request: DeleteMaliciousFileWhitelistConfigRequest,
    ) -> Result<DeleteMaliciousFileWhitelistConfigResponse, Status> {
        delete_malicious_file_whitelist_config::run(&self.0, request).await
    }

    async fn batch_delete_malicious_file_whitelist_config(
        &self,
        _: &Call,
        request: BatchDeleteMaliciousFileWhitelistConfigRequest,
    ) -> Result<BatchDeleteMaliciousFileWhitelistConfigResponse, Status> {
        batch_delete_malicious_file_whitelist_config::run(&self.0, request).await
    }
}

/// That there are no malicious files with these ids.
fn unknown_file(field: &str, ids: &[i64]) -> Status {
    let ids: Vec<_> = ids.iter().map(i64::to_string).collect();
    Status::invalid_field(field, format!("has {}; there is no such malicious file", ids.join(", ")))
}
