//! Brings a version of the agent from the server: in parts, so that what is interrupted goes on where it stopped.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use aws_lc_rs::digest::{Context, SHA256};
use guardhouse_contract::link::{
    AgentRelease, FetchReleaseRequest, agent_releases_client::AgentReleasesClient,
};
use guardhouse_link::release::{Release, is_version, own_platform};
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;

use crate::durable;

/// The largest program that is fetched, in bytes.
const LARGEST: u64 = 512 * 1024 * 1024;

/// How long the server may take for a part.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// How long is waited before a part is asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(60);

/// Why a version is not taken.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The device does not know yet by which key its server signs.
    #[error(
        "this device does not know the release key of its server yet; it learns it with its next certificate"
    )]
    NoKey,
    /// It is not for this device, or no version at all.
    #[error("{0}")]
    Unfit(String),
    /// Somebody else than the server of this device offers it, or it was changed.
    #[error("its signature is not one of the server of this device")]
    Signature,
    /// What came is not what was signed.
    #[error("what came is not what the server has signed")]
    Content,
    /// The server has no such version any more.
    #[error("the server ends it after {0} bytes")]
    Short(u64),
    /// It cannot be stored.
    #[error("cannot write {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Checks that the server with this `key` has signed `release`, for this machine.
///
/// # Errors
/// [`FetchError`]: it is not to be fetched.
pub fn check(release: &AgentRelease, key: Option<&[u8]>) -> Result<(), FetchError> {
    let AgentRelease { version, platform, size_bytes, sha256, signature } = release;
    let key = key.ok_or(FetchError::NoKey)?;
    if !is_version(version) {
        return Err(FetchError::Unfit(format!("{version:?} is not a version")));
    }
    if *platform != own_platform() {
        return Err(FetchError::Unfit(format!(
            "it is for {platform}, and this machine is {}",
            own_platform()
        )));
    }
    if *size_bytes > LARGEST || sha256.len() != 32 {
        return Err(FetchError::Unfit(format!("a program of {size_bytes} bytes is not taken")));
    }
    let signed = Release { version, platform, size_bytes: *size_bytes, sha256 };
    if !signed.is_signed(key, signature) {
        return Err(FetchError::Signature);
    }
    Ok(())
}

/// Fetches a version that was checked, and puts it to `program`. What the server does not answer is asked for again, for
/// as long as the future is polled; what has come is kept when it is dropped.
///
/// # Errors
/// [`FetchError`]: the server has another program than the one it signed, or it cannot be stored.
pub async fn fetch(channel: Channel, release: AgentRelease, program: PathBuf) -> Result<(), FetchError> {
    let download = program.with_file_name("download");
    let failed = |source| FetchError::Io { path: download.clone(), source };
    if digest(&program).is_ok_and(|digest| digest == release.sha256) {
        return Ok(());
    }
    durable::create_folder(download.parent().unwrap_or(Path::new("/"))).map_err(failed)?;
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(durable::PRIVATE_FILE)
        .open(&download)
        .map_err(failed)?;
    let mut offset = file.metadata().map_err(failed)?.len();
    if offset > release.size_bytes {
        file.set_len(0).map_err(failed)?;
        offset = 0;
    }
    let mut client = AgentReleasesClient::new(channel)
        .max_decoding_message_size(guardhouse_contract::frames::LARGEST_TO_AGENT);
    while offset < release.size_bytes {
        let request = FetchReleaseRequest {
            version: release.version.clone(),
            platform: release.platform.clone(),
            offset,
        };
        let content = match timeout(ANSWER_TIMEOUT, client.fetch(request)).await {
            Ok(Ok(answer)) => answer.into_inner().content,
            unanswered => {
                let reason = unanswered.map_or_else(
                    |late| late.to_string(),
                    |answer| answer.map_or_else(|status| status.message().to_owned(), |_| String::new()),
                );
                tracing::warn!(
                    version = release.version,
                    offset,
                    reason,
                    "a part of a version did not come; asking again"
                );
                sleep(ASK_AGAIN).await;
                continue;
            }
        };
        if content.is_empty() {
            return Err(FetchError::Short(offset));
        }
        file.write_all(&content).map_err(failed)?;
        offset += content.len() as u64;
    }
    file.sync_all().map_err(failed)?;
    if offset != release.size_bytes || digest(&download).map_err(failed)? != release.sha256 {
        durable::remove(&download).map_err(failed)?;
        return Err(FetchError::Content);
    }
    fs::set_permissions(&download, fs::Permissions::from_mode(0o700)).map_err(failed)?;
    drop(file);
    fs::rename(&download, &program).and_then(|()| durable::sync_parent(&program)).map_err(failed)
}

/// SHA-256 of a file.
fn digest(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut context = Context::new(&SHA256);
    let mut part = vec![0; 64 * 1024];
    loop {
        match file.read(&mut part)? {
            0 => return Ok(context.finish().as_ref().to_vec()),
            length => context.update(&part[..length]),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

    use super::*;

    #[test]
    fn only_what_the_server_has_signed_for_this_machine_is_fetched() {
        let key = Ed25519KeyPair::generate().expect("a key");
        let signed = |version: &str, platform: &str, size_bytes| {
            let signature = Release { version, platform, size_bytes, sha256: &[7; 32] }.sign(&key);
            let (version, platform) = (version.to_owned(), platform.to_owned());
            AgentRelease { version, platform, size_bytes, sha256: vec![7; 32], signature }
        };
        let own = own_platform();
        let checked = |release: &AgentRelease| check(release, Some(key.public_key().as_ref()));
        checked(&signed("2.0", &own, 7)).expect("it is good");
        assert!(matches!(check(&signed("2.0", &own, 7), None), Err(FetchError::NoKey)));
        for unfit in [signed("../2", &own, 7), signed("2.0", "vax-vms", 7), signed("2.0", &own, LARGEST + 1)]
        {
            assert!(matches!(checked(&unfit), Err(FetchError::Unfit(_))), "{unfit:?}");
        }
        for spoilt in [
            AgentRelease { version: "2.1".to_owned(), ..signed("2.0", &own, 7) },
            AgentRelease { size_bytes: 8, ..signed("2.0", &own, 7) },
            AgentRelease { signature: Vec::new(), ..signed("2.0", &own, 7) },
        ] {
            assert!(matches!(checked(&spoilt), Err(FetchError::Signature)), "{spoilt:?}");
        }
    }
}
