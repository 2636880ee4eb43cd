//! The parameters of a request: from the query, from a form, or from both.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

use super::refusal::Refusal;

/// Most parameters of a request.
const MAX_PARAMETERS: usize = 20_000;

/// Everything but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A name and its value, decoded.
type Pair = (String, String);

/// The parameters of a request, each once, in the order of their names by code points.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Parameters {
    all: Vec<Pair>,
    query: Vec<Pair>,
}

impl Parameters {
    /// Reads a query and a form.
    ///
    /// # Errors
    /// Text that is not UTF-8, a name that comes twice, or too many of them. What comes twice is refused because
    /// two readers might disagree on which one was signed and which one counts.
    pub fn read(query: Option<&str>, form: &[u8]) -> Result<Self, Refusal> {
        let mut query = pairs(query.unwrap_or_default().as_bytes())?;
        query.sort_unstable();
        let mut all = pairs(form)?;
        all.extend(query.iter().cloned());
        if all.len() > MAX_PARAMETERS {
            let message =
                format!("the request has {} parameters: at most {MAX_PARAMETERS} are allowed", all.len());
            return Err(Refusal::bad_request("InvalidParameter", message));
        }
        all.sort_unstable();
        if let Some([(name, _), _]) = all.array_windows().find(|[one, next]| one.0 == next.0) {
            return Err(Refusal::invalid(name, "is given twice: each parameter comes once"));
        }
        Ok(Self { all, query })
    }

    /// The value of a parameter; upper and lower case are told apart.
    pub fn get(&self, name: &str) -> Option<&str> {
        let place = self.all.binary_search_by(|(other, _)| other.as_str().cmp(name)).ok()?;
        self.all.get(place).map(|(_, value)| value.as_str())
    }

    /// Every parameter with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Every parameter but the one called `without`, in the form in which they are signed.
    pub fn canonical(&self, without: &str) -> String {
        canonical(self.all.iter().filter(|(name, _)| name != without))
    }

    /// The parameters of the query, in the form in which they are signed.
    pub fn canonical_query(&self) -> String {
        canonical(&self.query)
    }
}

/// Encodes a text as signatures have it.
pub fn encode(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, ENCODED)
}

/// The names of a query, as they were sent.
pub fn names(query: &str) -> impl Iterator<Item = &str> {
    query.split('&').map(|pair| pair.split('=').next().unwrap_or_default())
}

fn canonical<'a>(pairs: impl IntoIterator<Item = &'a Pair>) -> String {
    let encoded = pairs.into_iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    encoded.collect::<Vec<_>>().join("&")
}

fn pairs(text: &[u8]) -> Result<Vec<Pair>, Refusal> {
    let mut pairs = Vec::new();
    for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let (name, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
        let (Some(name), Some(value)) = (decode(name), decode(value)) else {
            let name = percent_decode(name).decode_utf8_lossy();
            return Err(Refusal::invalid(&name, "must be percent-encoded UTF-8"));
        };
        pairs.push((name, value));
    }
    Ok(pairs)
}

/// Decodes one half of a pair, where `+` is a space; `None` if it is not UTF-8.
fn decode(text: &[u8]) -> Option<String> {
    let spaced: Cow<'_, [u8]> = if text.contains(&b'+') {
        text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect()
    } else {
        text.into()
    };
    percent_decode(&spaced).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str, form: &str) -> Vec<Pair> {
        Parameters::read(Some(query), form.as_bytes()).expect("good").all
    }

    #[test]
    fn query_and_form_are_one_list() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = [pair("A", "1"), pair("B", "2"), pair("a", ""), pair("ä", "x y+")];
        assert_eq!(read("B=2&%C3%A4=x+y%2B", "a&A=1"), expected);
        assert_eq!(read("", ""), []);
        assert_eq!(read("&&", "&"), []);
        assert_eq!(read("a=b=c&n=100%", ""), [pair("a", "b=c"), pair("n", "100%")]);
    }

    #[test]
    fn the_signed_form_is_encoded_anew() {
        let parameters = Parameters::read(Some("b=/*~&a=%E6%B5%8B+x&c"), b"Signature=s&A=-_.").expect("good");
        assert_eq!(parameters.canonical_query(), "a=%E6%B5%8B%20x&b=%2F%2A~&c=");
        assert_eq!(parameters.canonical("Signature"), "A=-_.&a=%E6%B5%8B%20x&b=%2F%2A~&c=");
        assert_eq!(parameters.get("A"), Some("-_."));
        assert_eq!(parameters.get("signature"), None);
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        for (query, form, code) in [
            ("Status=1&Status=2", "", "InvalidStatus"),
            ("Status=1", "Status=1", "InvalidStatus"),
            ("", "Status=%FF", "InvalidStatus"),
            ("%FF=1", "", "InvalidParameter"),
        ] {
            let refusal = Parameters::read(Some(query), form.as_bytes()).expect_err("refused");
            assert_eq!(refusal.code(), code, "{query} {form}");
        }
        let many = "a=1&".repeat(MAX_PARAMETERS + 1);
        let refusal = Parameters::read(None, many.as_bytes()).expect_err("refused");
        assert!(refusal.message().contains("20000"), "{refusal:?}");
    }
}
