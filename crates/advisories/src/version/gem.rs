//! RubyGems' order: `Gem::Version`, which is the oracle.

use std::cmp::Ordering;

use super::number;

/// The segments, without the zeros that end the numbers before the first word, and without those at the end.
#[derive(Clone, Debug)]
pub(super) struct Version(Vec<Segment>);

/// In their order: a word makes a version older.
#[derive(Clone, Debug)]
enum Segment {
    Word(String),
    /// The digits without leading zeros.
    Number(String),
}

impl Version {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches(|character: char| character.is_ascii_whitespace());
        if !is_correct(text) {
            return None;
        }
        let mut segments = segments(&text.replace('-', ".pre."));
        let words =
            segments.iter().position(|segment| matches!(segment, Segment::Word(_))).unwrap_or(segments.len());
        let mut tail = segments.split_off(words);
        for part in [&mut segments, &mut tail] {
            while part.last().is_some_and(Segment::is_zero) {
                part.pop();
            }
        }
        segments.append(&mut tail);
        Some(Self(segments))
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let zero = Segment::Number(String::new());
        (0..self.0.len().max(other.0.len()))
            .map(|index| self.0.get(index).unwrap_or(&zero).compare(other.0.get(index).unwrap_or(&zero)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl Segment {
    fn is_zero(&self) -> bool {
        matches!(self, Self::Number(digits) if digits.is_empty())
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Word(left), Self::Word(right)) => left.cmp(right),
            (Self::Word(_), Self::Number(_)) => Ordering::Less,
            (Self::Number(_), Self::Word(_)) => Ordering::Greater,
            (Self::Number(left), Self::Number(right)) => number::compare(left, right),
        }
    }
}

/// A number, then letters and digits between points, then a hyphen and the same with more hyphens.
fn is_correct(text: &str) -> bool {
    let are =
        |text: &str, wanted: fn(&u8) -> bool| !text.is_empty() && text.bytes().all(|byte| wanted(&byte));
    let (release, pre) = match text.split_once('-') {
        Some((release, pre)) => (release, Some(pre)),
        None => (text, None),
    };
    let mut parts = release.split('.');
    parts.next().is_some_and(number::is)
        && parts.all(|part| are(part, u8::is_ascii_alphanumeric))
        && pre.is_none_or(|pre| {
            pre.split('.').all(|part| are(part, |byte| byte.is_ascii_alphanumeric() || *byte == b'-'))
        })
}

/// Runs of digits and runs of letters.
fn segments(text: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (digits, after) = number::split(rest);
        if !digits.is_empty() {
            segments.push(Segment::Number(number::strip(digits).to_owned()));
        }
        let end = after.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(after.len());
        let (word, after) = after.split_at(end);
        if !word.is_empty() {
            segments.push(Segment::Word(word.to_owned()));
        }
        rest = after.trim_start_matches(['.', '-']);
    }
    segments
}

#[cfg(test)]
mod tests {
    use guardhouse_packages::Kind::Gem;

    use super::super::{assert_ascending, assert_equal, assert_refused};

    #[test]
    fn orders_as_rubygems() {
        assert_ascending(
            Gem,
            &[
                "0",
                "1.0.a",
                "1.0.a.2",
                "1.0.b1",
                "1.0-1",
                "1.0.rc1",
                "1.0",
                "1.0.1.pre",
                "1.0.1",
                "1.9",
                "1.10",
                "5.2.4.3",
                "5.2.4.10",
            ],
        );
        assert_equal(Gem, &["1", "1.0", "1.0.0", "01", " 1.0 "]);
        assert_equal(Gem, &["1.0.0.a", "1.a", "1.a.0", "1a0".replacen('a', ".a", 1).as_str()]);
        assert_equal(Gem, &["1.0-rc1", "1.0.pre.rc1", "1.pre.rc.1"]);
    }

    #[test]
    fn refuses_what_rubygems_refuses() {
        assert_refused(Gem, &["", "a", "1..2", "1.", ".1", "1a", "1-", "1_0", "1.0+b", "1 0", "junk"]);
    }
}
