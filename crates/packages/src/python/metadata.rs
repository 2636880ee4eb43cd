//! The metadata of what is installed: `METADATA` of wheels, `PKG-INFO` of eggs, and the single `.egg-info` file that
//! distutils wrote.

use super::normalised;
use crate::{Found, Input, Kind, Origin, ParseError, collect::Collector, text};

/// How much is read: the headers come first, and the name and the version first of them. A description may follow that is
/// longer.
const HEADERS_AT_MOST: usize = 256 << 10;

/// Whether `path` is one of the places of such metadata.
pub(super) fn is_metadata(path: &[u8]) -> bool {
    path.ends_with(b".dist-info/METADATA")
        || path.ends_with(b".egg-info/PKG-INFO")
        || path.ends_with(b"/EGG-INFO/PKG-INFO")
        || path.ends_with(b".egg-info")
}

/// Reads the headers.
pub(super) fn read(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let text = text::decode(text::beginning(input, HEADERS_AT_MOST)?);
    let mut headers = Headers::default();
    for line in text.lines().take_while(|line| !line.trim_end().is_empty()) {
        headers.line(line);
    }
    if headers.name.is_empty() || headers.version.is_empty() {
        return Err(ParseError::Malformed(
            "the metadata of a Python package has the headers `Name` and `Version`; one is missing"
                .to_owned(),
        ));
    }
    let licences = headers.licences();
    let mut collector = Collector::new(Kind::Pypi, Origin::Installed, found);
    collector.add_with(&normalised(&headers.name), &headers.version, licences, Vec::new());
    Ok(())
}

#[derive(Default)]
struct Headers {
    name: String,
    version: String,
    expression: String,
    licence: String,
    classifiers: Vec<String>,
    /// Whether the licence goes on in more lines: then it is a text and not a name.
    in_licence: bool,
}

impl Headers {
    fn line(&mut self, line: &str) {
        if line.starts_with([' ', '\t']) {
            if self.in_licence {
                self.licence.clear();
            }
            return;
        }
        self.in_licence = false;
        let Some((header, value)) = line.split_once(':') else { return };
        let value = value.trim();
        let is = |name: &str| header.eq_ignore_ascii_case(name);
        if is("Name") {
            value.clone_into(&mut self.name);
        } else if is("Version") {
            value.clone_into(&mut self.version);
        } else if is("License-Expression") {
            value.clone_into(&mut self.expression);
        } else if is("License") {
            value.clone_into(&mut self.licence);
            self.in_licence = true;
        } else if is("Classifier")
            && let Some((_, licence)) =
                value.strip_prefix("License ::").and_then(|rest| rest.rsplit_once("::"))
        {
            self.classifiers.push(licence.trim().to_owned());
        }
    }

    /// The best that is told: an SPDX expression, a name in free words, classifiers.
    fn licences(&mut self) -> Vec<String> {
        let licence = std::mem::take(&mut self.licence);
        if !self.expression.is_empty() {
            vec![std::mem::take(&mut self.expression)]
        } else if !licence.is_empty() && licence != "UNKNOWN" {
            vec![licence]
        } else {
            std::mem::take(&mut self.classifiers)
        }
    }
}
