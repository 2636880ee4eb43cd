//! `pnpm-lock.yaml`: lock file versions 5 (`/name/1.2.3_peers`), 6 (`/name@1.2.3(peers)`) and 9 (`name@1.2.3`).

use super::{Place, block_yaml, block_yaml::Line, place, split_descriptor};
use crate::{Found, Input, Kind, Origin, ParseError, collect::Collector, text};

/// Reads the keys of `packages`.
pub(super) fn read(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let text = text::read(input, text::LOCK_AT_MOST)?;
    let mut lock = Lock {
        collector: Collector::new(Kind::Npm, Origin::Locked, found),
        version: None,
        in_packages: false,
        in_flow: false,
        entry: None,
    };
    block_yaml::lines(&text, |line| lock.line(line))?;
    lock.end_of_entry();
    if lock.in_flow {
        return Err(ParseError::Unsupported(
            "`packages` is written in braces; pnpm writes one package to a line".to_owned(),
        ));
    }
    if lock.version.is_none() {
        return Err(ParseError::Malformed(
            "a lock file of pnpm begins with `lockfileVersion`, and this has none".to_owned(),
        ));
    }
    Ok(())
}

struct Lock<'f> {
    collector: Collector<'f>,
    /// The first number of the lock file's version.
    version: Option<u32>,
    in_packages: bool,
    /// Packages stand in braces behind the key.
    in_flow: bool,
    entry: Option<Entry>,
}

/// An entry of `packages`.
#[derive(Default)]
struct Entry {
    key: String,
    name: String,
    version: String,
    folder: bool,
}

impl Lock<'_> {
    fn line(&mut self, line: Line<'_>) {
        match line.indent {
            0 => {
                self.end_of_entry();
                self.in_packages = line.key == "packages";
                self.in_flow |= self.in_packages && !matches!(&*line.value, "" | "{}");
                if line.key == "lockfileVersion" {
                    let major = line.value.split('.').next().unwrap_or_default();
                    self.version = major.parse().ok();
                }
            }
            2 if self.in_packages => {
                self.end_of_entry();
                self.entry = Some(Entry { key: line.key.into_owned(), ..Entry::default() });
            }
            _ => {
                let Some(entry) = &mut self.entry else { return };
                match (line.indent, &*line.key) {
                    (4, "name") => entry.name = line.value.into_owned(),
                    (4, "version") => entry.version = line.value.into_owned(),
                    (4, "resolution") => entry.folder |= line.value.contains("type: directory"),
                    (6, "type") => entry.folder |= line.value == "directory",
                    _ => {}
                }
            }
        }
    }

    fn end_of_entry(&mut self) {
        let Some(entry) = self.entry.take().filter(|entry| !entry.folder) else { return };
        let split = if self.version.is_some_and(|version| version < 6) { by_slash } else { by_at };
        let (name, version) = split(&entry.key).unwrap_or_default();
        // Programs that pnpm fetches itself are not from npm: `node@runtime:22.0.0`.
        if version.starts_with("runtime:") {
            return;
        }
        let name = if entry.name.is_empty() { name } else { &entry.name };
        match place(if entry.version.is_empty() { version } else { &entry.version }) {
            Place::Registry(version) => self.collector.add(name, version),
            Place::Alias(name, version) => self.collector.add(name, version),
            Place::Elsewhere => self.collector.add(name, ""),
            Place::Folder => {}
        }
    }
}

/// Name and version of `/name/1.2.3_peers` and `registry.example.org/@scope/name/1.2.3/peers`. None of what is not from a
/// registry, as `example.org/owner/repository/0123abc`: there, `name` and `version` stand beside it.
fn by_slash(key: &str) -> Option<(&str, &str)> {
    let path = from_registry(key)?;
    let name_ends = if path.starts_with('@') { path.find('/')?.checked_add(1)? } else { 0 };
    let name_ends = name_ends.checked_add(path.get(name_ends..)?.find('/')?)?;
    let version = path.get(name_ends..)?.trim_start_matches('/').split(['/', '_', '(']).next()?;
    Some((path.get(..name_ends)?, version))
}

/// Name and version of `name@1.2.3(peers)`, in version 6 with `/` or the registry's host before it.
fn by_at(key: &str) -> Option<(&str, &str)> {
    let (name, version) = split_descriptor(from_registry(key).unwrap_or(key))?;
    // A URL may have brackets; peers follow a version only.
    let version = if version.contains(':') { version } else { version.split('(').next()? };
    Some((name, version))
}

/// What follows the first `/`, when that is the first character or ends the name of a host.
fn from_registry(key: &str) -> Option<&str> {
    let (host, path) = key.split_once('/')?;
    (host.is_empty() || (host.contains('.') && !host.contains('@'))).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::{by_at, by_slash};

    #[test]
    fn keys_of_version_5() {
        for (key, expected) in [
            ("/lodash/4.17.21", ("lodash", "4.17.21")),
            ("/@babel/core/7.0.0", ("@babel/core", "7.0.0")),
            ("/a/1.0.0-rc.1_react@17.0.2", ("a", "1.0.0-rc.1")),
            ("/a/1.0.0/react@17.0.2", ("a", "1.0.0")),
            ("npm.example.org/@s/a/1.0.0_b@2", ("@s/a", "1.0.0")),
        ] {
            assert_eq!(by_slash(key), Some(expected), "{key}");
        }
        for key in ["", "/", "/a", "/@s/a", "a", "file:a"] {
            assert_eq!(by_slash(key), None, "{key}");
        }
    }

    #[test]
    fn keys_of_versions_6_and_9() {
        for (key, expected) in [
            ("/lodash@4.17.21", ("lodash", "4.17.21")),
            ("/@babel/core@7.0.0(@babel/b@1)(c@2)", ("@babel/core", "7.0.0")),
            ("lodash@4.17.21", ("lodash", "4.17.21")),
            ("@babel/core@7.0.0", ("@babel/core", "7.0.0")),
            ("npm.example.org/@s/a@1.0.0", ("@s/a", "1.0.0")),
            ("a@https://example.org/a/tar.gz/01", ("a", "https://example.org/a/tar.gz/01")),
        ] {
            assert_eq!(by_at(key), Some(expected), "{key}");
        }
        for key in ["", "/", "@", "a", "@s/a"] {
            assert_eq!(by_at(key), None, "{key}");
        }
    }
}
