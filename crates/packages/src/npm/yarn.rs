//! `yarn.lock`: the own form of Yarn 1, and the YAML of Yarn 2 and later.

use super::{Place, block_yaml, block_yaml::Line, place, split_descriptor};
use crate::{Found, Input, Kind, Origin, ParseError, collect::Collector, text};

/// Reads either form.
pub(super) fn read(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let text = text::read(input, text::LOCK_AT_MOST)?;
    let collector = Collector::new(Kind::Npm, Origin::Locked, found);
    if text.lines().any(|line| line.starts_with("__metadata:")) {
        let mut lock = Berry { collector, resolution: String::new(), version: String::new() };
        block_yaml::lines(&text, |line| lock.line(line))?;
        lock.end_of_entry();
        return Ok(());
    }
    classic(&text, collector)
}

/// Yarn 1: patterns, separated by commas and with a colon at the end, and below them fields as `version "1.2.3"`.
fn classic(text: &str, mut collector: Collector<'_>) -> Result<(), ParseError> {
    let mut pattern: Option<&str> = None;
    for (index, line) in text.lines().enumerate() {
        let fault = |what| ParseError::Malformed(format!("line {}: {what}", index.saturating_add(1)));
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if !line.starts_with(' ') {
            let header = line.strip_suffix(':').ok_or_else(|| {
                fault("a lock file of Yarn has `name@range:` here, and this has no colon at its end")
            })?;
            pattern = Some(match header.strip_prefix('"') {
                Some(quoted) => quoted.split('"').next().unwrap_or_default(),
                None => header.split(',').next().unwrap_or_default().trim(),
            });
        } else if let Some(version) = line.strip_prefix("  version ") {
            let Some((name, range)) = pattern.take().and_then(split_descriptor) else { continue };
            let version = version.trim().trim_matches('"');
            match place(range) {
                Place::Folder => {}
                Place::Alias(name, _) => collector.add(name, version),
                // The version that Yarn found, whatever the range was.
                Place::Registry(_) | Place::Elsewhere => match range.strip_prefix("npm:") {
                    // `npm:name`, without a range.
                    Some(name) if !name.starts_with(|first: char| first.is_ascii_digit()) => {
                        collector.add(name, version);
                    }
                    _ => collector.add(name, version),
                },
            }
        }
    }
    Ok(())
}

struct Berry<'f> {
    collector: Collector<'f>,
    resolution: String,
    version: String,
}

impl Berry<'_> {
    fn line(&mut self, line: Line<'_>) {
        match (line.indent, &*line.key) {
            (0, _) => self.end_of_entry(),
            (2, "resolution") => self.resolution = line.value.into_owned(),
            (2, "version") => self.version = line.value.into_owned(),
            _ => {}
        }
    }

    /// The resolution has the name in the registry, whatever the project calls the package.
    fn end_of_entry(&mut self) {
        let (resolution, version) = (std::mem::take(&mut self.resolution), std::mem::take(&mut self.version));
        let Some((name, locator)) = split_descriptor(&resolution) else { return };
        // `::` begins parameters: `npm:1.2.3::__archiveUrl=…`.
        match place(locator.split("::").next().unwrap_or_default()) {
            Place::Folder => {}
            Place::Registry(version) => self.collector.add(name, version),
            Place::Alias(name, version) => self.collector.add(name, version),
            // Patched packages, Git, URLs: the version is that of the manifest.
            Place::Elsewhere => self.collector.add(name, &version),
        }
    }
}
