//! The rule of a dynamic group, as plain data.
//!
//! The store keeps it as JSON of this shape. What is read from there was checked before it was written; reading checks
//! it again, so that nothing else gets in.

use serde::{Deserialize, Serialize};

use super::{
    address::AddressRange,
    age::Age,
    text::{Pattern, Text},
    version::Version,
};

/// Deepest nesting of a rule; a single condition has 1.
pub const MAX_DEPTH: usize = 8;

/// Most conditions of a rule.
pub const MAX_CONDITIONS: usize = 100;

/// Which devices a dynamic group has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// Those that all of these pick. Without rules: every device.
    All(Vec<Rule>),
    /// Those that one of these picks. Without rules: no device.
    Any(Vec<Rule>),
    /// Those that this does not pick.
    Not(Box<Rule>),
    /// Those of which this is true.
    Condition(Condition),
}

/// What must be true of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// A text.
    Text {
        /// Which.
        attribute: TextAttribute,
        /// What it must be like.
        test: TextTest,
    },
    /// A version.
    Version {
        /// Which.
        attribute: VersionAttribute,
        /// What it must be like.
        test: VersionTest,
    },
    /// The primary address is in one of these ranges; in none: it is known.
    Address(Vec<AddressRange>),
    /// One of several kinds.
    Choice {
        /// Of what.
        attribute: Choice,
        /// The numbers that the contract gives them. None: it is known.
        values: Vec<i32>,
    },
    /// A flag.
    Flag {
        /// Which.
        attribute: Flag,
        /// What it must be.
        value: bool,
    },
    /// A number.
    Number {
        /// Which.
        attribute: Number,
        /// How it compares.
        comparison: Comparison,
        /// With what.
        value: u32,
    },
    /// The last contact.
    Seen(Seen),
}

/// A text that conditions look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextAttribute {
    /// Name given by the user.
    DisplayName,
    /// Name as the device reports it.
    OriginalDisplayName,
    /// Name of the operating system.
    OperatingSystem,
    /// Name of one of the installed components.
    Component,
}

/// What a text must be like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TextTest {
    /// There is one.
    Known,
    /// It is one of these.
    OneOf(Vec<Text>),
    /// It has this in it.
    Contains(Text),
    /// It begins with this.
    StartsWith(Text),
    /// It ends with this.
    EndsWith(Text),
    /// A part of it matches.
    Matches(Pattern),
}

/// A version that conditions look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum VersionAttribute {
    /// Of the operating system.
    OperatingSystem,
    /// Of the agent.
    Agent,
    /// Of an installed component of this name. There may be several.
    Component(Text),
}

/// What a version must be like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum VersionTest {
    /// There is one.
    Known,
    /// It is one of these.
    OneOf(Vec<Version>),
    /// It compares like this.
    Compares(Comparison, Version),
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// The same.
    Equal,
    /// The first is less.
    Less,
    /// The first is less, or they are the same.
    LessOrEqual,
    /// The first is greater.
    Greater,
    /// The first is greater, or they are the same.
    GreaterOrEqual,
}

impl Comparison {
    /// Whether `value` compares with `other` like this.
    pub fn holds<T: Ord + ?Sized>(self, value: &T, other: &T) -> bool {
        match self {
            Self::Equal => value == other,
            Self::Less => value < other,
            Self::LessOrEqual => value <= other,
            Self::Greater => value > other,
            Self::GreaterOrEqual => value >= other,
        }
    }
}

/// Something that is one of several kinds, each with a number. 0 is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Family of the operating system.
    OperatingSystemFamily,
    /// Edition of the operating system.
    OperatingSystemEdition,
    /// Kind of machine.
    DeviceType,
    /// Whether it can be managed.
    EnrolmentStatus,
    /// How bad its worst problem is.
    FunctionalityStatus,
}

/// Something that is true or false.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// Its problems should not draw attention.
    Muted,
    /// A phone or a tablet.
    Mobile,
    /// The template of virtual machines.
    Master,
}

/// Something that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Number {
    /// Problems.
    ProblemCount,
}

/// What the last contact must be like. A device that was never in contact fits none of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Seen {
    /// There was one.
    Ever,
    /// At most so long ago.
    Within(Age),
    /// Longer ago.
    NotFor(Age),
}

