//! The part of YAML that pnpm and Yarn write: mappings in block form, one key to a line, with plain or quoted scalars. No
//! anchors, so nothing multiplies. Flow collections and folded texts are handed over or skipped as they stand: nothing
//! that names a package is in them.

use std::borrow::Cow;

use crate::ParseError;

/// A line with a key.
#[derive(Debug, PartialEq)]
pub(super) struct Line<'a> {
    /// Which line, from 1.
    pub(super) number: usize,
    /// How many spaces are before the key.
    pub(super) indent: usize,
    /// The key, without quotes.
    pub(super) key: Cow<'a, str>,
    /// The value on the same line, without quotes; empty when it follows in the next lines.
    pub(super) value: Cow<'a, str>,
}

/// Hands over each line with a key, from the top.
///
/// # Errors
/// `Malformed` with the number of the line, when a line is indented with tabs or a quotation mark is never closed.
pub(super) fn lines<'a>(text: &'a str, mut each: impl FnMut(Line<'a>)) -> Result<(), ParseError> {
    // The indent of a key whose value is a block of text: deeper lines are that text.
    let mut block = None;
    let mut explicit_key: Option<(usize, Cow<'a, str>)> = None;
    for (index, line) in text.lines().enumerate() {
        let number = index.saturating_add(1);
        let content = line.trim_start_matches(' ');
        let indent = line.len() - content.len();
        let content = content.trim_end();
        if content.is_empty() || content.starts_with('#') || block.is_some_and(|above| indent > above) {
            continue;
        }
        block = None;
        let fault = |what: &str| ParseError::Malformed(format!("line {number}: {what}"));
        if content.starts_with('\t') {
            return Err(fault("indented with a tab, where YAML has spaces"));
        }
        // Keys of more than 1,024 characters are written as `? key`, and their values as `: value`.
        if let Some(key) = content.strip_prefix("? ") {
            let (key, _) = scalar(key).ok_or_else(|| fault("a quotation mark is not closed"))?;
            explicit_key = Some((indent, key));
            continue;
        }
        let (indent, content) = match content.strip_prefix(':') {
            Some(rest) if rest.is_empty() || rest.starts_with(' ') => {
                let Some((indent, key)) = explicit_key.take() else { continue };
                each(Line { number, indent, key, value: Cow::Borrowed("") });
                (indent.saturating_add(2), rest.trim_start())
            }
            _ => (indent, content),
        };
        if content.is_empty() || content == "-" || content.starts_with("- ") {
            continue;
        }
        let (key, rest) = if content.starts_with(['"', '\'']) {
            scalar(content).ok_or_else(|| fault("a quotation mark is not closed"))?
        } else {
            let end = content
                .find(": ")
                .or_else(|| content.len().checked_sub(1).filter(|_| content.ends_with(':')));
            // The rest of a text that was folded has no key.
            let Some(end) = end else { continue };
            let (key, rest) = content.split_at(end);
            (Cow::Borrowed(key), rest)
        };
        let Some(value) = rest.trim_start().strip_prefix(':') else { continue };
        let value = value.trim_start();
        if value.starts_with(['|', '>']) {
            block = Some(indent);
        }
        // A quoted value may go on in the next line: what stands here is taken.
        let value = scalar(value).map_or(Cow::Borrowed(value), |(value, _)| value);
        each(Line { number, indent, key, value });
    }
    Ok(())
}

/// A scalar without its quotes, and what follows it; a plain one is the whole text. `None` when a quote is not closed.
fn scalar(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let (quote, inner) = match text.chars().next() {
        Some(quote @ ('"' | '\'')) => (quote, text.get(1..)?),
        _ => return Some((Cow::Borrowed(text), "")),
    };
    let mut unescaped = String::new();
    let mut characters = inner.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        match character {
            '\\' if quote == '"' => {
                characters.next();
                // Others are control characters and code points, of which no name and no version consists.
                unescaped.push(next?);
            }
            '\'' if quote == '\'' && next == Some('\'') => {
                characters.next();
                unescaped.push('\'');
            }
            end if end == quote => {
                let (scalar, rest) = (inner.get(..at)?, inner.get(at + 1..)?);
                let plain = unescaped == scalar;
                return Some((if plain { Cow::Borrowed(scalar) } else { Cow::Owned(unescaped) }, rest));
            }
            other => unescaped.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::lines;

    fn read(text: &str) -> Vec<(usize, String, String)> {
        let mut read = Vec::new();
        lines(text, |line| read.push((line.indent, line.key.into_owned(), line.value.into_owned())))
            .expect("reads");
        read
    }

    #[test]
    fn keys_and_values() {
        let text = concat!(
            "# comment\r\n",
            "lockfileVersion: '6.0'\r\n",
            "packages:\n",
            "\n",
            "  '@a/b@1.0.0(c@2)':\n",
            "    resolution: {integrity: sha512-x==}\n",
            "    deprecated: |-\n",
            "      not: a key\n",
            "\n",
            "      nor: this\n",
            "    cpu: [x64]\n",
            "    os:\n",
            "      - linux\n",
            "    folded: 'one\n",
            "      two'\n",
            "  a@https://example.org/a.tgz:\n",
            "  ? \"lo\\\"ng\"\n",
            "  : version: 1\n",
            "    name: 'it''s'\n",
        );
        let expected = [
            (0, "lockfileVersion", "6.0"),
            (0, "packages", ""),
            (2, "@a/b@1.0.0(c@2)", ""),
            (4, "resolution", "{integrity: sha512-x==}"),
            (4, "deprecated", "|-"),
            (4, "cpu", "[x64]"),
            (4, "os", ""),
            (4, "folded", "'one"),
            (2, "a@https://example.org/a.tgz", ""),
            (2, "lo\"ng", ""),
            (4, "version", "1"),
            (4, "name", "it's"),
        ];
        let expected = expected.map(|(indent, key, value)| (indent, key.to_owned(), value.to_owned()));
        assert_eq!(read(text), expected);
    }

    #[test]
    fn what_no_tool_writes_is_told() {
        for text in ["a:\n\tb: 1\n", "a: 1\n'b: 2\n", "? \"c\n"] {
            let error = lines(text, |_| {}).expect_err(text).to_string();
            assert!(error.starts_with("line "), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[ \t\n\r:?'\"|>#\\\\a-cä-]{0,200}") {
            let _ = lines(&text, |line| assert!(line.number > 0));
        }
    }
}
