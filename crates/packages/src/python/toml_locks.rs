//! Lock files in TOML: `poetry.lock`, `uv.lock` and `pdm.lock` have a table `package` for each, `pylock.toml` (PEP 751) a
//! table `packages`.

use serde::{Deserialize, de::IgnoredAny};

use super::normalised;
use crate::{Found, Input, Kind, Origin, ParseError, collect::Collector, text};

/// A table of a package with the hashes of all its files. Parsing takes a hundred times the memory of the text.
const TABLE_AT_MOST: usize = 1 << 20;

/// Whether `path` (which ends with `.toml`) is `pylock.toml` or `pylock.NAME.toml`.
pub(super) fn is_pylock(path: &[u8]) -> bool {
    path.rsplit(|byte| *byte == b'/').next().is_some_and(|name| name.starts_with(b"pylock."))
}

/// One table of a lock file.
#[derive(Deserialize)]
struct Table {
    #[serde(default, alias = "packages")]
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    /// Absent where it is computed at build time.
    #[serde(default)]
    version: String,
    #[serde(default)]
    source: Source,
    /// PDM: a folder or an archive of the project.
    path: Option<String>,
    /// PDM.
    #[serde(default)]
    editable: bool,
    /// PEP 751: a folder.
    directory: Option<IgnoredAny>,
}

/// Poetry says of what type a source is, uv has one key for each.
#[derive(Default, Deserialize)]
struct Source {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(rename = "virtual")]
    virtual_: Option<IgnoredAny>,
    editable: Option<IgnoredAny>,
    directory: Option<IgnoredAny>,
}

impl Package {
    /// Whether it is a folder of the project itself, which no index knows.
    fn is_folder(&self) -> bool {
        let archive =
            |path: &str| [".whl", ".gz", ".zip", ".bz2", ".xz"].iter().any(|end| path.ends_with(end));
        self.editable
            || self.directory.is_some()
            || self.path.as_deref().is_some_and(|path| !archive(path))
            || self.source.kind == "directory"
            || self.source.virtual_.is_some()
            || self.source.editable.is_some()
            || self.source.directory.is_some()
    }
}

/// Reads `poetry.lock`, `uv.lock` or `pdm.lock`.
pub(super) fn read_package(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    read("package", input, found)
}

/// Reads `pylock.toml`.
pub(super) fn read_packages(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    read("packages", input, found)
}

/// Reads a table after the other. What is outside of them (hashes of all files in old ones of Poetry) is left alone.
fn read(key: &str, input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let text = text::read(input, text::LOCK_AT_MOST)?;
    let mut collector = Collector::new(Kind::Pypi, Origin::Locked, found);
    let tables = tables(&text, key);
    if tables.is_empty() {
        // A lock without packages, or something else.
        parse(1, &text)?;
    }
    for (line, table) in tables {
        for package in parse(line, table)?.package.iter().filter(|package| !package.is_folder()) {
            collector.add(&normalised(&package.name), &package.version);
        }
    }
    Ok(())
}

/// The parts that begin with `[[key]]`, with their parts `[key.…]` and `[[key.…]]`, and the lines they begin at, from 1.
fn tables<'t>(text: &'t str, key: &str) -> Vec<(usize, &'t str)> {
    let (mut tables, mut begin, mut at) = (Vec::new(), None, 0_usize);
    let mut end_at = |begin: Option<(usize, usize)>, at: usize| {
        tables.extend(begin.and_then(|(line, begin)| Some((line, text.get(begin..at)?))));
    };
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if let Some(header) = line.strip_prefix('[') {
            let inner = header.trim_start_matches('[').strip_prefix(key);
            if !inner.is_some_and(|rest| rest.starts_with('.')) {
                end_at(begin.take(), at);
                let begins = header.starts_with('[') && inner.is_some_and(|rest| rest.starts_with(']'));
                begin = begins.then_some((index.saturating_add(1), at));
            }
        }
        at = at.saturating_add(line.len());
    }
    end_at(begin, text.len());
    tables
}

/// A part that begins at a line.
fn parse(line: usize, text: &str) -> Result<Table, ParseError> {
    if text.len() > TABLE_AT_MOST {
        return Err(ParseError::Malformed(format!(
            "line {line}: a table of {} bytes, and that of a package has at most {TABLE_AT_MOST}",
            text.len()
        )));
    }
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = line.saturating_add(before.matches('\n').count());
        ParseError::Malformed(format!(
            "line {line}: not the lock file that its name promises: {}",
            error.message()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::tables;

    #[test]
    fn a_table_has_its_parts() {
        let text = "version = 1\n[[package]]\nname = \"a\"\n[package.source]\n[[package.x]]\n[[package]]\r\nname = \"b\"\n\n[metadata]\nx = 1\n";
        assert_eq!(
            tables(text, "package"),
            [
                (2, "[[package]]\nname = \"a\"\n[package.source]\n[[package.x]]\n"),
                (6, "[[package]]\r\nname = \"b\"\n\n")
            ]
        );
        assert_eq!(tables("[package]\n[[packages]]\n", "package"), []);
        assert_eq!(tables("[[package]]", "package"), [(1, "[[package]]")]);
    }
}
