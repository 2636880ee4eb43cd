//! `META-INF/MANIFEST.MF`: headers of at most 72 bytes to a line; the next line goes on after a space.

use std::collections::BTreeMap;

/// The main section.
#[derive(Debug, Default)]
pub(super) struct Manifest(BTreeMap<String, String>);

impl Manifest {
    pub(super) fn parse(text: &str) -> Self {
        let mut headers = BTreeMap::new();
        let mut last: Option<(String, String)> = None;
        for line in text.lines() {
            if let Some(more) = line.strip_prefix(' ') {
                if let Some((_, value)) = &mut last {
                    value.push_str(more);
                }
                continue;
            }
            headers.extend(last.take());
            if line.trim().is_empty() {
                break;
            }
            last = line
                .split_once(':')
                .map(|(header, value)| (header.trim().to_ascii_lowercase(), value.trim_start().to_owned()));
        }
        headers.extend(last);
        Self(headers)
    }

    /// A header, by its name in lower case; empty when there is none.
    pub(super) fn get(&self, header: &str) -> &str {
        self.0.get(header).map_or("", |value| value.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::Manifest;

    #[test]
    fn lines_that_go_on_and_other_sections() {
        let manifest = Manifest::parse(
            "Manifest-Version: 1.0\r\nImplementation-Title: spring-\r\n core\r\n\r\nName: a\r\nX: y\r\n",
        );
        assert_eq!(manifest.get("implementation-title"), "spring-core");
        assert_eq!(manifest.get("x"), "");
    }
}
