//! `Gemfile.lock`.

use crate::{Found, Input, Kind, Origin, ParseError, collect::Collector, text};

/// Whether `path` is below `…/gems/NAME-VERSION/`: such a lock file says what the gem's developers used.
pub(super) fn in_installed_gem(path: &[u8]) -> bool {
    let mut folders = path.split(|byte| *byte == b'/').peekable();
    while let Some(folder) = folders.next() {
        let versioned = |name: &&[u8]| name.windows(2).any(|pair| matches!(pair, [b'-', b'0'..=b'9']));
        if folder == b"gems" && folders.peek().is_some_and(versioned) {
            return true;
        }
    }
    false
}

/// Reads the gems of the sections `GEM`, `GIT` and `PLUGIN SOURCE`. Those of `PATH` are folders of the project.
pub(super) fn read(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let text = text::read(input, text::LOCK_AT_MOST)?;
    let mut collector = Collector::new(Kind::Gem, Origin::Locked, found);
    let (mut section, mut in_specs, mut sections) = ("", false, false);
    let mut no_gem = None;
    for (index, line) in text.lines().map(str::trim_end).enumerate() {
        let content = line.trim_start_matches(' ');
        match line.len().saturating_sub(content.len()) {
            0 => {
                section = content;
                sections |= matches!(section, "GEM" | "GIT" | "PATH" | "PLUGIN SOURCE" | "DEPENDENCIES");
                in_specs = false;
            }
            2 => in_specs = content == "specs:",
            // Deeper lines are what the gem above them needs.
            4 if in_specs && section != "PATH" => match gem(content) {
                Some((name, version)) => collector.add(name, version),
                None => no_gem = no_gem.or(index.checked_add(1)),
            },
            _ => {}
        }
    }
    if let Some(line) = no_gem {
        return Err(ParseError::Malformed(format!("line {line}: a gem is written as `name (version)`")));
    }
    if sections || text.trim().is_empty() {
        return Ok(());
    }
    Err(ParseError::Malformed(
        "a lock file of Bundler has sections as `GEM` or `DEPENDENCIES`, and this has none".to_owned(),
    ))
}

/// Name and version of `name (1.2.3)` or `name (1.2.3-x86_64-linux)`, without the platform.
fn gem(content: &str) -> Option<(&str, &str)> {
    let (name, version) = content.strip_suffix(')')?.split_once(" (")?;
    Some((name, without_platform(version)))
}

/// The version of `1.2.3-x86_64-linux`: a version of a gem has no `-`, RubyGems writes `.pre.` for it.
pub(super) fn without_platform(version: &str) -> &str {
    version.split('-').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{gem, in_installed_gem};

    #[test]
    fn a_platform_is_no_part_of_the_version() {
        assert_eq!(gem("nokogiri (1.15.4-x86_64-linux)"), Some(("nokogiri", "1.15.4")));
        assert_eq!(gem("a-b_c (1.0.0.pre.1)"), Some(("a-b_c", "1.0.0.pre.1")));
        assert_eq!(gem("a"), None);
        assert_eq!(gem("a (1"), None);
    }

    #[test]
    fn lock_files_of_gems_are_told_apart() {
        assert!(in_installed_gem(b"/var/lib/gems/3.1.0/gems/rack-2.0.1/Gemfile.lock"));
        assert!(!in_installed_gem(b"/srv/gems/shop/Gemfile.lock"));
        assert!(!in_installed_gem(b"/srv/gems"));
    }
}
