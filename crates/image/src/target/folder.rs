//! A folder of this machine as a target: the root of a system, or data.

use std::{path::Path, sync::Arc};

use super::{OpenError, Opened, Options, TargetKind};
use crate::{
    file_system::folder::Folder,
    volume::{Content, Volume},
};

/// Opens a folder.
///
/// # Errors
/// `Io` with what the system says.
pub fn open(path: &Path, _options: &Options) -> Result<Opened, OpenError> {
    let folder = Folder::open(path).map_err(|error| OpenError::Io { path: path.to_owned(), error })?;
    let volume = Volume {
        place: "folder".to_owned(),
        size: 0,
        partition_uuid: String::new(),
        partition_label: String::new(),
        content: Content::Files(Arc::new(folder)),
    };
    Ok(Opened {
        kind: TargetKind::Folder,
        size: 0,
        volumes: vec![volume],
        notes: Vec::new(),
        left_out: Vec::new(),
    })
}
