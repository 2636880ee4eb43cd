//! What all policies of a device together say.

use std::{collections::BTreeMap, sync::Arc};

use aws_lc_rs::digest;
use guardhouse_contract::link::{self, EffectiveFeature};
use guardhouse_model::policies::{Merged, merge};
use prost::Message as _;

use crate::{
    Parsed,
    configuration::{self, Entry, Leaf},
    parsed::{FeatureKey, ParsedFeature},
};

/// What a device gets.
#[derive(Debug, Clone, PartialEq)]
pub struct Effective {
    /// Names the content: the SHA-256 of the encoded features. Equal settings have an equal one, whichever policies
    /// they came from and whichever replica merged them.
    pub generation: [u8; 32],
    /// The features that the policies say something about, in the order of their numbers.
    pub features: Vec<EffectiveFeature>,
}

impl Effective {
    /// Whether the policies say nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.features.is_empty()
    }

    /// The frame that tells a device.
    #[must_use]
    pub fn frame(&self) -> link::Policy {
        link::Policy { generation: self.generation.to_vec(), features: self.features.clone() }
    }
}

/// Merges policies, given in the order of the merge: target by target, inside a target by rank.
#[must_use]
pub fn effective(policies: &[Arc<Parsed>]) -> Effective {
    let features: Vec<_> = stacks(policies).iter().filter_map(|(key, stack)| feature(key, stack)).collect();
    let content = link::Policy { generation: Vec::new(), features };
    let digest = digest::digest(&digest::SHA256, &content.encode_to_vec());
    let generation = digest.as_ref().try_into().expect("a SHA-256 has 32 bytes");
    Effective { generation, features: content.features }
}

/// What policies say about one feature, each with the place of its policy.
pub(crate) type Stack<'a> = Vec<(usize, &'a ParsedFeature)>;

/// What `policies` say, feature by feature.
pub(crate) fn stacks(policies: &[Arc<Parsed>]) -> BTreeMap<&FeatureKey, Stack<'_>> {
    let mut stacks = BTreeMap::<_, Stack<'_>>::new();
    for (source, policy) in policies.iter().enumerate() {
        for feature in &policy.features {
            stacks.entry(&feature.key).or_default().push((source, feature));
        }
    }
    stacks
}

/// Merges what policies say about one feature.
pub(crate) fn merged<'a>(stack: &Stack<'a>) -> Vec<Merged<'a, Leaf>> {
    merge(stack.iter().map(|&(source, feature)| (source, feature.settings.as_slice())))
}

fn feature(key: &FeatureKey, stack: &Stack<'_>) -> Option<EffectiveFeature> {
    let merged = merged(stack);
    let foreign_type = stack.iter().rev().find_map(|(_, feature)| feature.foreign_type.as_deref());
    let entries =
        merged.iter().map(|setting| Entry { path: setting.path(), value: setting.value(), merge: None });
    let sections = stack.iter().flat_map(|(_, feature)| &feature.sections);
    let configuration = configuration::write(key, foreign_type, entries, sections)?;
    let read_only = merged.iter().filter(|setting| setting.read_only());
    Some(EffectiveFeature {
        feature_id: key.feature_id,
        configuration: Some(configuration),
        read_only_paths: read_only.map(|setting| setting.path().to_string()).collect(),
    })
}

#[cfg(test)]
mod tests;