/// Why a kept rule is none.
#[derive(Debug, thiserror::Error)]
pub enum KeptRuleError {
    /// It is not JSON of the right shape.
    #[error(transparent)]
    Shape(#[from] serde_json::Error),
    /// It is deeper or longer than any rule may be.
    #[error("the rule is too deep or has too many conditions")]
    TooLarge,
}

impl Rule {
    /// Reads a rule as the store keeps it.
    ///
    /// # Errors
    /// It is none.
    pub fn read(kept: &str) -> Result<Self, KeptRuleError> {
        let rule: Self = serde_json::from_str(kept)?;
        if rule.depth() > MAX_DEPTH || rule.conditions() > MAX_CONDITIONS {
            return Err(KeptRuleError::TooLarge);
        }
        Ok(rule)
    }

    /// The rule as the store keeps it.
    #[must_use]
    pub fn write(&self) -> String {
        serde_json::to_string(self).expect("texts, numbers and lists")
    }

    /// How deep it is nested.
    #[must_use]
    pub fn depth(&self) -> usize {
        1 + match self {
            Self::All(rules) | Self::Any(rules) => rules.iter().map(Self::depth).max().unwrap_or(0),
            Self::Not(rule) => rule.depth(),
            Self::Condition(_) => 0,
        }
    }

    /// How many conditions it has.
    #[must_use]
    pub fn conditions(&self) -> usize {
        match self {
            Self::All(rules) | Self::Any(rules) => rules.iter().map(Self::conditions).sum(),
            Self::Not(rule) => rule.conditions(),
            Self::Condition(_) => 1,
        }
    }

    /// Whether what it says of a device may change although nothing of the device does: it looks at the time since the
    /// last contact.
    #[must_use]
    pub fn depends_on_time(&self) -> bool {
        self.has(&|condition| matches!(condition, Condition::Seen(_)))
    }

    /// Whether it has a pattern, which no database is asked to match.
    #[must_use]
    pub fn has_patterns(&self) -> bool {
        self.has(&|condition| matches!(condition, Condition::Text { test: TextTest::Matches(_), .. }))
    }

    fn has(&self, wanted: &impl Fn(&Condition) -> bool) -> bool {
        match self {
            Self::All(rules) | Self::Any(rules) => rules.iter().any(|rule| rule.has(wanted)),
            Self::Not(rule) => rule.has(wanted),
            Self::Condition(condition) => wanted(condition),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_rule_is_kept_as_it_is() {
        let text = |text| Text::new(text).expect("is good");
        let rule = Rule::All(vec![
            Rule::Not(Box::new(Rule::Condition(Condition::Text {
                attribute: TextAttribute::Component,
                test: TextTest::Matches(Pattern::new("^Ag.nt$").expect("is good")),
            }))),
            Rule::Any(vec![
                Rule::Condition(Condition::Version {
                    attribute: VersionAttribute::Component(text("Agent")),
                    test: VersionTest::Compares(Comparison::Less, Version::new("1.2").expect("is good")),
                }),
                Rule::Condition(Condition::Address(vec![
                    AddressRange::network("10.0.0.0/8").expect("is good"),
                ])),
                Rule::Condition(Condition::Seen(Seen::NotFor(Age::new("14d").expect("is good")))),
            ]),
        ]);
        let kept = rule.write();
        assert_eq!(
            kept,
            r#"{"all":[{"not":{"condition":{"text":{"attribute":"component","test":{"matches":"^Ag.nt$"}}}}},{"any":[{"condition":{"version":{"attribute":{"component":"Agent"},"test":{"compares":["less","1.2"]}}}},{"condition":{"address":["in 10.0.0.0/8"]}},{"condition":{"seen":{"not_for":1209600}}}]}]}"#
        );
        assert_eq!(Rule::read(&kept).expect("reads"), rule);
        assert_eq!((rule.depth(), rule.conditions()), (3, 4));
        assert!(rule.depends_on_time() && rule.has_patterns());
    }

    #[test]
    fn nothing_else_is_read() {
        let deep = |depth| format!("{}{{\"all\":[]}}{}", "{\"not\":".repeat(depth), "}".repeat(depth));
        Rule::read(&deep(MAX_DEPTH - 1)).expect("just deep enough");
        for wrong in [
            "",
            "{}",
            "null",
            r#"{"condition":{"text":{"attribute":"display_name","test":{"contains":""}}}}"#,
            r#"{"condition":{"text":{"attribute":"display_name","test":{"matches":"("}}}}"#,
            r#"{"condition":{"seen":{"within":0}}}"#,
            &deep(MAX_DEPTH),
            &deep(10_000),
        ] {
            Rule::read(wrong).expect_err(wrong);
        }
    }

    proptest! {
        #[test]
        fn no_kept_rule_panics(kept in r#"[{}\[\]",:a-z0-9_]{0,80}"#) {
            let _ = Rule::read(&kept);
        }
    }
}
