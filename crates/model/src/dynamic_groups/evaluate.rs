//! Judges a rule for one device.

use jiff::Timestamp;

use super::{
    facts::{Component, Facts},
    rule::{
        Choice, Condition, Flag, Number, Rule, Seen, TextAttribute, TextTest, VersionAttribute, VersionTest,
    },
    text::Folded,
    version::VersionKey,
};

impl Rule {
    /// Whether the rule picks the device at `now`.
    #[must_use]
    pub fn holds(&self, facts: &Facts, now: Timestamp) -> bool {
        match self {
            Self::All(rules) => rules.iter().all(|rule| rule.holds(facts, now)),
            Self::Any(rules) => rules.iter().any(|rule| rule.holds(facts, now)),
            Self::Not(rule) => !rule.holds(facts, now),
            Self::Condition(condition) => condition.holds(facts, now),
        }
    }
}

impl Condition {
    /// Whether it is true of the device at `now`.
    #[must_use]
    pub fn holds(&self, facts: &Facts, now: Timestamp) -> bool {
        match self {
            Self::Text { attribute, test } => match attribute {
                TextAttribute::DisplayName => test.holds(&facts.display_name),
                TextAttribute::OriginalDisplayName => test.holds(&facts.original_display_name),
                TextAttribute::OperatingSystem => test.holds(&facts.attributes.operating_system),
                TextAttribute::Component => {
                    facts.attributes.components.iter().any(|component| test.holds(&component.name))
                }
            },
            Self::Version { attribute, test } => match attribute {
                VersionAttribute::OperatingSystem => test.holds(&facts.attributes.operating_system_version),
                VersionAttribute::Agent => test.holds(&facts.attributes.agent_version),
                VersionAttribute::Component(name) => {
                    let fits = |component: &Component| {
                        component.name.as_str() == name.folded() && test.holds(&component.version)
                    };
                    facts.attributes.components.iter().any(fits)
                }
            },
            Self::Address(ranges) => {
                let address = &facts.attributes.primary_address;
                !address.is_empty()
                    && (ranges.is_empty() || ranges.iter().any(|range| range.contains(address)))
            }
            Self::Choice { attribute, values } => {
                let value = attribute.of(facts);
                value != 0 && (values.is_empty() || values.contains(&value))
            }
            Self::Flag { attribute, value } => attribute.of(facts) == *value,
            Self::Number { attribute: Number::ProblemCount, comparison, value } => {
                comparison.holds(&facts.problem_count, value)
            }
            Self::Seen(seen) => facts.last_seen.is_some_and(|last_seen| seen.holds(last_seen, now)),
        }
    }
}

impl TextTest {
    /// Whether a text is like that. What is not known is not.
    #[must_use]
    pub fn holds(&self, text: &Folded) -> bool {
        let value = text.as_str();
        !text.is_empty()
            && match self {
                Self::Known => true,
                Self::OneOf(texts) => texts.iter().any(|text| text.folded() == value),
                Self::Contains(part) => value.contains(part.folded()),
                Self::StartsWith(part) => value.starts_with(part.folded()),
                Self::EndsWith(part) => value.ends_with(part.folded()),
                Self::Matches(pattern) => pattern.matches(text),
            }
    }
}

impl VersionTest {
    /// Whether a version is like that. What is not known is not.
    #[must_use]
    pub fn holds(&self, key: &VersionKey) -> bool {
        !key.is_empty()
            && match self {
                Self::Known => true,
                Self::OneOf(versions) => versions.iter().any(|version| version.key() == key),
                Self::Compares(comparison, version) => comparison.holds(key, version.key()),
            }
    }
}

impl Choice {
    fn of(self, facts: &Facts) -> i32 {
        let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        match self {
            Self::OperatingSystemFamily => number(facts.attributes.operating_system_family),
            Self::OperatingSystemEdition => number(facts.attributes.operating_system_edition),
            Self::DeviceType => facts.attributes.device_type,
            Self::EnrolmentStatus => facts.enrolment_status,
            Self::FunctionalityStatus => facts.functionality_status,
        }
    }
}

impl Flag {
    fn of(self, facts: &Facts) -> bool {
        match self {
            Self::Muted => facts.is_muted,
            Self::Mobile => facts.attributes.is_mobile,
            Self::Master => facts.attributes.is_master,
        }
    }
}

