//! Snapshots that agents take of their devices, as they arrive.

mod archive;
mod put_part;
mod room;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    link::{DeviceSnapshots, PutSnapshotPartRequest, PutSnapshotPartResponse},
};

use crate::Context;

/// Implements the service `DeviceSnapshots`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl DeviceSnapshots for Service {
    async fn put_part(
        &self,
        call: &Call,
        request: PutSnapshotPartRequest,
    ) -> Result<PutSnapshotPartResponse, Status> {
        put_part::run(&self.0, call, request).await
    }
}
