//! Percent-encoded text of a request line.

use std::borrow::Cow;

use guardhouse_contract::{FieldViolation, Status};
use percent_encoding::percent_decode_str;

/// A name of a query with all its values, in the order in which they came.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The name.
    pub name: String,
    /// Its values.
    pub values: Vec<String>,
}

/// Splits a query into its parameters, in the order in which each name first came.
///
/// # Errors
/// Text that is not UTF-8; the violation names the parameter.
pub fn parse(query: &str) -> Result<Vec<Parameter>, Status> {
    let (mut parameters, mut violations): (Vec<Parameter>, _) = (Vec::new(), Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(name), Some(value)) = (decode_form(name), decode_form(value)) else {
            let name = percent_decode_str(name).decode_utf8_lossy().into_owned();
            violations.push(FieldViolation::new(name, "must be percent-encoded UTF-8"));
            continue;
        };
        match parameters.iter_mut().find(|parameter| parameter.name == name) {
            Some(parameter) => parameter.values.push(value),
            None => parameters.push(Parameter { name, values: vec![value] }),
        }
    }
    if violations.is_empty() { Ok(parameters) } else { Err(Status::invalid_fields(violations)) }
}

/// Decodes one segment of a path, where `+` is a plain character; `None` if it is not UTF-8.
pub fn decode_segment(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned)
}

/// Decodes one part of a query, where `+` is a space.
fn decode_form(text: &str) -> Option<String> {
    decode_segment(&text.replace('+', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(query: &str) -> Vec<(String, Vec<String>)> {
        let parameters = parse(query).expect("UTF-8");
        parameters.into_iter().map(|parameter| (parameter.name, parameter.values)).collect()
    }

    #[test]
    fn names_repeat_and_keep_their_order() {
        let expected = [("b", vec!["1", "3"]), ("a", vec!["2"])];
        let expected =
            expected.map(|(name, values)| (name.to_owned(), values.into_iter().map(str::to_owned).collect()));
        assert_eq!(parsed("b=1&a=2&b=3"), expected);
    }

    #[test]
    fn text_is_decoded() {
        for (query, name, value) in [
            ("a=b", "a", "b"),
            ("a=b=c", "a", "b=c"),
            ("a", "a", ""),
            ("a=", "a", ""),
            ("=b", "", "b"),
            ("a=%2B+%20%26", "a", "+  &"),
            ("t=2024-10-30T10:00%2B02:00", "t", "2024-10-30T10:00+02:00"),
            ("target%2EdeviceUuid=x", "target.deviceUuid", "x"),
            ("n=%C5%BD", "n", "Ž"),
            ("n=100%", "n", "100%"),
        ] {
            assert_eq!(parsed(query), [(name.to_owned(), vec![value.to_owned()])], "{query}");
        }
        assert_eq!(parsed(""), []);
        assert_eq!(parsed("&&"), []);
    }

    #[test]
    fn text_that_is_not_utf8_is_a_violation() {
        let status = parse("a=1&pageToken=%FF&b=%C5").expect_err("not UTF-8");
        let fields: Vec<_> = status.violations().iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["pageToken", "b"]);
    }
}
