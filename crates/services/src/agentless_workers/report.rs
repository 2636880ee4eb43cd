//! The report of a subtask, as its worker has handed it in.

use std::io::{self, Read};

use guardhouse_contract::Status;
use guardhouse_identity::Failure;
use guardhouse_report::Report;
use guardhouse_store::{ReportFormat, Store};
use uuid::Uuid;

/// Most parts of a report.
pub const MOST_PARTS: u32 = 1_024;

/// Longest report, unpacked, in bytes. It is made of what a scanner told, whose bound is less than half of this.
const LONGEST: u64 = 3 << 30;

/// Reads a report that has so many parts.
///
/// # Errors
/// A part is not there, or together they are no report; the store fails.
pub async fn read(store: &Store, subtask: Uuid, parts: i32) -> Result<Report, Status> {
    let parts = u32::try_from(parts).ok().filter(|parts| (1..=MOST_PARTS).contains(parts));
    let Some(parts) = parts else {
        return Err(Status::invalid_field("done.reportParts", format!("1 to {MOST_PARTS} is right")));
    };
    let mut packed = Vec::new();
    for position in 0..parts {
        let part = store.agentless_report_part(subtask, ReportFormat::Json, position).await;
        let Some(part) = part.map_err(Failure::from)? else {
            let message = format!("part {position} of the report was not handed in");
            return Err(Status::failed_precondition("REPORT_INCOMPLETE", message));
        };
        packed.extend_from_slice(&part);
    }
    let report = tokio::task::spawn_blocking(move || unpacked(&packed)).await;
    report.map_err(Status::internal)?.map_err(|error| {
        Status::invalid_field("done.reportParts", "together are no report as JSON, packed with zstd")
            .because(error)
    })
}

fn unpacked(packed: &[u8]) -> io::Result<Report> {
    let mut reader = zstd::Decoder::new(packed)?.take(LONGEST);
    Ok(serde_json::from_reader(io::BufReader::new(&mut reader))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_report_is_refused() {
        let empty = zstd::encode_all(&b"{}"[..], 1).expect("memory takes everything");
        for wrong in [&b""[..], b"{}", &empty] {
            unpacked(wrong).expect_err("no report");
        }
    }
}
