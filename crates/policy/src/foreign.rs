//! Settings of configurations that came as JSON of a type that the contract does not know.

use guardhouse_contract::pb::guardhouse::json::v1::ForeignObject;
use guardhouse_model::policies::SettingPath;
use prost::Message as _;
use prost_types::Any;
use serde_json::{Map, Value as Json};

/// What a foreign object says.
#[derive(Debug, Default)]
pub(crate) struct Foreign {
    /// Its type, as it was spelled.
    pub(crate) type_url: String,
    /// Its members, and those of objects inside, down to what is no object.
    pub(crate) settings: Vec<(SettingPath, Json)>,
    /// Objects without members. They set nothing, but a product may want to see them.
    pub(crate) sections: Vec<SettingPath>,
}

/// The object that `payload`, a [`ForeignObject`], holds; `None` when it holds none that names its type.
pub(crate) fn object(payload: &Any) -> Option<Map<String, Json>> {
    let foreign = ForeignObject::decode(payload.value.as_slice()).ok()?;
    let object: Map<String, Json> = serde_json::from_str(&foreign.json).ok()?;
    object.get("@type").and_then(Json::as_str).is_some_and(|type_url| !type_url.is_empty()).then_some(object)
}

/// Reads a foreign object, as [`object`] gives it.
pub(crate) fn read(mut object: Map<String, Json>) -> Foreign {
    let mut found = Foreign::default();
    if let Some(Json::String(type_url)) = object.shift_remove("@type") {
        found.type_url = type_url;
    }
    let mut path = Vec::new();
    for (name, value) in object {
        collect(name, value, &mut path, &mut found);
    }
    found
}

fn collect(name: String, mut value: Json, path: &mut Vec<String>, found: &mut Foreign) {
    path.push(name);
    match value {
        Json::Object(members) if members.is_empty() => found.sections.push(path.clone().into()),
        Json::Object(members) => {
            for (name, value) in members {
                collect(name, value, path, found);
            }
        }
        _ => {
            // Equal values become equal texts.
            value.sort_all_objects();
            found.settings.push((path.clone().into(), value));
        }
    }
    path.pop();
}

/// The configuration with these settings, which are at paths of which none lies below another; and with these
/// sections, where nothing else stands in their places.
pub(crate) fn write<'a>(
    type_url: &str,
    settings: impl IntoIterator<Item = (&'a SettingPath, Json)>,
    sections: impl IntoIterator<Item = &'a SettingPath>,
) -> Any {
    let mut members = Json::Object(Map::new());
    for (path, value) in settings {
        if let Some(place) = place(&mut members, path.names()) {
            *place = value;
        }
    }
    for path in sections {
        place(&mut members, path.names());
    }
    members.sort_all_objects();
    let mut object = Map::from_iter([("@type".to_owned(), Json::from(type_url))]);
    if let Json::Object(members) = members {
        object.extend(members);
    }
    guardhouse_contract::status::pack(&ForeignObject { json: Json::Object(object).to_string() })
}

/// The value at `names`, an object without members when there was none; `None` when something else stands above it.
fn place<'a>(value: &'a mut Json, names: &[String]) -> Option<&'a mut Json> {
    names.iter().try_fold(value, |value, name| {
        let members = value.as_object_mut()?;
        if !members.contains_key(name) {
            members.insert(name.clone(), Json::Object(Map::new()));
        }
        members.get_mut(name)
    })
}
