//! Sensitive files as a public API has them: names, types and words are those of that API.

mod describe_agentless_sensitive_file_by_key;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    agentless::{
        DescribeAgentlessSensitiveFileByKeyRequest, DescribeAgentlessSensitiveFileByKeyResponse,
        SensitiveFiles,
    },
};

use crate::Context;

/// Implements the service `SensitiveFiles`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl SensitiveFiles for Service {
    async fn describe_agentless_sensitive_file_by_key(
        &self,
        _: &Call,
        request: DescribeAgentlessSensitiveFileByKeyRequest,
    ) -> Result<DescribeAgentlessSensitiveFileByKeyResponse, Status> {
        describe_agentless_sensitive_file_by_key::run(&self.0, request).await
    }
}
