//! `bun.lock`: JSON with commas before closing brackets.

use super::{Place, place, split_descriptor};
use crate::{
    Found, Input, Kind, Origin, ParseError,
    collect::Collector,
    json::{self, First, Step},
    text,
};

/// Reads `packages`, whose values are arrays that begin with `name@version`.
pub(super) fn read(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let mut bytes = input.bytes(text::LOCK_AT_MOST)?;
    drop_trailing_commas(&mut bytes);
    let mut collector = Collector::new(Kind::Npm, Origin::Locked, found);
    json::entries(text::without_mark(&bytes), &[Step::Key("packages")], |_, entry: First| {
        let Some((name, range)) = split_descriptor(entry.as_str()) else {
            return;
        };
        match place(range) {
            Place::Registry(version) => collector.add(name, version),
            Place::Alias(name, version) => collector.add(name, version),
            Place::Elsewhere if range.starts_with("root:") => {}
            Place::Elsewhere => collector.add(name, ""),
            Place::Folder => {}
        }
    })?;
    Ok(())
}

/// Overwrites with a space each comma that only white space separates from a closing bracket.
fn drop_trailing_commas(bytes: &mut [u8]) {
    let (mut comma, mut in_text, mut escaped) = (None, false, false);
    for at in 0..bytes.len() {
        let Some(&byte) = bytes.get(at) else { return };
        if in_text {
            in_text = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b',' => comma = Some(at),
            b'}' | b']' => {
                if let Some(place) = comma.take().and_then(|comma| bytes.get_mut(comma)) {
                    *place = b' ';
                }
            }
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => {
                comma = None;
                in_text = byte == b'"';
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::drop_trailing_commas;

    #[test]
    fn only_commas_before_closing_brackets_go() {
        for (given, expected) in [
            (r#"{"a": [1, 2, ], }"#, r#"{"a": [1, 2  ]  }"#),
            (r#"{"a,]": ",}", "b\",}": 1,}"#, r#"{"a,]": ",}", "b\",}": 1 }"#),
            (r#"[1,2]"#, r#"[1,2]"#),
            (r#"["\\",]"#, r#"["\\" ]"#),
        ] {
            let mut bytes = given.as_bytes().to_vec();
            drop_trailing_commas(&mut bytes);
            assert_eq!(String::from_utf8(bytes).expect("text"), expected);
        }
    }
}
