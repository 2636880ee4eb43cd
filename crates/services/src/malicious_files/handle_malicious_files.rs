//! `HandleMaliciousFiles`

use guardhouse_contract::{
    Status,
    agentless::{HandleMaliciousFilesRequest, HandleMaliciousFilesResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::MaliciousFilesHandled;

use super::words;
use crate::{
    Context,
    fields::Checks,
    findings::{CODE, HTTP_STATUS, LONGEST_LIST, MESSAGE},
};

/// Does something about malicious files: about all that are named, or none.
pub async fn run(
    context: &Context,
    request: HandleMaliciousFilesRequest,
) -> Result<HandleMaliciousFilesResponse, Status> {
    let mut checks = Checks::default();
    let operation = words::operation(&mut checks, &request.operation);
    let ids = request.file_id_list;
    if !(1..=LONGEST_LIST).contains(&ids.len()) {
        let wrong = format!("has {} elements; 1 to {LONGEST_LIST} are allowed", ids.len());
        checks.fail("FileIdList", wrong);
    }
    checks.finish()?;
    if let Some(operation) = operation {
        let now = context.environment.now();
        let handled = context.store.agentless_malicious_files_handle(ids, operation, now).await;
        if let MaliciousFilesHandled::NotFound(ids) = handled.map_err(Failure::from)? {
            return Err(super::unknown_file("FileIdList", &ids));
        }
    }
    Ok(HandleMaliciousFilesResponse {
        code: CODE.to_owned(),
        http_status_code: HTTP_STATUS,
        message: MESSAGE.to_owned(),
        request_id: String::new(),
        success: true,
    })
}
