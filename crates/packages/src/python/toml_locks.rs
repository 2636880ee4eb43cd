//! Lock files in TOML: `poetry.lock`, `uv.lock` and `pdm.lock` have a table `package` for each, `pylock.toml` (PEP 751) a
//! table `packages`.

use serde::{Deserialize, de::IgnoredAny};

use super::normalised;
use crate::{Found, Input, Kind, Origin, ParseError, collect::Collector, text};

/// Parsing takes many times the memory of the text. The largest in public have about 3 MB.
const TOML_AT_MOST: u64 = 8 << 20;

/// Whether `path` (which ends with `.toml`) is `pylock.toml` or `pylock.NAME.toml`.
pub(super) fn is_pylock(path: &[u8]) -> bool {
    path.rsplit(|byte| *byte == b'/').next().is_some_and(|name| name.starts_with(b"pylock."))
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Pylock {
    #[serde(default)]
    packages: Vec<Package>,
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
    let lock: Lock = parse(input)?;
    tell(&lock.package, found);
    Ok(())
}

/// Reads `pylock.toml`.
pub(super) fn read_packages(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let lock: Pylock = parse(input)?;
    tell(&lock.packages, found);
    Ok(())
}

fn parse<T: for<'de> Deserialize<'de>>(input: &mut Input<'_>) -> Result<T, ParseError> {
    let text = text::read(input, TOML_AT_MOST)?;
    toml::from_str(&text).map_err(|error| {
        let at = error.span().and_then(|span| text.get(..span.start));
        let line = at.map_or(1, |before| before.lines().count().max(1));
        ParseError::Malformed(format!(
            "line {line}: not the lock file that its name promises: {}",
            error.message()
        ))
    })
}

fn tell(packages: &[Package], found: &mut dyn FnMut(Found)) {
    let mut collector = Collector::new(Kind::Pypi, Origin::Locked, found);
    for package in packages.iter().filter(|package| !package.is_folder()) {
        collector.add(&normalised(&package.name), &package.version);
    }
}
