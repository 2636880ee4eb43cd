//! Settings of configurations that came as JSON of a type that the contract does not know.

use std::{collections::BTreeSet, ops::Bound};

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

/// The configuration with these settings, which are in the order of their paths, none below another; and with these
/// sections, where nothing else stands in their places.
pub(crate) fn write<'a>(
    type_url: &str,
    settings: Vec<(&'a SettingPath, &'a Json)>,
    sections: impl IntoIterator<Item = &'a SettingPath>,
) -> Any {
    let nothing = Json::Object(Map::new());
    let sections: BTreeSet<_> = sections.into_iter().collect();
    let is_free = |section: &&SettingPath| {
        let next = settings.partition_point(|(path, _)| path < section);
        let before = next.checked_sub(1).and_then(|before| settings.get(before));
        // A section in which there is something is written with it.
        let inside = sections.range::<SettingPath, _>((Bound::Excluded(*section), Bound::Unbounded)).next();
        !before.is_some_and(|(path, _)| section.is_within(path))
            && !settings.get(next).is_some_and(|(path, _)| path.is_within(section))
            && !inside.is_some_and(|path| path.is_within(section))
    };
    let free = sections.iter().copied().filter(is_free).map(|section| (section, &nothing));
    let mut members: Vec<_> = free.chain(settings.iter().copied()).collect();
    members.sort_by_key(|(path, _)| *path);

    let mut text = br#"{"@type":"#.to_vec();
    write_value(&mut text, &Json::from(type_url));
    for members in groups(&members, 0) {
        text.push(b',');
        write_member(&mut text, members, 0);
    }
    text.push(b'}');
    let json = String::from_utf8(text).expect("JSON is text");
    guardhouse_contract::status::pack(&ForeignObject { json })
}

/// A value that is to be written, and where.
type Member<'a> = (&'a SettingPath, &'a Json);

/// Members of one object, by their names at this depth.
fn groups<'a, 'b>(members: &'b [Member<'a>], depth: usize) -> impl Iterator<Item = &'b [Member<'a>]> {
    members.chunk_by(move |(one, _), (other, _)| one.names()[depth] == other.names()[depth])
}

/// Writes a member of an object at `depth`, given by all that lies at or below it.
fn write_member(text: &mut Vec<u8>, members: &[Member<'_>], depth: usize) {
    let (path, value) = members[0];
    write_value(text, &path.names()[depth]);
    text.push(b':');
    if path.names().len() == depth + 1 {
        return write_value(text, value);
    }
    text.push(b'{');
    for (index, members) in groups(members, depth + 1).enumerate() {
        if index > 0 {
            text.push(b',');
        }
        write_member(text, members, depth + 1);
    }
    text.push(b'}');
}

fn write_value(text: &mut Vec<u8>, value: &impl serde::Serialize) {
    serde_json::to_writer(text, value).expect("memory takes everything");
}
