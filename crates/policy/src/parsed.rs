//! A policy, read once and merged many times.

use guardhouse_contract::{
    pb::{era::common::data_definition::policy::PolicyData, guardhouse::json::v1::ForeignObject},
    policies::{FeaturePolicy, Policy, SettingFlags},
};
use guardhouse_model::policies::{Setting, SettingPath, SettingValue};
use prost::{DecodeError, Message as _, Name as _};
use prost_reflect::DynamicMessage;
use prost_types::Any;

use crate::{
    configuration::Leaf,
    features::{self, type_name},
    flags::Flags,
    foreign, typed,
};

/// The settings of one policy.
#[derive(Debug, Default)]
pub struct Parsed {
    pub(crate) features: Vec<ParsedFeature>,
}

/// What policies must have in common to be merged: settings of different keys stand beside each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FeatureKey {
    pub(crate) feature_id: u32,
    /// The full name of the type of the configuration.
    pub(crate) type_name: String,
    /// The product, where the type is [`PolicyData`], the same for all products.
    pub(crate) product: String,
}

/// What a policy says about one feature.
#[derive(Debug)]
pub(crate) struct ParsedFeature {
    pub(crate) key: FeatureKey,
    /// The type as it was spelled, where the configuration is a foreign object.
    pub(crate) foreign_type: Option<String>,
    pub(crate) settings: Vec<Setting<Leaf>>,
    /// Parts of a foreign object in which there is nothing.
    pub(crate) sections: Vec<SettingPath>,
}

impl Parsed {
    /// Reads a policy as it is kept: encoded, with its features.
    ///
    /// # Errors
    /// The bytes are no encoded policy.
    pub fn from_kept(features: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self::new(&Policy::decode(features)?.features))
    }

    /// Reads features. A configuration that is not what its type says is one setting, as one of a type that nobody
    /// knows is; [`check()`](crate::check()) lets none pass.
    #[must_use]
    pub fn new(features: &[FeaturePolicy]) -> Self {
        Self { features: features.iter().filter_map(ParsedFeature::new).collect() }
    }
}

impl ParsedFeature {
    /// `None`: it says nothing.
    fn new(feature: &FeaturePolicy) -> Option<Self> {
        let payload = feature.configuration.as_ref().filter(|payload| !payload.type_url.is_empty())?;
        let flags = Flags::new(&feature.flags);
        let own = || own_settings(feature.feature_id, payload, &flags);
        let foreign = || foreign_settings(feature.feature_id, payload, &flags);
        own().or_else(foreign).or_else(|| Some(whole(feature.feature_id, payload, &flags)))
    }
}

fn own_settings(feature_id: u32, payload: &Any, flags: &Flags) -> Option<ParsedFeature> {
    let descriptor = features::descriptor_of(feature_id)?;
    if type_name(&payload.type_url) != descriptor.full_name() {
        return None;
    }
    let key = FeatureKey { feature_id, type_name: descriptor.full_name().to_owned(), product: String::new() };
    let message = DynamicMessage::decode(descriptor, payload.value.as_slice()).ok()?;
    let settings = typed::settings(&message).into_iter().map(|(path, value)| setting(path, value, flags));
    Some(ParsedFeature { key, foreign_type: None, settings: settings.collect(), sections: Vec::new() })
}

fn foreign_settings(feature_id: u32, payload: &Any, flags: &Flags) -> Option<ParsedFeature> {
    if type_name(&payload.type_url) != ForeignObject::full_name() {
        return None;
    }
    let foreign = foreign::read(foreign::object(payload)?);
    let key =
        FeatureKey { feature_id, type_name: type_name(&foreign.type_url).to_owned(), product: String::new() };
    let whole = |(path, value)| setting(path, SettingValue::Whole(Leaf::Member(value)), flags);
    Some(ParsedFeature {
        key,
        foreign_type: Some(foreign.type_url),
        settings: foreign.settings.into_iter().map(whole).collect(),
        sections: foreign.sections,
    })
}

fn whole(feature_id: u32, payload: &Any, flags: &Flags) -> ParsedFeature {
    let type_name = type_name(&payload.type_url).to_owned();
    let data =
        (type_name == PolicyData::full_name()).then(|| PolicyData::decode(payload.value.as_slice()).ok());
    let product = data.flatten().map(|data| data.product).unwrap_or_default();
    let value = SettingValue::Whole(Leaf::Payload(payload.clone()));
    ParsedFeature {
        key: FeatureKey { feature_id, type_name, product },
        foreign_type: None,
        settings: vec![setting(SettingPath::default(), value, flags)],
        sections: Vec::new(),
    }
}

fn setting(path: SettingPath, value: SettingValue<Leaf>, flags: &Flags) -> Setting<Leaf> {
    let SettingFlags { apply_forcefully, read_only } = flags.of(&path);
    Setting { path, value, force: apply_forcefully, read_only }
}
