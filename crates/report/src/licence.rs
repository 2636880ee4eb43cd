//! Licences as packages tell them, told apart by whether SPDX knows them.

/// What a package tells of a licence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Licence<'a> {
    /// An identifier of SPDX's list: `MIT`.
    Id(&'a str),
    /// Several of them, with operators: `MIT OR Apache-2.0`.
    Expression(&'a str),
    /// Anything else: `BSD-style`, `GPL-2+`.
    Name(&'a str),
}

/// The licences of a package that say something.
pub(crate) fn licences(texts: &[String]) -> Vec<Licence<'_>> {
    texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).map(licence).collect()
}

fn licence(text: &str) -> Licence<'_> {
    // The list knows them without regard to case; the standards want them as they are in it.
    match spdx::license_id(text) {
        Some(id) if id.name == text => Licence::Id(text),
        _ if text.len() <= LONGEST && spdx::Expression::parse(text).is_ok() => Licence::Expression(text),
        _ => Licence::Name(text),
    }
}

/// The longest expression that is read as one, in bytes.
const LONGEST: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_them_apart() {
        let cases = [
            ("MIT", Licence::Id("MIT")),
            ("MIT OR Apache-2.0", Licence::Expression("MIT OR Apache-2.0")),
            (
                "(GPL-2.0-only WITH Classpath-exception-2.0)",
                Licence::Expression("(GPL-2.0-only WITH Classpath-exception-2.0)"),
            ),
            ("mit", Licence::Name("mit")),
            ("GPL-2+", Licence::Name("GPL-2+")),
            ("BSD or so", Licence::Name("BSD or so")),
            ("((((", Licence::Name("((((")),
        ];
        for (text, expected) in cases {
            assert_eq!(licence(text), expected);
        }
        assert!(licences(&[String::new(), " ".to_owned()]).is_empty());
    }
}
