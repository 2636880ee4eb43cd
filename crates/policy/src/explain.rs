//! Where the settings of a device came from, and what they overrode.

use std::sync::Arc;

use guardhouse_contract::Status;
use guardhouse_model::policies::Fate;
use serde_json::Value as Json;

use crate::{
    Parsed,
    configuration::{Entry, value_as_json},
    effective::{Stack, merged, stacks},
    parsed::FeatureKey,
};

/// One feature about which policies say something.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedFeature {
    /// The feature.
    pub feature_id: u32,
    /// The full name of the type of its configuration.
    pub type_name: String,
    /// The product, where that is what tells configurations of this type apart; otherwise empty.
    pub product: String,
    /// Its settings, in the order of their paths.
    pub settings: Vec<ExplainedSetting>,
}

/// A setting as all policies together have it.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedSetting {
    /// The path, in the names of JSON; empty when the whole configuration is one setting.
    pub path: String,
    /// The value.
    pub value: Json,
    /// The user of the device cannot override it.
    pub read_only: bool,
    /// A policy set it with force: no policy that is merged later would change it.
    pub forced: bool,
    /// What every policy said about it, in the order of the merge.
    pub history: Vec<Said>,
}

/// What one policy said about a setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// The place of the policy among those that were merged, from 0.
    pub source: usize,
    /// The path; another one than that of the setting where one lies below the other, so that only one could stand.
    pub path: String,
    /// The value; of a list also what it does with the list before it.
    pub value: Json,
    /// With force.
    pub force: bool,
    /// The user of the device cannot override it.
    pub read_only: bool,
    /// What became of it; policies are named by their places.
    pub fate: Fate,
}

/// Merges policies as [`effective()`](crate::effective()) does, and says how it came to that.
///
/// # Errors
/// Internal: what is kept of a policy has no JSON form.
pub fn explain(policies: &[Arc<Parsed>]) -> Result<Vec<ExplainedFeature>, Status> {
    let features =
        stacks(policies).iter().map(|(key, stack)| feature(key, stack)).collect::<Result<Vec<_>, _>>()?;
    Ok(features.into_iter().filter(|feature| !feature.settings.is_empty()).collect())
}

fn feature(key: &FeatureKey, stack: &Stack<'_>) -> Result<ExplainedFeature, Status> {
    let mut settings = Vec::new();
    for setting in merged(stack) {
        let said = setting.history().iter().map(|said| {
            let entry = Entry::of_policy(&said.setting.path, &said.setting.value);
            Ok(Said {
                source: said.source,
                path: said.setting.path.to_string(),
                value: value_as_json(key, entry)?,
                force: said.setting.force,
                read_only: said.setting.read_only,
                fate: said.fate,
            })
        });
        let entry = Entry { path: setting.path(), value: setting.value(), merge: None };
        settings.push(ExplainedSetting {
            path: setting.path().to_string(),
            value: value_as_json(key, entry)?,
            read_only: setting.read_only(),
            forced: setting.forced(),
            history: said.collect::<Result<_, Status>>()?,
        });
    }
    Ok(ExplainedFeature {
        feature_id: key.feature_id,
        type_name: key.type_name.clone(),
        product: key.product.clone(),
        settings,
    })
}
