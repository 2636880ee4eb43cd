//! A document: which of the formats it is, and its entries.

use std::io::{BufReader, Cursor, Read};

use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::{Deserializer, Value, de::Read as JsonRead};

use crate::{
    import::{ImportError, Intake, meter::Allowance, osv, rustsec, secdb, tracker},
    store::StoreError,
};

/// Up to this length a document is read into memory first, which is quicker.
const SMALL: u64 = 4 * 1024 * 1024;

/// How much is read at once of a longer one, in bytes.
const BUFFER: usize = 128 * 1024;

/// Reads a document. What cannot be read is counted; an error is one of the store.
pub(super) fn read(
    place: &str,
    file: impl Read,
    allowance: &Allowance,
    intake: &mut Intake<'_, '_>,
) -> Result<(), ImportError> {
    allowance.next_entry();
    let mut file = allowance.meter(file);
    let mut head = Vec::new();
    if let Err(error) = (&mut file).take(SMALL).read_to_end(&mut head) {
        intake.tally.skip(place, error);
        return Ok(());
    }
    let is_whole = (head.len() as u64) < SMALL;
    let text = without_blanks(&head);
    match text.first() {
        Some(b'{') if is_tracker(text) => {
            // Its first entries are in `head`, which is bounded; it counts for them.
            let entries =
                Deserializer::from_reader(BufReader::with_capacity(BUFFER, Cursor::new(text).chain(file)));
            tracker::read(place, entries, allowance, intake)
        }
        Some(b'{' | b'[') if is_whole => {
            let entries = Deserializer::from_slice(text);
            values(place, text.first() == Some(&b'['), entries, allowance, intake)
        }
        Some(b'{' | b'[') => {
            let is_list = text.first() == Some(&b'[');
            let entries =
                Deserializer::from_reader(BufReader::with_capacity(BUFFER, Cursor::new(text).chain(file)));
            values(place, is_list, entries, allowance, intake)
        }
        Some(_) if text.starts_with(b"```toml") && is_whole => rustsec::read(place, text, intake),
        // The other Markdown of an archive: what a README says is of no advisory.
        Some(_) if place.ends_with(".md") => Ok(()),
        _ => {
            intake.tally.skip(place, "neither JSON nor one of RustSec's documents");
            Ok(())
        }
    }
}

fn without_blanks(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start()
}

/// Whether this is how Debian's tracker begins: `{"source package": {"CVE-…`.
fn is_tracker(text: &[u8]) -> bool {
    fn after(text: &[u8], sign: u8) -> Option<&[u8]> {
        text.trim_ascii_start().strip_prefix(&[sign])
    }
    let ids = || {
        let name = after(after(text, b'{')?, b'"')?;
        let end = name.iter().position(|byte| *byte == b'"')?;
        after(after(after(name.get(end..)?, b'"')?, b':')?, b'{').and_then(|inner| after(inner, b'"'))
    };
    ids().is_some_and(|id| id.starts_with(b"CVE-") || id.starts_with(b"TEMP-"))
}

/// Goes through one JSON value, several one after the other, or a list of them.
fn values<'de, R: JsonRead<'de>>(
    place: &str,
    is_list: bool,
    mut entries: Deserializer<R>,
    allowance: &Allowance,
    intake: &mut Intake<'_, '_>,
) -> Result<(), ImportError> {
    if is_list {
        let mut failure = None;
        let list = List { place, allowance, intake: &mut *intake, failure: &mut failure };
        let read = entries.deserialize_seq(list);
        if let Some(failure) = failure {
            return Err(failure.into());
        }
        if let Err(error) = read {
            intake.tally.skip(place, error);
        }
        return Ok(());
    }
    for value in entries.into_iter::<Value>() {
        allowance.next_entry();
        match value {
            Ok(value) => entry(place, value, intake)?,
            Err(error) => {
                intake.tally.skip(place, error);
                break;
            }
        }
    }
    Ok(())
}

/// The members of a list, one at a time.
struct List<'a, 'w, 't> {
    place: &'a str,
    allowance: &'a Allowance,
    intake: &'a mut Intake<'w, 't>,
    failure: &'a mut Option<StoreError>,
}

impl<'de> Visitor<'de> for List<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of advisories")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(value) = list.next_element::<Value>()? {
            self.allowance.next_entry();
            if let Err(error) = entry(self.place, value, self.intake) {
                *self.failure = Some(error);
                return Err(serde::de::Error::custom("the store failed"));
            }
        }
        Ok(())
    }
}

/// One JSON value.
fn entry(place: &str, value: Value, intake: &mut Intake<'_, '_>) -> Result<(), StoreError> {
    let has = |name| value.get(name).is_some();
    if has("packages") && !has("id") {
        secdb::read(place, value, intake)
    } else if let Some(list) = value.get("vulns").and_then(Value::as_array) {
        for advisory in list {
            osv::read(place, advisory.clone(), intake)?;
        }
        Ok(())
    } else if has("statements") || has("bomFormat") || value.pointer("/document/csaf_version").is_some() {
        intake
            .tally
            .skip(place, "this is a VEX document or a bill of materials; guardhouse scan --vex reads VEX");
        Ok(())
    } else {
        osv::read(place, value, intake)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tracker_is_known_by_its_beginning() {
        for (text, expected) in [
            (r#"{"389-ds-base": {"CVE-2012-0833": {}}}"#, true),
            ("\u{feff} { \"a\"\n:\t{ \"TEMP-0000000-7B3E62\": {}}}", true),
            (r#"{"affected": [], "id": "CVE-2024-1"}"#, false),
            (r#"{"database_specific": {"severity": "LOW"}}"#, false),
            (r#"{"a": {"#, false),
            (r#"{"a"#, false),
            ("{", false),
        ] {
            assert_eq!(is_tracker(without_blanks(text.as_bytes())), expected, "{text}");
        }
    }
}
