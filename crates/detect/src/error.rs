//! Why there is no report.

use std::{io, path::PathBuf};

use guardhouse_advisories::{StoreError, ignore::IgnoreError, vex::VexError};

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The advisories cannot be read, or are not there where somebody named them.
    #[error(transparent)]
    Advisories(#[from] StoreError),
    /// A VEX document cannot be read.
    #[error(transparent)]
    Vex(#[from] VexError),
    /// The rules by which findings are ignored cannot be read.
    #[error("cannot read {file}")]
    RulesUnread {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// They are wrong.
    #[error(transparent)]
    Rules(#[from] IgnoreError),
    /// The scanning process cannot be started.
    #[error("cannot start the scanning process")]
    Start(#[source] io::Error),
    /// The target cannot be opened, or nothing of it could be read; why, in a sentence, which may quote the target.
    #[error("{0}")]
    NotScanned(String),
    /// Somebody stopped the scan.
    #[error("the scan was stopped")]
    Stopped,
}
