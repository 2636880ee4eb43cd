//! The policies that come with the product.

use guardhouse_contract::policies;
use guardhouse_policy::built_in;
use guardhouse_store::{Policy, Store, StoreError};
use prost::Message as _;

/// Sees to it that the built-in policies are kept, before the first call: they are assigned like all others.
///
/// # Errors
/// As of every verb of the store.
pub async fn settle(store: &Store) -> Result<(), StoreError> {
    let kept = |policy: policies::Policy| {
        let features = policies::Policy { features: policy.features, ..Default::default() };
        Policy {
            id: policy.uuid.parse().expect("built-in policies have uuids"),
            display_name: policy.display_name,
            description: policy.description,
            features: features.encode_to_vec(),
        }
    };
    store.policies_settle(built_in().map(kept).into()).await
}
