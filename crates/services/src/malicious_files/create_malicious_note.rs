//! `CreateMaliciousNote`

use guardhouse_contract::{
    Status,
    agentless::{CreateMaliciousNoteRequest, CreateMaliciousNoteResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::MaliciousNoteAdded;

use super::words;
use crate::{Context, fields::Checks};

/// Writes a note about a malicious file.
pub async fn run(
    context: &Context,
    request: CreateMaliciousNoteRequest,
) -> Result<CreateMaliciousNoteResponse, Status> {
    let CreateMaliciousNoteRequest { event_id, note } = request;
    let mut checks = Checks::default();
    words::text(&mut checks, "Note", &note);
    if note.trim().is_empty() {
        checks.fail("Note", "is empty; a note says something");
    }
    checks.finish()?;
    let now = context.environment.now();
    let added = context.store.agentless_malicious_note_add(event_id, note, now).await;
    match added.map_err(Failure::from)? {
        MaliciousNoteAdded::Added => Ok(CreateMaliciousNoteResponse::default()),
        MaliciousNoteAdded::NotFound => Err(super::unknown_file("EventId", &[event_id])),
        MaliciousNoteAdded::Full(most) => {
            let wrong = format!("is {event_id}, which has {most} notes: delete one of them first");
            Err(Status::invalid_field("EventId", wrong))
        }
    }
}
