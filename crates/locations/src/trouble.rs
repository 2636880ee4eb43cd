//! Why a location cannot be read.

use std::{fmt, io};

/// Why a location, or an asset in it, cannot be read: a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Trouble {
    sentence: String,
    is_passing: bool,
}

impl Trouble {
    /// It stays until somebody changes something.
    pub(crate) fn lasting(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), is_passing: false }
    }

    /// It may pass by itself.
    pub(crate) fn passing(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), is_passing: true }
    }

    /// What the system says of something.
    pub(crate) fn system(what: impl fmt::Display, error: &io::Error) -> Self {
        let advice = match error.kind() {
            io::ErrorKind::NotFound => "it has to be there, under the same path, on every machine that scans",
            io::ErrorKind::PermissionDenied => {
                "the user that Guardhouse runs as has to be allowed to read it"
            }
            io::ErrorKind::StorageFull => "make room, or name another folder for temporary files",
            _ => return Self::passing(format!("{what}: {error}")),
        };
        Self::lasting(format!("{what}: {error}; {advice}"))
    }

    /// Whether it may pass by itself, so that it is worth trying again.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        self.is_passing
    }
}

/// What is said of an image that needs a file which is not there.
pub(crate) fn missing(from: &str, reference: &str) -> String {
    format!(
        "{from} needs the file {reference:?}, which is not in the location; put it there, or convert the image to one \
         without other files (qemu-img convert)"
    )
}
