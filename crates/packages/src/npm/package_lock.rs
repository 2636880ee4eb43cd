//! `package-lock.json` and `npm-shrinkwrap.json`: lock file versions 1 (nested `dependencies`), 3 (flat `packages`), and 2,
//! which has both.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};

use super::{Place, place};
use crate::{
    Found, Input, Kind, Origin, ParseError,
    collect::Collector,
    json::{self, Licences, Step, Str, Text},
    text,
};

/// Reads what a project asks for.
pub(super) fn read(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    read_as(Origin::Locked, input, found)
}

/// Reads `node_modules/.package-lock.json`, in which npm notes what it installed there.
pub(super) fn read_installed(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    read_as(Origin::Installed, input, found)
}

fn read_as(origin: Origin, input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let bytes = input.bytes(text::LOCK_AT_MOST)?;
    let bytes = text::without_mark(&bytes);
    let mut collector = Collector::new(Kind::Npm, origin, found);
    let flat = json::entries(bytes, &[Step::Key("packages")], |path: &str, entry: Entry| {
        entry.tell(path, &mut collector);
    })?;
    if flat {
        return Ok(());
    }
    let mut document = serde_json::Deserializer::from_slice(bytes);
    let nested = Top(&mut collector).deserialize(&mut document).map_err(json::malformed)?;
    if nested.dependencies || nested.version {
        // A project without dependencies has neither list.
        return Ok(());
    }
    Err(ParseError::Malformed(
        "a lock file of npm has `lockfileVersion`, and `packages` or `dependencies`; this has neither"
            .to_owned(),
    ))
}

/// An entry of `packages`; its key is the folder it is installed in.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    name: Text,
    #[serde(default)]
    version: Text,
    #[serde(default)]
    link: bool,
    #[serde(default)]
    license: Licences,
}

impl Entry {
    fn tell(self, path: &str, collector: &mut Collector<'_>) {
        // The project itself, its workspaces and links to them are not in any `node_modules`, or only as links.
        let Some((before, folder)) = path.rsplit_once("node_modules/") else { return };
        if self.link || !(before.is_empty() || before.ends_with('/')) {
            return;
        }
        let name = if self.name.as_str().is_empty() { folder } else { self.name.as_str() };
        match place(self.version.as_str()) {
            Place::Registry(version) => collector.add_with(name, version, self.license.0, Vec::new()),
            Place::Alias(name, version) => collector.add_with(name, version, self.license.0, Vec::new()),
            Place::Elsewhere => collector.add_with(name, "", self.license.0, Vec::new()),
            Place::Folder => {}
        }
    }
}

/// What the document has, once its `dependencies` were told.
#[derive(Default)]
struct Seen {
    version: bool,
    dependencies: bool,
}

struct Top<'c, 'f>(&'c mut Collector<'f>);

impl<'de> DeserializeSeed<'de> for Top<'_, '_> {
    type Value = Seen;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Seen, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Top<'_, '_> {
    type Value = Seen;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a lock file of npm")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Seen, A::Error> {
        let mut seen = Seen::default();
        while let Some(Str(key)) = map.next_key()? {
            if key == "dependencies" {
                seen.dependencies = true;
                map.next_value_seed(Dependencies(self.0))?;
            } else {
                seen.version |= key == "lockfileVersion";
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(seen)
    }
}

/// An object of dependencies by name. Those inside of each other are only as deep as the JSON parser allows.
struct Dependencies<'c, 'f>(&'c mut Collector<'f>);

impl<'de> DeserializeSeed<'de> for Dependencies<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Dependencies<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dependencies by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Str(name)) = map.next_key()? {
            map.next_value_seed(Dependency { name: &name, collector: self.0 })?;
        }
        Ok(())
    }
}

struct Dependency<'c, 'f> {
    name: &'c str,
    collector: &'c mut Collector<'f>,
}

impl<'de> DeserializeSeed<'de> for Dependency<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Dependency<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a dependency with its version")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut version = Text::default();
        while let Some(Str(key)) = map.next_key()? {
            match &*key {
                "version" => version = map.next_value()?,
                "dependencies" => map.next_value_seed(Dependencies(self.collector))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        match place(version.as_str()) {
            Place::Registry(version) => self.collector.add(self.name, version),
            Place::Alias(name, version) => self.collector.add(name, version),
            Place::Elsewhere => self.collector.add(self.name, ""),
            Place::Folder => {}
        }
        Ok(())
    }
}
