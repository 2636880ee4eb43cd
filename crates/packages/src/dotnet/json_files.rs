//! `packages.lock.json`, `project.assets.json` and `*.deps.json`.

use serde::Deserialize;

use crate::{
    Found, Input, Kind, Origin, ParseError,
    collect::Collector,
    json::{self, Step, Text},
    text,
};

#[derive(Deserialize)]
struct Locked {
    #[serde(rename = "type", default)]
    kind: Text,
    #[serde(default)]
    resolved: Text,
}

/// Reads `packages.lock.json`: `dependencies`, by framework, by name.
pub(super) fn read_lock(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let bytes = input.bytes(text::LOCK_AT_MOST)?;
    let mut collector = Collector::new(Kind::Nuget, Origin::Locked, found);
    let path = [Step::Key("dependencies"), Step::Every];
    let reached = json::entries(text::without_mark(&bytes), &path, |name, entry: Locked| {
        if !entry.kind.as_str().eq_ignore_ascii_case("project") {
            collector.add(name, entry.resolved.as_str());
        }
    })?;
    // A project without dependencies has the frameworks and nothing in them, or `{}`.
    if reached || has(&bytes, "dependencies")? {
        return Ok(());
    }
    Err(ParseError::Malformed(
        "packages.lock.json has an object `dependencies`, and this has none".to_owned(),
    ))
}

#[derive(Deserialize)]
struct Library {
    #[serde(rename = "type", default)]
    kind: Text,
}

/// Reads what was published with a program.
pub(super) fn read_deps(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    read_libraries(Origin::Installed, input, found)
}

/// Reads what was restored for a project.
pub(super) fn read_assets(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    read_libraries(Origin::Locked, input, found)
}

/// Reads `libraries`, whose keys are `name/version`.
fn read_libraries(
    origin: Origin,
    input: &mut Input<'_>,
    found: &mut dyn FnMut(Found),
) -> Result<(), ParseError> {
    let bytes = input.bytes(text::LOCK_AT_MOST)?;
    let bytes = text::without_mark(&bytes);
    let mut collector = Collector::new(Kind::Nuget, origin, found);
    let reached = json::entries(bytes, &[Step::Key("libraries")], |key, library: Library| {
        let Some((name, version)) = key.split_once('/') else { return };
        match library.kind.as_str() {
            "package" => collector.add(name, version),
            // The runtime that a self-contained program brings along; its package has the name without this word.
            "runtimepack" => collector.add(name.strip_prefix("runtimepack.").unwrap_or(name), version),
            _ => {}
        }
    })?;
    if reached {
        return Ok(());
    }
    Err(ParseError::Malformed("an object `libraries` is expected, and there is none".to_owned()))
}

fn has(bytes: &[u8], key: &'static str) -> Result<bool, ParseError> {
    json::entries(text::without_mark(bytes), &[Step::Key(key)], |_, _: serde::de::IgnoredAny| {})
}
