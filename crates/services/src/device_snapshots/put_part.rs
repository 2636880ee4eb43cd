//! `DeviceSnapshots.PutPart`

use std::{io, path::Path};

use guardhouse_contract::{
    Call, Caller, Code, Status,
    link::{PutSnapshotPartRequest, PutSnapshotPartResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::{DeviceId, RunId};
use guardhouse_store::SnapshotState;
use tracing::{info, warn};

use super::{
    archive::{Archive, Kept},
    room,
};
use crate::{Context, fields};

/// Longest part, in bytes.
const LONGEST: usize = 1 << 20;

/// Largest archive, in bytes.
const LARGEST: u64 = 1 << 40;

/// Keeps a part of the snapshot that a run of the calling device takes. The snapshot is there with its last part, and the scan
/// that waits for it is queued.
pub async fn run(
    context: &Context,
    call: &Call,
    request: PutSnapshotPartRequest,
) -> Result<PutSnapshotPartResponse, Status> {
    let Caller::Device(device) = call.caller else {
        return Err(Status::new(Code::PermissionDenied, "DEVICE_ONLY", "only a device sends its snapshot"));
    };
    let (device, run) = (DeviceId(device), fields::resource::<RunId>("runUuid", &request.run_uuid)?);
    let end = check(&request)?;
    let Some(folder) = context.device_snapshots.clone() else {
        let message = "this server was not told where to keep snapshots; another one of the same database may have been";
        return Err(Status::new(Code::Unavailable, "NO_SNAPSHOT_FOLDER", message));
    };
    let snapshot = context.store.agentless_snapshot_get(device, run).await.map_err(Failure::from)?;
    match snapshot.map(|snapshot| (snapshot.state, snapshot.size_bytes)) {
        Some((SnapshotState::Wanted, _)) => {}
        // The answer to the last part was lost.
        Some((SnapshotState::Kept, size_bytes)) => return Ok(answer(Kept::Whole(size_bytes))),
        Some((SnapshotState::Unwanted, _)) | None => return Err(not_wanted(run)),
    }
    let PutSnapshotPartRequest { offset, content, last, .. } = request;
    let archive = Archive::of(&folder, device, run);
    let kept = tokio::task::spawn_blocking(move || put(&archive, &folder, offset, &content, last)).await;
    let kept = kept.map_err(Status::internal)?.unwrap_or_else(|error| Err(refuse(device, error)))?;
    // The store may not know yet of an archive that is whole: it was away, or this server died just then.
    if let Kept::Whole(size_bytes) = kept
        && last
        && size_bytes == end
    {
        let is_kept = context.store.agentless_snapshot_kept(device, run, size_bytes).await;
        if !is_kept.map_err(Failure::from)? {
            // Its archive goes with the next round of the duty that removes what nobody wants.
            return Err(not_wanted(run));
        }
        info!(%device, %run, size_bytes, "the snapshot of a device is there");
    }
    Ok(answer(kept))
}

/// Checks what can be checked without looking; answers where the part ends.
fn check(request: &PutSnapshotPartRequest) -> Result<u64, Status> {
    let length = request.content.len();
    if length > LONGEST {
        let message = format!("has {length} bytes; at most {LONGEST} are taken at once");
        return Err(Status::invalid_field("content", message));
    }
    let end = request.offset.saturating_add(length as u64);
    if end > LARGEST {
        let message = format!("the part ends behind {end} bytes; an archive has {LARGEST} at most");
        return Err(Status::invalid_field("offset", message));
    }
    if request.last && end == 0 {
        return Err(Status::invalid_field("last", "ends an archive of no bytes; a snapshot has some"));
    }
    Ok(end)
}

/// Keeps a part, if there is room for it. One without content asks how much there is.
fn put(
    archive: &Archive,
    folder: &Path,
    offset: u64,
    content: &[u8],
    is_last: bool,
) -> io::Result<Result<Kept, Status>> {
    if let Some(lack) = room::lack(folder)? {
        return Ok(Err(Status::new(Code::ResourceExhausted, "NO_ROOM", lack)));
    }
    if content.is_empty() && !is_last {
        return archive.kept().map(Ok);
    }
    archive.put(offset, content, is_last).map(Ok)
}

fn answer(kept: Kept) -> PutSnapshotPartResponse {
    PutSnapshotPartResponse { kept_bytes: kept.bytes() }
}

fn not_wanted(run: RunId) -> Status {
    Status::not_found(format!("a snapshot that run {run} of this device is to take"))
}

/// Words why a part was not kept.
fn refuse(device: DeviceId, error: io::Error) -> Status {
    warn!(%device, %error, "a part of a snapshot is not kept");
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            let message = format!("the server has no room for the snapshot: {error}");
            Status::new(Code::ResourceExhausted, "NO_ROOM", message)
        }
        _ => Status::internal(format!("a part of a snapshot is not kept: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_bounds() {
        let part = |offset, length, last| PutSnapshotPartRequest {
            run_uuid: String::new(),
            offset,
            content: vec![0; length],
            last,
        };
        let field = |request| match check(&request) {
            Ok(_) => None,
            Err(status) => Some(status.violations()[0].field.clone()),
        };
        assert_eq!(field(part(0, 0, false)), None, "a question");
        assert_eq!(field(part(0, 1, true)), None);
        assert_eq!(field(part(7, 0, true)), None, "an end of its own");
        assert_eq!(field(part(LARGEST - 1, 1, true)), None);
        assert_eq!(field(part(0, LONGEST, false)), None);
        for (wrong, name) in [
            (part(0, LONGEST + 1, false), "content"),
            (part(LARGEST, 1, false), "offset"),
            (part(u64::MAX, 1, false), "offset"),
            (part(0, 0, true), "last"),
        ] {
            assert_eq!(field(wrong).as_deref(), Some(name));
        }
    }
}
