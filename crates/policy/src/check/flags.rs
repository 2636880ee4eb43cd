//! The paths of flags.

use guardhouse_contract::{descriptors, policies::FeaturePolicy};
use prost_reflect::{Kind, MessageDescriptor};

use super::found::Found;
use crate::{features, typed};

/// Longest path of a flag, in bytes.
const LONGEST_PATH: usize = 1_024;

pub(super) fn check(found: &mut Found, feature: &FeaturePolicy) {
    let mut paths: Vec<_> = feature.flags.keys().collect();
    paths.sort();
    let own = features::descriptor_of(feature.feature_id);
    for path in paths {
        let judgement = match &own {
            _ if !is_path(path) => {
                Err("is not a path of fields such as scan.profile; a list can be named only as a whole"
                    .to_owned())
            }
            Some(own) => names_setting(own, path),
            None => Ok(()),
        };
        found.below(&format!(".flags[{path:?}]"), |found| found.judge(judgement));
    }
}

/// Whether `path` is names of fields, joined by dots.
fn is_path(path: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    path.len() <= LONGEST_PATH && path.split('.').all(is_name)
}

/// Whether `path` names a setting of `message`, or a message with settings.
fn names_setting(message: &MessageDescriptor, path: &str) -> Result<(), String> {
    let mut message = message.clone();
    let mut names = path.split('.').peekable();
    while let Some(name) = names.next() {
        let Some(field) = descriptors::field(&message, name) else {
            let known: Vec<_> = message.fields().map(|field| field.json_name().to_owned()).collect();
            let (of, known) = (message.name(), known.join(", "));
            return Err(format!("names {name:?}, which is no field of {of}; it has: {known}"));
        };
        message = match field.kind() {
            Kind::Message(inner) if !field.is_list() && typed::is_section(&inner) => inner,
            _ if names.peek().is_none() => return Ok(()),
            _ => {
                return Err(format!(
                    "goes into {name:?}, which is one setting: it can be named only as a whole"
                ));
            }
        };
    }
    Ok(())
}
