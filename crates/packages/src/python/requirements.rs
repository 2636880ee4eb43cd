//! `requirements.txt`, as pip reads it. Only exact versions (`==`, `===`) are told: what else would be installed is decided
//! on the day. Included files (`-r`) are files of their own.

use super::{in_installed_package, normalised};
use crate::{Found, Input, Kind, Origin, ParseError, collect::Collector, text};

/// Whether `path` (which ends with `.txt`) has one of the usual names: `requirements.txt`, `requirements-dev.txt`,
/// `test-requirements.txt`, `requirements/base.txt`.
pub(super) fn is_requirements(path: &[u8]) -> bool {
    let mut names = path.rsplit(|byte| *byte == b'/');
    let (name, folder) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
    (name.starts_with(b"requirements") || name.ends_with(b"requirements.txt") || folder == b"requirements")
        && !in_installed_package(path)
}

/// Reads the pins.
pub(super) fn read(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let text = text::read(input, text::MANIFEST_AT_MOST)?;
    let mut collector = Collector::new(Kind::Pypi, Origin::Declared, found);
    let mut logical = String::new();
    for line in text.lines() {
        // A comment ends a line that goes on, whatever its own last character is.
        let comment = line.trim_start().starts_with('#');
        if let Some(begin) = line.strip_suffix('\\').filter(|_| !comment) {
            logical.push_str(begin);
            continue;
        }
        if !comment {
            logical.push_str(line);
        }
        if let Some((name, version)) = pin(&logical) {
            collector.add(&normalised(name), version);
        }
        logical.clear();
    }
    if let Some((name, version)) = pin(&logical) {
        collector.add(&normalised(name), version);
    }
    Ok(())
}

/// Name and version of `name[extra] == 1.2.3 ; marker --hash=… # comment`.
fn pin(line: &str) -> Option<(&str, &str)> {
    let line = without_comment(line).trim();
    if line.starts_with('-') {
        return None;
    }
    let requirement = line.split(';').next()?.split(" --").next()?.trim();
    let name_ends =
        requirement.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))?;
    let (name, rest) = requirement.split_at(name_ends);
    let mut rest = rest.trim_start();
    if let Some(extras) = rest.strip_prefix('[') {
        rest = extras.split_once(']')?.1.trim_start();
    }
    let clauses = rest.strip_prefix('(').and_then(|inner| inner.trim_end().strip_suffix(')')).unwrap_or(rest);
    if clauses.starts_with('@') {
        return None;
    }
    let version = clauses.split(',').find_map(|clause| {
        let clause = clause.trim();
        let version = clause.strip_prefix("===").or_else(|| clause.strip_prefix("=="))?.trim();
        let exact = version.starts_with(|c: char| c.is_ascii_alphanumeric())
            && version.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '!' | '+' | '-' | '_'));
        exact.then_some(version)
    })?;
    (!name.is_empty()).then_some((name, version))
}

/// A comment begins with `#` at the beginning or after white space.
fn without_comment(line: &str) -> &str {
    let mut after_space = true;
    for (at, character) in line.char_indices() {
        if character == '#' && after_space {
            return line.get(..at).unwrap_or_default();
        }
        after_space = character.is_whitespace();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{is_requirements, pin};

    #[test]
    fn pins() {
        for (line, expected) in [
            ("Django==4.2.1", Some(("Django", "4.2.1"))),
            ("  a.b_c [x,y] == 1!2.0.post1+local  # why", Some(("a.b_c", "1!2.0.post1+local"))),
            ("a===1.0-custom", Some(("a", "1.0-custom"))),
            ("a (==1.0)", Some(("a", "1.0"))),
            ("a>=1,==1.5", Some(("a", "1.5"))),
            ("a==1.0; python_version < '3.8' and b == '1'", Some(("a", "1.0"))),
            ("a==1.0 --hash=sha256:01 --hash=sha256:02", Some(("a", "1.0"))),
            ("a==1.*", None),
            ("a>=1", None),
            ("a", None),
            ("a # ==1.0", None),
            ("a==${VERSION}", None),
            ("a @ https://example.org/a,==1.0", None),
            ("-e git+https://example.org/a#egg=b==1.0", None),
            ("-r base.txt", None),
            ("--index-url https://example.org/==1", None),
            ("https://example.org/a-1.0.whl", None),
            ("./a==1.0", None),
            ("# a==1.0", None),
            ("==1.0", None),
            ("a[x==1.0", None),
            ("a==", None),
            ("", None),
        ] {
            assert_eq!(pin(line), expected, "{line}");
        }
    }

    #[test]
    fn usual_names() {
        for (path, claimed) in [
            ("/a/requirements.txt", true),
            ("/requirements-dev.txt", true),
            ("/a/dev-requirements.txt", true),
            ("/a/requirements/base.txt", true),
            ("/a/notes.txt", false),
            ("/usr/lib/python3/dist-packages/a/requirements.txt", false),
        ] {
            assert_eq!(is_requirements(path.as_bytes()), claimed, "{path}");
        }
    }
}
