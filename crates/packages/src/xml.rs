//! XML: the texts and attributes of its elements, by their path.

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};

use crate::ParseError;

/// Deeper than any project file; elements below are skipped.
const DEPTH_AT_MOST: usize = 32;
/// Longer than any name, version or property that is asked for. The rest of a text is cut off.
const TEXT_AT_MOST: usize = 4 << 10;

/// An element of a document.
pub(crate) enum Node<'e> {
    /// It begins, with these attributes.
    Begin(&'e BytesStart<'e>),
    /// It ends, and this was its own text, without white space at the ends.
    End(&'e str),
}

/// Hands over each element, with its local name and those around it, outermost first.
///
/// # Errors
/// `Malformed` with the offset, when it is not well-formed.
pub(crate) fn walk(text: &str, mut each: impl FnMut(&[String], Node<'_>)) -> Result<(), ParseError> {
    let mut reader = Reader::from_str(text);
    // A text for each element that is open, and how many more are open below the deepest.
    let (mut path, mut texts, mut below): (Vec<String>, Vec<String>, u64) = (Vec::new(), Vec::new(), 0);
    loop {
        let event = reader.read_event().map_err(|error| {
            ParseError::Malformed(format!("offset {}: not well-formed XML: {error}", reader.error_position()))
        })?;
        match event {
            Event::Start(_) if path.len() >= DEPTH_AT_MOST => below = below.saturating_add(1),
            Event::End(_) if below > 0 => below = below.saturating_sub(1),
            Event::Start(element) => {
                path.push(element.local_name().as_ref().to_owned());
                texts.push(String::new());
                each(&path, Node::Begin(&element));
            }
            Event::Empty(element) if path.len() < DEPTH_AT_MOST => {
                path.push(element.local_name().as_ref().to_owned());
                each(&path, Node::Begin(&element));
                path.pop();
            }
            Event::End(_) => {
                each(&path, Node::End(texts.pop().unwrap_or_default().trim()));
                path.pop();
            }
            Event::Text(part) if below == 0 => append(&mut texts, &part.xml10_content()),
            Event::CData(part) if below == 0 => append(&mut texts, &part.xml10_content()),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn append(texts: &mut [String], part: &str) {
    if let Some(text) = texts.last_mut()
        && text.len() < TEXT_AT_MOST
    {
        text.extend(part.chars().take(TEXT_AT_MOST));
    }
}

/// An attribute, whatever the case of its name, which .NET's tools do not regard.
pub(crate) fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes();
    // Repeated names are an error that costs time to find in an element with very many.
    let mut attributes = attributes.with_checks(false).flatten().take(64);
    let attribute =
        attributes.find(|attribute| attribute.key.local_name().as_ref().eq_ignore_ascii_case(name))?;
    Some(attribute.normalized_value(XmlVersion::Explicit1_0).ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Node, attribute, walk};

    #[test]
    fn paths_texts_and_attributes() {
        let text = r#"<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y">]><a xmlns:n="urn:n">
            <n:b Name="1 &amp; 2">te<!-- no -->xt</n:b><c name='3'/></a>"#;
        let mut seen = Vec::new();
        walk(text, |path, node| {
            seen.push(match node {
                Node::Begin(element) => {
                    format!("{} [{}]", path.join("/"), attribute(element, "NAME").unwrap_or_default())
                }
                Node::End(text) => format!("{} = {text}", path.join("/")),
            });
        })
        .expect("well-formed");
        assert_eq!(seen, ["a []", "a/b [1 & 2]", "a/b = text", "a/c [3]", "a = "]);
    }

    #[test]
    fn depth_has_no_end() {
        let text = format!("{}x{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        let mut deepest = 0;
        walk(&text, |path, _| deepest = deepest.max(path.len())).expect("well-formed");
        assert_eq!(deepest, super::DEPTH_AT_MOST);
    }

    #[test]
    fn what_is_not_well_formed_is_told() {
        let error = walk("<a><b></a>", |_, _| {}).expect_err("does not match").to_string();
        assert!(error.starts_with("offset "), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[<>/a-c =\"'!&;\\[\\]?-]{0,200}") {
            let _ = walk(&text, |path, node| {
                if let Node::Begin(element) = node {
                    attribute(element, "a");
                }
                assert!(!path.is_empty());
            });
        }
    }
}
