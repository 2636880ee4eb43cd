//! The file in which a device keeps its policy, so that it obeys it while no server can be reached.
//!
//! ```text
//! file = crc:u32le payload      crc = CRC-32 of the payload
//! ```

use std::{
    io,
    path::{Path, PathBuf},
};

use guardhouse_contract::link::Policy;
use prost::Message as _;

use crate::durable;

/// Why a policy could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep the policy of this device in {}; is the disk full or read-only?", .path.display())]
pub struct KeepError {
    path: PathBuf,
    source: io::Error,
}

/// What is kept.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Kept {
    /// The policy as the server sent it.
    #[prost(message, optional, tag = "1")]
    pub policy: Option<Policy>,
    /// The addresses of the server that are in use; empty: the one with which the device enrolled.
    #[prost(string, repeated, tag = "2")]
    pub servers: Vec<String>,
    /// Why those of the policy are not in use, where they are not.
    #[prost(string, tag = "3")]
    pub servers_failure: String,
}

impl Kept {
    /// Reads the file. What cannot be read counts as nothing: the server is told of no policy then and sends it again.
    #[must_use]
    pub fn load(path: &Path) -> Self {
        let error = match std::fs::read(path) {
            Ok(bytes) => match decode(&bytes) {
                Some(kept) => return kept,
                None => "its content is spoilt".to_owned(),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::default(),
            Err(error) => error.to_string(),
        };
        tracing::error!(
            path = %path.display(), error,
            "the kept policy cannot be read; no policy is in force until the server sends it again"
        );
        Self::default()
    }

    /// Writes the file.
    ///
    /// # Errors
    /// What the system says; the earlier content is still there then.
    pub fn store(&self, path: &Path) -> Result<(), KeepError> {
        let payload = self.encode_to_vec();
        let bytes = [&crc32fast::hash(&payload).to_le_bytes()[..], &payload].concat();
        durable::write(path, &bytes).map_err(|source| KeepError { path: path.to_owned(), source })
    }
}

fn decode(bytes: &[u8]) -> Option<Kept> {
    let (crc, payload) = bytes.split_first_chunk::<4>()?;
    if crc32fast::hash(payload) != u32::from_le_bytes(*crc) {
        return None;
    }
    Kept::decode(payload).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spoilt_counts_as_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("policy");
        assert_eq!(Kept::load(&path), Kept::default(), "there is none");
        let policy = Policy { generation: vec![7; 32], features: Vec::new() };
        let kept =
            Kept { policy: Some(policy), servers: vec!["a".to_owned()], servers_failure: String::new() };
        kept.store(&path).expect("written");
        assert_eq!(Kept::load(&path), kept);

        let bytes = std::fs::read(&path).expect("read");
        for length in 0..bytes.len() {
            std::fs::write(&path, &bytes[..length]).expect("written");
            assert_eq!(Kept::load(&path), Kept::default(), "{length} bytes are left");
        }
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            std::fs::write(&path, &changed).expect("written");
            assert_eq!(Kept::load(&path), Kept::default(), "byte {at} is another one");
        }
        std::fs::remove_file(&path).expect("removed");
        std::fs::create_dir(&path).expect("created");
        assert_eq!(Kept::load(&path), Kept::default(), "a folder is in the way");
    }
}
