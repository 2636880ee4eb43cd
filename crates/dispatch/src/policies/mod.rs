//! What the policies of devices say.
//!
//! Policies never change: what was read and merged of them once stays good, and devices with the same policies in the
//! same order share one document. A policy that changes for a hundred thousand devices is merged as often as there are
//! different stacks.

mod cache;
pub mod report;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use guardhouse_contract::frames::LARGEST_TO_AGENT;
use guardhouse_model::{DeviceId, PolicyId};
use guardhouse_policy::{Effective, Parsed, effective};
use guardhouse_store::{Store, StoreError};
use prost::Message as _;
use tracing::error;

use cache::Cache;

/// What a half of each cache holds, in bytes: of encoded policies, and of encoded documents.
const HALF: usize = 32 * 1024 * 1024;

/// What an entry weighs beside its bytes.
const ENTRY: usize = 256;

/// How many policies are read of the store at once: they may be large.
const AT_ONCE: usize = 16;

/// What all policies of a device together say.
#[derive(Debug)]
pub struct Document {
    /// The merge.
    pub effective: Effective,
    /// How many bytes the frame with it has at most.
    size: usize,
}

/// Reads policies and merges them; keeps both for the next who asks.
pub struct Policies {
    store: Store,
    /// `None`: it cannot be read.
    parsed: Mutex<Cache<PolicyId, Option<Arc<Parsed>>>>,
    documents: Mutex<Cache<Arc<[PolicyId]>, Arc<Document>>>,
}

impl Policies {
    /// Reads from `store`.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, parsed: Mutex::new(Cache::new(HALF)), documents: Mutex::new(Cache::new(HALF)) }
    }

    /// What the policies of each device say, in the order asked for. A device that does not exist has none.
    ///
    /// # Errors
    /// The store failed.
    pub async fn of_devices(&self, devices: Vec<DeviceId>) -> Result<Vec<Arc<Document>>, StoreError> {
        let stacks = self.store.policy_stacks(devices).await?;
        let lists: Vec<Vec<PolicyId>> = stacks
            .into_iter()
            .map(|stack| stack.into_iter().map(|assignment| assignment.policy).collect())
            .collect();
        self.documents(&lists).await
    }

    /// The merge of each list of policies, which are merged in that order. A policy that does not exist, or cannot be
    /// read, is not there.
    ///
    /// # Errors
    /// The store failed.
    pub async fn documents(&self, lists: &[Vec<PolicyId>]) -> Result<Vec<Arc<Document>>, StoreError> {
        let mut found: HashMap<&[PolicyId], Arc<Document>> = HashMap::new();
        let mut missing: BTreeSet<&[PolicyId]> = BTreeSet::new();
        {
            let mut kept = lock(&self.documents);
            for list in lists.iter().map(Vec::as_slice) {
                if !found.contains_key(list) && !missing.contains(list) {
                    match kept.get(list) {
                        Some(document) => drop(found.insert(list, document)),
                        None => drop(missing.insert(list)),
                    }
                }
            }
        }
        if !missing.is_empty() {
            let parsed = self.read(missing.iter().copied().flatten().copied().collect()).await?;
            for list in missing {
                let policies: Vec<_> = list.iter().filter_map(|policy| parsed.get(policy).cloned()).collect();
                found.insert(list, self.keep(list, effective(&policies)));
            }
        }
        Ok(lists.iter().map(|list| Arc::clone(&found[list.as_slice()])).collect())
    }

    /// Those of several policies that exist and can be read.
    ///
    /// # Errors
    /// The store failed.
    pub async fn read(
        &self,
        policies: BTreeSet<PolicyId>,
    ) -> Result<BTreeMap<PolicyId, Arc<Parsed>>, StoreError> {
        let mut found = BTreeMap::new();
        let mut missing = Vec::new();
        {
            let mut kept = lock(&self.parsed);
            for policy in policies {
                match kept.get(&policy) {
                    Some(parsed) => found.extend(parsed.map(|parsed| (policy, parsed))),
                    None => missing.push(policy),
                }
            }
        }
        for missing in missing.chunks(AT_ONCE) {
            for policy in self.store.policies_get_many(missing.to_vec()).await? {
                let parsed = Parsed::from_kept(&policy.features)
                    .inspect_err(|error| error!(policy = %policy.id, %error, "a policy cannot be read"))
                    .ok()
                    .map(Arc::new);
                let weight = policy.features.len() + ENTRY;
                lock(&self.parsed).insert(policy.id, parsed.clone(), weight);
                found.extend(parsed.map(|parsed| (policy.id, parsed)));
            }
        }
        Ok(found)
    }

    fn keep(&self, list: &[PolicyId], effective: Effective) -> Arc<Document> {
        let document = Arc::new(Document::new(effective));
        if !document.is_deliverable() {
            // Here and not for each device: there may be a hundred thousand.
            error!(
                policies = ?list,
                bytes = document.size,
                "the merge of these policies is too large for a device, which keeps what it has"
            );
        }
        let weight = document.size + size_of_val(list) + ENTRY;
        lock(&self.documents).insert(list.into(), Arc::clone(&document), weight);
        document
    }
}

impl Document {
    fn new(effective: Effective) -> Self {
        // Each with its tag and its length; before them generation and frame.
        let features = effective.features.iter().map(|feature| feature.encoded_len() + 6);
        let size = features.sum::<usize>() + 64;
        Self { effective, size }
    }

    /// Whether a frame with it can reach a device.
    #[must_use]
    pub fn is_deliverable(&self) -> bool {
        self.size <= LARGEST_TO_AGENT
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Policies")
    }
}

#[cfg(test)]
mod tests;
