//! `DeleteMaliciousNote`

use guardhouse_contract::{
    Status,
    agentless::{DeleteMaliciousNoteRequest, DeleteMaliciousNoteResponse},
};
use guardhouse_identity::Failure;

use crate::Context;

/// Removes a note about a malicious file.
pub async fn run(
    context: &Context,
    request: DeleteMaliciousNoteRequest,
) -> Result<DeleteMaliciousNoteResponse, Status> {
    let id = request.note_id;
    if context.store.agentless_malicious_note_remove(id).await.map_err(Failure::from)? {
        Ok(DeleteMaliciousNoteResponse::default())
    } else {
        Err(Status::invalid_field("NoteId", format!("is {id}; there is no such note")))
    }
}
