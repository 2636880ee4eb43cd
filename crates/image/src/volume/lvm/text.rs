//! The text form of metadata: `name { … }`, `name = 5`, `name = "text"`, `name = ["a", 5]`, and comments after `#`.

use std::collections::BTreeMap;

/// How deep sections may lie in each other; LVM2 has four levels.
const DEPTH: usize = 16;

/// What is behind a name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Section(Section),
    Number(i64),
    Text(String),
    List(Vec<Value>),
}

/// Values by their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Section(BTreeMap<String, Value>);

impl Section {
    pub(super) fn section(&self, name: &str) -> Option<&Self> {
        match self.0.get(name)? {
            Value::Section(section) => Some(section),
            _ => None,
        }
    }

    /// A number that cannot be negative.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        match self.0.get(name)? {
            Value::Number(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn list(&self, name: &str) -> &[Value] {
        match self.0.get(name) {
            Some(Value::List(values)) => values,
            _ => &[],
        }
    }

    /// Whether a list has a text in it.
    pub(super) fn lists(&self, name: &str, text: &str) -> bool {
        self.list(name).iter().any(|value| matches!(value, Value::Text(there) if there == text))
    }

    pub(super) fn sections(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.0.iter().filter_map(|(name, value)| match value {
            Value::Section(section) => Some((name.as_str(), section)),
            _ => None,
        })
    }
}

/// How often a group was changed, by its text; 0 for what is no such text.
pub(super) fn sequence(text: &[u8]) -> u64 {
    let Ok(section) = parse(text) else { return 0 };
    section.sections().next().and_then(|(_, group)| group.number("seqno")).unwrap_or(0)
}

/// Reads a text.
///
/// # Errors
/// Says what was expected, and where.
pub(crate) fn parse(text: &[u8]) -> Result<Section, String> {
    // Texts end with a zero byte.
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    let mut parser = Parser { text, at: 0 };
    parser.section(0)
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn section(&mut self, depth: usize) -> Result<Section, String> {
        if depth > DEPTH {
            return Err(self.expected(&format!("at most {DEPTH} levels of sections")));
        }
        let mut section = Section::default();
        loop {
            match self.peek() {
                None if depth == 0 => return Ok(section),
                Some(b'}') if depth > 0 => {
                    self.at += 1;
                    return Ok(section);
                }
                _ => {}
            }
            let name = self.word();
            if name.is_empty() {
                return Err(self.expected("a name"));
            }
            let value = match self.peek() {
                Some(b'{') => {
                    self.at += 1;
                    Value::Section(self.section(depth + 1)?)
                }
                Some(b'=') => {
                    self.at += 1;
                    self.value()?
                }
                _ => return Err(self.expected("{ or =")),
            };
            section.0.insert(name, value);
        }
    }

    fn value(&mut self) -> Result<Value, String> {
        if self.peek() != Some(b'[') {
            return self.scalar();
        }
        self.at += 1;
        let mut values = Vec::new();
        loop {
            match self.peek() {
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::List(values));
                }
                Some(b',') => self.at += 1,
                _ => values.push(self.scalar()?),
            }
        }
    }

    fn scalar(&mut self) -> Result<Value, String> {
        if self.peek() == Some(b'"') {
            self.at += 1;
            return self.quoted().map(Value::Text);
        }
        let word = self.word();
        if word.is_empty() {
            return Err(self.expected("a value"));
        }
        Ok(word.parse().map_or(Value::Text(word), Value::Number))
    }

    fn quoted(&mut self) -> Result<String, String> {
        let mut bytes = Vec::new();
        loop {
            let byte = self.text.get(self.at).copied();
            self.at += 1;
            match byte {
                Some(b'"') => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
                Some(b'\\') => {
                    bytes.extend(self.text.get(self.at));
                    self.at += 1;
                }
                Some(byte) => bytes.push(byte),
                None => return Err(self.expected("the end of a quoted text")),
            }
        }
    }

    /// A name or a number.
    fn word(&mut self) -> String {
        self.peek();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.+/".contains(byte);
        let length = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        self.at += length;
        String::from_utf8_lossy(rest.get(..length).unwrap_or_default()).into_owned()
    }

    /// The next byte that is no space and in no comment.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.get(self.at)? {
                b'#' => {
                    let rest = self.text.get(self.at..)?;
                    self.at += rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
                }
                byte if byte.is_ascii_whitespace() => self.at += 1,
                byte => return Some(*byte),
            }
        }
    }

    fn expected(&self, what: &str) -> String {
        let line = self.text.iter().take(self.at).filter(|&&byte| byte == b'\n').count() + 1;
        format!("line {line}: {what} expected")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_is_read() {
        let text = b"vg0 { # a group\n\tid = \"ab-c\"\n seqno = 12\n status = [\"READ\", \"WRITE\"]\n\
            lv { stripes = [\n\"pv0\", 0,\n\"pv1\", 10\n]\n creation_time = -1 } }\n\
            contents = \"say \\\"hi\\\" \\\\ # no comment\"\nversion = 1\n\0 garbage {";
        let section = parse(text).expect("is right");
        let group = section.section("vg0").expect("a section");
        assert_eq!((group.text("id"), group.number("seqno")), (Some("ab-c"), Some(12)));
        assert!(group.lists("status", "WRITE") && !group.lists("status", "EXEC"));
        let stripes = group.section("lv").expect("a section").list("stripes");
        assert_eq!(stripes[2..], [Value::Text("pv1".to_owned()), Value::Number(10)]);
        assert_eq!(section.text("contents"), Some("say \"hi\" \\ # no comment"));
        assert_eq!(sequence(text), 12);
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (text, detail) in [
            ("a {\n b = 1\n", "line 3: a name expected"),
            ("a = ", "line 1: a value expected"),
            ("\na b", "line 2: { or = expected"),
            ("a = [1, \"b", "line 1: the end of a quoted text expected"),
            ("}", "line 1: a name expected"),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(detail.to_owned()), "{text}");
        }
        let deep = "a {".repeat(100_000);
        assert!(parse(deep.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_text_or_a_mistake(bytes in "[a-c{}=\\[\\], \"\\\\#\n0-9\0-]{0,60}") {
            drop(parse(bytes.as_bytes()));
        }
    }
}
