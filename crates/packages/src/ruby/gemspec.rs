//! The specification of a gem that is installed: Ruby code, of which RubyGems writes each statement on a line of its own.

use super::gemfile_lock::without_platform;
use crate::{Found, Input, Kind, Origin, ParseError, collect::Collector, text};

/// Whether `path` is `…/specifications/NAME.gemspec` or `…/specifications/default/NAME.gemspec`. In a gem's own folder,
/// the file describes how to build it.
pub(super) fn is_installed(path: &[u8]) -> bool {
    let mut folders = path.rsplit(|byte| *byte == b'/').skip(1);
    match folders.next() {
        Some(b"specifications") => true,
        Some(b"default") => folders.next() == Some(b"specifications"),
        _ => false,
    }
}

/// Reads name, version and licences. Where Ruby computes them, the name of the file tells name and version.
pub(super) fn read(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let text = text::read(input, text::MANIFEST_AT_MOST)?;
    let (mut name, mut version, mut licences) = (None, None, Vec::new());
    for line in text.lines().map(str::trim) {
        // `# stub: rake 13.0.6 ruby lib`, which RubyGems itself reads instead of running the rest. A second one lists
        // what is to be compiled.
        if let Some(stub) = line.strip_prefix("# stub: ") {
            let mut words = stub.split(' ');
            name = name.or_else(|| words.next());
            version = version.or_else(|| words.next());
            continue;
        }
        let Some((target, value)) = line.split_once('=') else { continue };
        match target.trim_end().rsplit_once('.').map(|(_, attribute)| attribute) {
            Some("name") => name = name.or_else(|| literals(value).next()),
            Some("version") => version = version.or_else(|| literals(value).next()),
            Some("license" | "licenses") => licences.extend(literals(value).map(str::to_owned)),
            _ => {}
        }
    }
    let of_file = file_name(input.path);
    let (name, version) = match (name, version, &of_file) {
        (Some(name), Some(version), _) => (name, version),
        (_, _, Some((name, version))) => (name.as_str(), version.as_str()),
        _ => {
            return Err(ParseError::Malformed(
                "neither the specification nor the name of its file tells name and version of the gem"
                    .to_owned(),
            ));
        }
    };
    let mut collector = Collector::new(Kind::Gem, Origin::Installed, found);
    collector.add_with(name, without_platform(version), licences, Vec::new());
    Ok(())
}

/// The texts in quotation marks.
fn literals(value: &str) -> impl Iterator<Item = &str> {
    let mut rest = value;
    std::iter::from_fn(move || {
        let (_, begin) = rest.split_once(['"', '\''])?;
        let (literal, after) = begin.split_once(['"', '\''])?;
        rest = after;
        Some(literal)
    })
}

/// Name and version of `/…/NAME-1.2.3.gemspec`, at the first `-` before what can be a version.
fn file_name(path: &[u8]) -> Option<(String, String)> {
    let name = path.rsplit(|byte| *byte == b'/').next()?.strip_suffix(b".gemspec")?;
    let name = std::str::from_utf8(name).ok()?;
    let mut at = name.match_indices('-').map(|(at, _)| at);
    let at = at.find(|at| {
        let version = name.get(at.saturating_add(1)..).unwrap_or_default();
        version.starts_with(|c: char| c.is_ascii_digit())
            && without_platform(version).chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
    })?;
    Some((name.get(..at)?.to_owned(), name.get(at.saturating_add(1)..)?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{file_name, is_installed, literals};

    #[test]
    fn places() {
        for (path, claimed) in [
            ("/var/lib/gems/3.1.0/specifications/rake-13.0.6.gemspec", true),
            ("/usr/lib/ruby/gems/3.1.0/specifications/default/bundler-2.3.15.gemspec", true),
            ("/var/lib/gems/3.1.0/gems/rake-13.0.6/rake.gemspec", false),
            ("/default/a.gemspec", false),
        ] {
            assert_eq!(is_installed(path.as_bytes()), claimed, "{path}");
        }
    }

    #[test]
    fn names_of_files() {
        for (name, expected) in [
            ("rake-13.0.6", Some(("rake", "13.0.6"))),
            ("a-b-1.0.pre-x86_64-linux", Some(("a-b", "1.0.pre-x86_64-linux"))),
            ("a", None),
        ] {
            let found = file_name(format!("/specifications/{name}.gemspec").as_bytes());
            let expected = expected.map(|(name, version)| (name.to_owned(), version.to_owned()));
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn texts_in_code() {
        assert_eq!(literals(r#" ["MIT".freeze, 'BSD']"#).collect::<Vec<_>>(), ["MIT", "BSD"]);
        assert_eq!(literals(r#" Foo::VERSION "#).count(), 0);
        assert_eq!(literals(r#" "open "#).count(), 0);
    }
}
