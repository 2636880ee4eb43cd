//! `Pipfile.lock`: JSON with a category for each kind of use, `default` and `develop` among them.

use serde::Deserialize;

use super::normalised;
use crate::{
    Found, Input, Kind, Origin, ParseError,
    collect::Collector,
    json::{self, Step, Text},
    text,
};

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    version: Text,
    #[serde(default)]
    path: Text,
    #[serde(default)]
    editable: bool,
}

/// Reads all categories. What comes from Git has no version there, and folders of the project are left out.
pub(super) fn read(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let bytes = input.bytes(text::LOCK_AT_MOST)?;
    let mut collector = Collector::new(Kind::Pypi, Origin::Locked, found);
    let categories = [Step::EveryBut("_meta")];
    let reached = json::entries(text::without_mark(&bytes), &categories, |name, entry: Entry| {
        let version = entry.version.as_str().trim_start_matches('=');
        if entry.path.as_str().is_empty() && !(entry.editable && version.is_empty()) {
            collector.add(&normalised(name), version);
        }
    })?;
    if reached {
        return Ok(());
    }
    Err(ParseError::Malformed("Pipfile.lock has an object `default`, and this has none".to_owned()))
}
