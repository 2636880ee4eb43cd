//! Which versions of the agent devices are to have.
//!
//! Whoever decides that is another process (`guardhouse agent-release`), which cannot wake anybody: the store is asked
//! from time to time, by one session for all of them.

use std::{sync::Arc, time::Duration};

use guardhouse_contract::link;
use guardhouse_model::dynamic_groups::VersionKey;
use guardhouse_store::{AgentRelease, Store, Wanted};
use tokio::{sync::Mutex, time::Instant};
use tracing::warn;

use crate::session::now_instant;

/// How old an answer of the store may be.
const FRESH: Duration = Duration::from_secs(10);

/// The versions that devices are to have, as they were when the store was asked last.
#[derive(Debug)]
pub struct Releases {
    store: Store,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    asked: Option<Instant>,
    wanted: Arc<[AgentRelease]>,
}

impl Releases {
    /// The versions in `store`.
    pub fn new(store: Store) -> Self {
        Self { store, known: Mutex::new(Known { asked: None, wanted: Arc::default() }) }
    }

    /// The versions that devices are to have: the same `Arc` as long as they are the same. When the store cannot be asked,
    /// those of before.
    pub async fn wanted(&self) -> Arc<[AgentRelease]> {
        let mut known = self.known.lock().await;
        if known.asked.is_none_or(|asked| asked.elapsed() >= FRESH) {
            known.asked = Some(now_instant());
            match self.store.agent_releases_wanted().await {
                Ok(wanted) if *wanted == *known.wanted => {}
                Ok(wanted) => known.wanted = wanted.into(),
                Err(error) => warn!(%error, "the store cannot be asked for versions of the agent"),
            }
        }
        Arc::clone(&known.wanted)
    }
}

/// Whether a device with this version of the agent is told of a release. It is not told of the platform that it has: it
/// takes what is for it. What it tried and gave up it does not try again by itself.
#[must_use]
pub fn is_for(release: &AgentRelease, agent_version: &str) -> bool {
    match release.wanted {
        Wanted::Nowhere => false,
        _ if release.version == agent_version => false,
        Wanted::Everywhere => true,
        Wanted::Upgrade => {
            VersionKey::new(agent_version).as_bytes() < VersionKey::new(&release.version).as_bytes()
        }
    }
}

/// What the device is told.
#[must_use]
pub fn frame(release: &AgentRelease) -> link::AgentRelease {
    let AgentRelease { version, platform, size_bytes, sha256, signature, .. } = release.clone();
    link::AgentRelease { version, platform, size_bytes, sha256, signature }
}

#[cfg(test)]
mod tests {
    use guardhouse_model::Timestamp;

    use super::*;

    #[test]
    fn earlier_versions_are_told_and_later_ones_only_on_purpose() {
        let table = [
            ("0.1.0", Wanted::Nowhere, false),
            ("0.1.0", Wanted::Upgrade, true),
            ("1.9.0", Wanted::Upgrade, true),
            ("1.10.0", Wanted::Upgrade, false),
            ("1.10.0", Wanted::Everywhere, false),
            ("1.11.0", Wanted::Upgrade, false),
            ("1.11.0", Wanted::Everywhere, true),
            ("", Wanted::Upgrade, true),
        ];
        for (agent, wanted, expected) in table {
            let release = AgentRelease {
                version: "1.10.0".to_owned(),
                platform: "x86_64-linux".to_owned(),
                size_bytes: 1,
                sha256: Vec::new(),
                signature: Vec::new(),
                import_time: Timestamp::UNIX_EPOCH,
                wanted,
            };
            assert_eq!(is_for(&release, agent), expected, "{agent} {wanted:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_store_is_asked_from_time_to_time() {
        let store = Store::in_memory().expect("opens");
        let releases = Releases::new(store.clone());
        let none = releases.wanted().await;
        assert!(none.is_empty());
        let release = AgentRelease {
            version: "1.0".to_owned(),
            platform: "x86_64-linux".to_owned(),
            size_bytes: 1,
            sha256: vec![1],
            signature: vec![2],
            import_time: Timestamp::UNIX_EPOCH,
            wanted: Wanted::Upgrade,
        };
        assert!(store.agent_release_add(release.clone(), vec![0]).await.expect("writes"));
        assert!(releases.wanted().await.is_empty(), "it was asked just now");
        tokio::time::advance(FRESH).await;
        let first = releases.wanted().await;
        assert_eq!(*first, [release]);
        tokio::time::advance(FRESH).await;
        assert!(Arc::ptr_eq(&releases.wanted().await, &first), "nothing is news");
    }
}
