//! Versions: a text that is another one whenever the content is.

use sha2::{Digest as _, Sha256};

/// Collects what tells the content.
#[derive(Debug, Default)]
pub(crate) struct Version(Sha256);

impl Version {
    /// Adds what tells the content of one part.
    pub(crate) fn add(&mut self, part: &str) -> &mut Self {
        // With its length, so that two parts are never the same as one.
        self.0.update((part.len() as u64).to_be_bytes());
        self.0.update(part);
        self
    }

    /// 32 hexadecimal digits.
    pub(crate) fn finish(&mut self) -> String {
        let digest = self.0.finalize_reset();
        digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}
