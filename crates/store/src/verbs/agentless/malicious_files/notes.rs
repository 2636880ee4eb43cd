//! What people write about malicious files.

use guardhouse_model::Timestamp;

use crate::{MaliciousNoteAdded, Store, StoreError, engine::values, verbs::agentless::counters};

impl Store {
    /// How many notes there are about a malicious file at most.
    pub const AGENTLESS_MALICIOUS_NOTES: usize = 50;

    /// Writes a note about a malicious file.
    pub async fn agentless_malicious_note_add(
        &self,
        file: i64,
        note: String,
        now: Timestamp,
    ) -> Result<MaliciousNoteAdded, StoreError> {
        self.engine
            .write(move |transaction| {
                // Who writes beside is waited for: otherwise there could be one note too many.
                let sql = transaction
                    .locking("select 1 from agentless_malicious_files where id = $1", "for no key update");
                if !transaction.exists(&sql, values![file])? {
                    return Ok(MaliciousNoteAdded::NotFound);
                }
                let sql = "select count(*) from agentless_malicious_notes where file_id = $1";
                let there: u64 = transaction.find(sql, values![file], |row| row.get(0))?.unwrap_or(0);
                if there >= Self::AGENTLESS_MALICIOUS_NOTES as u64 {
                    return Ok(MaliciousNoteAdded::Full(Self::AGENTLESS_MALICIOUS_NOTES));
                }
                let id = counters::take(transaction, "malicious_note", 1)?;
                transaction.execute(
                    "insert into agentless_malicious_notes (id, file_id, note, create_time) values ($1, $2, $3, $4)",
                    values![id, file, &note, now],
                )?;
                Ok(MaliciousNoteAdded::Added)
            })
            .await
    }

    /// Removes a note about a malicious file. False: there is no such note.
    pub async fn agentless_malicious_note_remove(&self, note: i64) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                let sql = "delete from agentless_malicious_notes where id = $1";
                Ok(transaction.execute(sql, values![note])? == 1)
            })
            .await
    }
}