impl Seen {
    /// The moment that separates the devices that fit from the others, when it is `now`; none: all that were ever in
    /// contact fit. The moment itself is within.
    #[must_use]
    pub fn threshold(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Ever => None,
            Self::Within(age) | Self::NotFor(age) => {
                Some(now.checked_sub(age.duration()).unwrap_or(Timestamp::MIN))
            }
        }
    }

    fn holds(self, last_seen: Timestamp, now: Timestamp) -> bool {
        let threshold = self.threshold(now);
        match self {
            Self::Ever => true,
            Self::Within(_) => threshold.is_none_or(|threshold| last_seen >= threshold),
            Self::NotFor(_) => threshold.is_some_and(|threshold| last_seen < threshold),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamic_groups::{
        Address, AddressRange, Age, AttributeFacts, Comparison, Pattern, Text, Version,
    };

    fn now() -> Timestamp {
        Timestamp::from_second(1_700_000_000).expect("in range")
    }

    fn facts() -> Facts {
        let component =
            |name, version| Component { name: Folded::new(name), version: VersionKey::new(version) };
        Facts {
            display_name: Folded::new("Web-1"),
            enrolment_status: 2,
            problem_count: 3,
            is_muted: true,
            last_seen: Some(now()),
            attributes: AttributeFacts {
                operating_system: Folded::new("Debian GNU/Linux 12"),
                operating_system_family: 2,
                agent_version: VersionKey::new("1.10.0"),
                primary_address: Address::new("192.0.2.7"),
                components: vec![component("Agent", "1.10.0"), component("Scanner", "2.0~beta")],
                ..AttributeFacts::default()
            },
            ..Facts::default()
        }
    }

    fn text(attribute: TextAttribute, test: TextTest) -> Condition {
        Condition::Text { attribute, test }
    }

    fn t(text: &str) -> Text {
        Text::new(text).expect("is good")
    }

    fn v(version: &str) -> Version {
        Version::new(version).expect("is good")
    }

    #[test]
    fn conditions_hold_for_what_they_say() {
        use {TextAttribute as T, TextTest as X, VersionAttribute as A, VersionTest as V};
        let network = |text| AddressRange::network(text).expect("is good");
        let version = |attribute, test| Condition::Version { attribute, test };
        let seen = |seen: Seen| Condition::Seen(seen);
        let table = [
            (text(T::DisplayName, X::OneOf(vec![t("db-1"), t("WEB-1")])), true),
            (text(T::DisplayName, X::Contains(t("B-"))), true),
            (text(T::DisplayName, X::StartsWith(t("WEB"))), true),
            (text(T::DisplayName, X::EndsWith(t("-2"))), false),
            (text(T::OperatingSystem, X::Matches(Pattern::new(r"LINUX \d+$").expect("is good"))), true),
            (text(T::OriginalDisplayName, X::Known), false),
            (text(T::OriginalDisplayName, X::Matches(Pattern::new(".*").expect("is good"))), false),
            (text(T::Component, X::OneOf(vec![t("scanner")])), true),
            (text(T::Component, X::StartsWith(t("scan"))), true),
            (text(T::Component, X::OneOf(vec![t("firewall")])), false),
            (version(A::Agent, V::Compares(Comparison::Greater, v("1.9"))), true),
            (version(A::Agent, V::OneOf(vec![v("1.10")])), true),
            (version(A::OperatingSystem, V::Known), false),
            (version(A::OperatingSystem, V::Compares(Comparison::Less, v("9"))), false),
            (version(A::Component(t("SCANNER")), V::Compares(Comparison::Less, v("2"))), true),
            (version(A::Component(t("agent")), V::Compares(Comparison::Less, v("1.10"))), false),
            (version(A::Component(t("firewall")), V::Known), false),
            (Condition::Address(vec![]), true),
            (Condition::Address(vec![network("10.0.0.0/8"), network("192.0.2.0/24")]), true),
            (Condition::Address(vec![network("192.0.2.8/29")]), false),
            (Condition::Choice { attribute: Choice::OperatingSystemFamily, values: vec![1, 2] }, true),
            (Condition::Choice { attribute: Choice::OperatingSystemEdition, values: vec![] }, false),
            (Condition::Choice { attribute: Choice::EnrolmentStatus, values: vec![1] }, false),
            (Condition::Flag { attribute: Flag::Muted, value: true }, true),
            (Condition::Flag { attribute: Flag::Mobile, value: false }, true),
            (
                Condition::Number {
                    attribute: Number::ProblemCount,
                    comparison: Comparison::GreaterOrEqual,
                    value: 3,
                },
                true,
            ),
            (seen(Seen::Ever), true),
            (seen(Seen::Within(Age::new("1s").expect("is good"))), true),
            (seen(Seen::NotFor(Age::new("1s").expect("is good"))), false),
        ];
        for (condition, expected) in table {
            assert_eq!(condition.holds(&facts(), now()), expected, "{condition:?}");
            let negated = Rule::Not(Box::new(Rule::Condition(condition.clone())));
            assert_eq!(negated.holds(&facts(), now()), !expected, "not {condition:?}");
        }
    }

    #[test]
    fn time_passes() {
        let age = Age::new("1h").expect("is good");
        let at = |seconds: i64| Timestamp::from_second(1_700_000_000 + seconds).expect("in range");
        let holds = |seen, now| Condition::Seen(seen).holds(&facts(), now);
        assert!(holds(Seen::Within(age), at(3_600)) && !holds(Seen::NotFor(age), at(3_600)), "to the second");
        assert!(!holds(Seen::Within(age), at(3_601)) && holds(Seen::NotFor(age), at(3_601)));
        let silent = Facts { last_seen: None, ..facts() };
        for seen in [Seen::Ever, Seen::Within(age), Seen::NotFor(age)] {
            assert!(!Condition::Seen(seen).holds(&silent, at(0)), "{seen:?}");
        }
    }

    #[test]
    fn rules_without_rules_are_everything_or_nothing() {
        assert!(Rule::All(vec![]).holds(&Facts::default(), now()));
        assert!(!Rule::Any(vec![]).holds(&Facts::default(), now()));
        let both = |rule: fn(Vec<Rule>) -> Rule| rule(vec![Rule::All(vec![]), Rule::Any(vec![])]);
        assert!(!both(Rule::All).holds(&facts(), now()));
        assert!(both(Rule::Any).holds(&facts(), now()));
    }
}
