//! Maven's order: `ComparableVersion` of Maven 3.8, whose `main` is the oracle; with `release` for a release, which Maven
//! has known since 3.9.
//!
//! A version is a tree: points and hyphens part it, and so does every change between digits and letters. A hyphen and
//! such a change begin a list in the list.
//!
//! Where parts are empty (`10-.rc-`) or words follow words, Maven's order does not go through: `10-.rc-` equals `10`,
//! which is older than `10-sp`, which is older than `10-.rc-`. It is kept as it is.

use std::cmp::Ordering;

use super::number;

/// The outermost list.
#[derive(Clone, Debug)]
pub(super) struct Version(Vec<Item>);

#[derive(Clone, Debug)]
enum Item {
    /// The digits without leading zeros.
    Number(String),
    Word(Word),
    List(Vec<Item>),
}

/// Qualifiers in their order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Alpha,
    Beta,
    Milestone,
    Candidate,
    Snapshot,
    Release,
    ServicePack,
    Other(String),
}

impl Version {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.is_empty()
            || text.chars().any(|character| character.is_control() || character.is_whitespace())
        {
            return None;
        }
        let mut parser = Parser::default();
        let text = text.to_lowercase();
        for character in text.chars() {
            parser.take(character);
        }
        Some(Self(parser.finish()))
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        compare_lists(&self.0, &other.0)
    }
}

#[derive(Default)]
struct Parser {
    /// Lists that are open, outermost first, but for `list`.
    outer: Vec<Vec<Item>>,
    /// The innermost list.
    list: Vec<Item>,
    /// What was read since the last separation.
    pending: String,
    /// Whether the character before was a digit.
    in_digits: bool,
}

impl Parser {
    fn take(&mut self, character: char) {
        match character {
            '.' => self.end_item(),
            '-' => {
                self.end_item();
                self.open();
            }
            '0'..='9' => {
                if !self.in_digits && !self.pending.is_empty() {
                    // A point before a word counts as a hyphen.
                    self.open_unless_empty();
                    let word = Word::before_digit(&std::mem::take(&mut self.pending));
                    self.list.push(Item::Word(word));
                    self.open();
                }
                self.in_digits = true;
                self.pending.push(character);
            }
            _ => {
                if self.in_digits && !self.pending.is_empty() {
                    self.end_item();
                    self.open();
                }
                self.in_digits = false;
                self.pending.push(character);
            }
        }
    }

    /// Ends an item at a separator. Nothing between two separators is a zero.
    fn end_item(&mut self) {
        let text = std::mem::take(&mut self.pending);
        self.list.push(match text.as_str() {
            digits if digits.is_empty() || self.in_digits => Item::Number(number::strip(digits).to_owned()),
            word => Item::Word(Word::named(word)),
        });
    }

    fn open(&mut self) {
        self.outer.push(std::mem::take(&mut self.list));
    }

    fn open_unless_empty(&mut self) {
        if !self.list.is_empty() {
            self.open();
        }
    }

    fn finish(mut self) -> Vec<Item> {
        if !self.pending.is_empty() {
            if !self.in_digits {
                self.open_unless_empty();
            }
            self.end_item();
        }
        let mut list = normalise(self.list);
        for mut outer in self.outer.into_iter().rev() {
            outer.push(Item::List(list));
            list = normalise(outer);
        }
        list
    }
}

/// Takes the zeros, releases and empty lists away that stand at the end or before the lists at the end.
fn normalise(mut list: Vec<Item>) -> Vec<Item> {
    for index in (0..list.len()).rev() {
        match list.get(index) {
            Some(item) if item.is_nothing() => drop(list.remove(index)),
            Some(Item::List(_)) => {}
            _ => break,
        }
    }
    list
}

impl Item {
    fn is_nothing(&self) -> bool {
        match self {
            Self::Number(digits) => digits.is_empty(),
            Self::Word(word) => *word == Word::Release,
            Self::List(list) => list.is_empty(),
        }
    }

    /// Compares with an item, or with the end of a list. The depth of the recursion is that of the lists, which the
    /// longest length of a version bounds.
    fn compare(&self, other: Option<&Self>) -> Ordering {
        match (self, other) {
            (Self::Number(digits), None) if digits.is_empty() => Ordering::Equal,
            (Self::Number(_), None) => Ordering::Greater,
            (Self::Word(word), None) => word.cmp(&Word::Release),
            (Self::List(list), None) => list
                .iter()
                .map(|item| item.compare(None))
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal),
            (Self::Number(left), Some(Self::Number(right))) => number::compare(left, right),
            (Self::Word(left), Some(Self::Word(right))) => left.cmp(right),
            (Self::List(left), Some(Self::List(right))) => compare_lists(left, right),
            // A word, then a list, then a number.
            (left, Some(right)) => left.rank().cmp(&right.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Word(_) => 0,
            Self::List(_) => 1,
            Self::Number(_) => 2,
        }
    }
}

fn compare_lists(left: &[Item], right: &[Item]) -> Ordering {
    (0..left.len().max(right.len()))
        .map(|index| match (left.get(index), right.get(index)) {
            (Some(left), right) => left.compare(right),
            (None, Some(right)) => right.compare(None).reverse(),
            (None, None) => Ordering::Equal,
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

impl Word {
    fn named(word: &str) -> Self {
        match word {
            "alpha" => Self::Alpha,
            "beta" => Self::Beta,
            "milestone" => Self::Milestone,
            "rc" | "cr" => Self::Candidate,
            "snapshot" => Self::Snapshot,
            "" | "ga" | "final" | "release" => Self::Release,
            "sp" => Self::ServicePack,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The same, where a digit follows at once.
    fn before_digit(word: &str) -> Self {
        match word {
            "a" => Self::Alpha,
            "b" => Self::Beta,
            "m" => Self::Milestone,
            other => Self::named(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_packages::Kind::Maven;

    use super::super::{assert_ascending, assert_equal, assert_refused};

    #[test]
    fn orders_as_maven() {
        assert_ascending(
            Maven,
            &[
                "1-alpha",
                "1-alpha-1",
                "1-alpha2",
                "1-beta-2",
                "1-milestone-3",
                "1-rc1",
                "1-SNAPSHOT",
                "1",
                "1-sp",
                "1-foo",
                "1-foo-1",
                "1-1-snapshot",
                "1-1",
                "1-1-sp",
                "1-2",
                "1-10",
                "1.0.1",
                "1.1",
                "1.10",
                "2",
            ],
        );
        assert_ascending(
            Maven,
            &["2.0-beta9", "2.0-rc1", "2.0", "2.9.1", "2.12.1", "2.15.0", "2.17.0", "20040616"],
        );
        assert_ascending(Maven, &["31.1-android", "31.1-jre", "32.0.0-android", "32.0.0-jre"]);
    }

    #[test]
    fn knows_equal_versions() {
        assert_equal(
            Maven,
            &["1", "1.0", "1.0.0", "1-ga", "1.Final", "1-0", "1.", "1.0-RELEASE", "1.ga-0.final", "01"],
        );
        assert_equal(Maven, &["1a1", "1-alpha-1", "1.0.0-ALPHA1"]);
        assert_equal(Maven, &["5.3.27", "5.3.27.RELEASE"]);
        assert_equal(Maven, &["1-rc1", "1-CR1", "1.0-rc-1"]);
    }

    #[test]
    fn refuses_only_what_cannot_be_written_in_a_pom() {
        assert_refused(Maven, &["", " ", "1 0", "1\n"]);
    }
}
