//! NuGet's order: `NuGetVersion`. One to four numbers, labels without case, metadata that does not count.

use std::cmp::Ordering;

use super::number;

/// The numbers, missing ones zero, and the labels of a pre-release.
#[derive(Clone, Debug)]
pub(super) struct Version {
    numbers: [u32; 4],
    labels: Vec<Label>,
}

/// In their order: numbers before words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Label {
    Number(i32),
    /// In upper case, as .NET compares without case.
    Word(String),
}

impl Version {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (text, metadata) = split_optional(text, '+');
        let (release, labels) = split_optional(text, '-');
        if metadata.is_some_and(|metadata| !metadata.split('.').all(is_identifier)) {
            return None;
        }
        let mut numbers = [0; 4];
        for (index, digits) in release.split('.').enumerate() {
            let number = number::is(digits).then(|| digits.parse::<i32>().ok()).flatten()?;
            *numbers.get_mut(index)? = number.unsigned_abs();
        }
        let labels = match labels {
            None => Vec::new(),
            Some(labels) => labels.split('.').map(Label::parse).collect::<Option<_>>()?,
        };
        Some(Self { numbers, labels })
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        self.numbers
            .cmp(&other.numbers)
            // A version without labels is newer than one with.
            .then_with(|| self.labels.is_empty().cmp(&other.labels.is_empty()))
            .then_with(|| self.labels.cmp(&other.labels))
    }
}

impl Label {
    fn parse(text: &str) -> Option<Self> {
        // .NET takes `-1` for a number too, and what is too large for one for a word.
        is_identifier(text)
            .then(|| text.parse().map_or_else(|_| Self::Word(text.to_ascii_uppercase()), Self::Number))
    }
}

fn split_optional(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use guardhouse_packages::Kind::Nuget;

    use super::super::{assert_ascending, assert_equal, assert_refused};

    #[test]
    fn orders_as_nuget() {
        assert_ascending(
            Nuget,
            &[
                "0.9",
                "1.0.0-1",
                "1.0.0-2",
                "1.0.0-10",
                "1.0.0-alpha",
                "1.0.0-alpha.1",
                "1.0.0-BETA",
                "1.0.0-beta.2",
                "1.0.0-beta.11",
                "1.0.0-rc",
                "1.0.0",
                "1.0.0.1",
                "1.0.1",
                "1.10",
            ],
        );
        assert_equal(Nuget, &["1", "1.0", "1.0.0", "1.0.0.0", "01.0", "1.0.0+abc", " 1.0 "]);
        assert_equal(Nuget, &["1.0-rc.1", "1.0-RC.01", "1.0.0.0-Rc.1+x"]);
    }

    #[test]
    fn refuses_what_nuget_refuses() {
        assert_refused(
            Nuget,
            &[
                "",
                "v1.0",
                "1.0.0.0.0",
                "1..0",
                "1.0-",
                "1.0-a..b",
                "1.0+",
                "1.a",
                "2147483648",
                "1.0-\u{e9}",
                "[1.0,2.0)",
            ],
        );
    }
}
