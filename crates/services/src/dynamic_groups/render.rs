//! Shows a rule as clients send it.

use guardhouse_contract::management::{
    MembershipCondition, MembershipRule, MembershipRules,
    membership_condition::{Attribute, Operator},
    membership_rule::Kind,
};
use guardhouse_model::dynamic_groups::{
    AddressRange, Choice, Comparison, Condition, Flag, Number, Rule, Seen, TextAttribute, TextTest,
    VersionAttribute, VersionTest,
};

use super::condition::name_of;

/// A rule.
pub fn rule(kept: &Rule) -> MembershipRule {
    let rules = |kept: &[Rule]| MembershipRules { rules: kept.iter().map(rule).collect() };
    let kind = match kept {
        Rule::All(kept) => Kind::All(rules(kept)),
        Rule::Any(kept) => Kind::Any(rules(kept)),
        Rule::Not(kept) => Kind::Not(Box::new(rule(kept))),
        Rule::Condition(kept) => Kind::Condition(condition(kept)),
    };
    MembershipRule { kind: Some(kind) }
}

fn condition(kept: &Condition) -> MembershipCondition {
    match kept {
        Condition::Text { attribute, test } => {
            let attribute = match attribute {
                TextAttribute::DisplayName => Attribute::DisplayName,
                TextAttribute::OriginalDisplayName => Attribute::OriginalDisplayName,
                TextAttribute::OperatingSystem => Attribute::OperatingSystem,
                TextAttribute::Component => Attribute::ComponentName,
            };
            match test {
                TextTest::Known => with_value(attribute, Operator::Known, ""),
                TextTest::OneOf(texts) => {
                    equal(attribute, texts.iter().map(|text| text.written().to_owned()).collect())
                }
                TextTest::Contains(text) => with_value(attribute, Operator::Contains, text.written()),
                TextTest::StartsWith(text) => with_value(attribute, Operator::StartsWith, text.written()),
                TextTest::EndsWith(text) => with_value(attribute, Operator::EndsWith, text.written()),
                TextTest::Matches(pattern) => with_value(attribute, Operator::Matches, pattern.written()),
            }
        }
        Condition::Version { attribute, test } => {
            let (attribute, component) = match attribute {
                VersionAttribute::OperatingSystem => (Attribute::OperatingSystemVersion, String::new()),
                VersionAttribute::Agent => (Attribute::AgentVersion, String::new()),
                VersionAttribute::Component(name) => (Attribute::ComponentVersion, name.written().to_owned()),
            };
            let shown = match test {
                VersionTest::Known => with_value(attribute, Operator::Known, ""),
                VersionTest::OneOf(versions) => {
                    equal(attribute, versions.iter().map(|version| version.written().to_owned()).collect())
                }
                VersionTest::Compares(comparison, version) => {
                    with_value(attribute, operator(*comparison), version.written())
                }
            };
            MembershipCondition { component, ..shown }
        }
        Condition::Address(ranges) => address(ranges),
        Condition::Choice { attribute, values } => choice(*attribute, values),
        Condition::Flag { attribute, value } => {
            let attribute = match attribute {
                Flag::Muted => Attribute::IsMuted,
                Flag::Mobile => Attribute::IsMobile,
                Flag::Master => Attribute::IsMaster,
            };
            with_value(attribute, Operator::Equals, value.to_string())
        }
        Condition::Number { attribute: Number::ProblemCount, comparison, value } => {
            with_value(Attribute::FunctionalityProblemCount, operator(*comparison), value.to_string())
        }
        Condition::Seen(seen) => {
            let attribute = Attribute::LastSyncTime;
            match seen {
                Seen::Ever => with_value(attribute, Operator::Known, ""),
                Seen::Within(age) => with_value(attribute, Operator::SeenWithin, age.to_string()),
                Seen::NotFor(age) => with_value(attribute, Operator::NotSeenFor, age.to_string()),
            }
        }
    }
}

fn address(ranges: &[AddressRange]) -> MembershipCondition {
    let attribute = Attribute::PrimaryLocalIpAddress;
    match ranges {
        [] => with_value(attribute, Operator::Known, ""),
        [range] => {
            let (relation, address) = range.written();
            let operator = match relation {
                "in" => Operator::InNetwork,
                "<" => Operator::Less,
                "<=" => Operator::LessOrEqual,
                ">" => Operator::Greater,
                ">=" => Operator::GreaterOrEqual,
                _ => Operator::Equals,
            };
            with_value(attribute, operator, address)
        }
        several => equal(attribute, several.iter().map(|range| range.written().1).collect()),
    }
}

fn choice(choice: Choice, values: &[i32]) -> MembershipCondition {
    let attribute = match choice {
        Choice::OperatingSystemFamily => Attribute::OperatingSystemFamily,
        Choice::OperatingSystemEdition => Attribute::OperatingSystemEdition,
        Choice::DeviceType => Attribute::DeviceType,
        Choice::EnrolmentStatus => Attribute::EnrollmentStatus,
        Choice::FunctionalityStatus => Attribute::FunctionalityStatus,
    };
    if values.is_empty() {
        return with_value(attribute, Operator::Known, "");
    }
    let name = |value: &i32| name_of(choice, *value).map_or_else(|| value.to_string(), str::to_owned);
    equal(attribute, values.iter().map(name).collect())
}

/// Equal to one value, or to one of several.
fn equal(attribute: Attribute, mut values: Vec<String>) -> MembershipCondition {
    if values.len() == 1 {
        return with_value(attribute, Operator::Equals, values.remove(0));
    }
    MembershipCondition { values, ..with_value(attribute, Operator::OneOf, "") }
}

fn with_value(attribute: Attribute, operator: Operator, value: impl Into<String>) -> MembershipCondition {
    MembershipCondition {
        attribute: attribute.into(),
        operator: operator.into(),
        value: value.into(),
        ..Default::default()
    }
}

fn operator(comparison: Comparison) -> Operator {
    match comparison {
        Comparison::Equal => Operator::Equals,
        Comparison::Less => Operator::Less,
        Comparison::LessOrEqual => Operator::LessOrEqual,
        Comparison::Greater => Operator::Greater,
        Comparison::GreaterOrEqual => Operator::GreaterOrEqual,
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::Status;
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::{dynamic_groups::rule::read, fields::Checks};

    fn checked(asked: &MembershipRule) -> Result<Rule, Status> {
        let mut checks = Checks::default();
        let rule = read(&mut checks, "rule", Some(asked));
        checks.finish()?;
        Ok(rule.expect("what is wrong is noted"))
    }

    fn asked(attribute: Attribute, operator: Operator, value: &str) -> MembershipCondition {
        with_value(attribute, operator, value)
    }

    fn alone(condition: MembershipCondition) -> MembershipRule {
        MembershipRule { kind: Some(Kind::Condition(condition)) }
    }

    fn violations(asked: &MembershipRule) -> Vec<(String, String)> {
        let status = checked(asked).expect_err("refused");
        status
            .violations()
            .iter()
            .map(|violation| (violation.field.clone(), violation.description.clone()))
            .collect()
    }

    #[test]
    fn rules_are_shown_as_they_were_sent() {
        use {Attribute as A, Operator as O};
        for condition in [
            asked(A::DisplayName, O::Equals, "Web 1"),
            asked(A::OperatingSystem, O::Contains, "Debian"),
            asked(A::OriginalDisplayName, O::Matches, r"^web-\d+$"),
            asked(A::ComponentName, O::Known, ""),
            asked(A::AgentVersion, O::Less, "1.10.0"),
            asked(A::PrimaryLocalIpAddress, O::InNetwork, "192.0.2.0/24"),
            asked(A::PrimaryLocalIpAddress, O::GreaterOrEqual, "2001:db8::"),
            asked(A::OperatingSystemFamily, O::Equals, "linux"),
            asked(A::DeviceType, O::Equals, "DEVICE_TYPE_SERVER"),
            asked(A::FunctionalityProblemCount, O::Greater, "3"),
            asked(A::IsMuted, O::Equals, "true"),
            asked(A::LastSyncTime, O::NotSeenFor, "14d"),
            MembershipCondition { component: "Agent".to_owned(), ..asked(A::ComponentVersion, O::Known, "") },
            MembershipCondition {
                values: vec!["10.2.0.1".to_owned(), "::1".to_owned()],
                ..asked(A::PrimaryLocalIpAddress, O::OneOf, "")
            },
        ] {
            let asked = alone(condition);
            assert_eq!(rule(&checked(&asked).expect("is good")), asked);
        }
        let short = alone(asked(A::EnrollmentStatus, O::Equals, "finished"));
        let long = alone(asked(A::EnrollmentStatus, O::Equals, "DEVICE_ENROLLMENT_STATUS_FINISHED"));
        assert_eq!(rule(&checked(&short).expect("is good")), long);
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        use {Attribute as A, Operator as O};
        let nested = MembershipRule {
            kind: Some(Kind::All(MembershipRules {
                rules: vec![
                    alone(asked(A::DisplayName, O::Matches, "(")),
                    MembershipRule::default(),
                    MembershipRule {
                        kind: Some(Kind::Not(Box::new(alone(asked(A::IsMuted, O::Contains, "x"))))),
                    },
                    alone(MembershipCondition {
                        values: vec!["1".to_owned(), "-".to_owned()],
                        ..asked(A::AgentVersion, O::OneOf, "")
                    }),
                    alone(asked(A::Unspecified, O::Unspecified, "")),
                    alone(MembershipCondition {
                        component: "x".to_owned(),
                        ..asked(A::DisplayName, O::Equals, "")
                    }),
                    alone(asked(A::ComponentVersion, O::Known, "")),
                ],
            })),
        };
        let fields: Vec<_> = violations(&nested).into_iter().map(|(field, _)| field).collect();
        assert_eq!(
            fields,
            [
                "rule.all.rules[0].condition.value",
                "rule.all.rules[1]",
                "rule.all.rules[2].not.condition.operator",
                "rule.all.rules[3].condition.values[1]",
                "rule.all.rules[4].condition.attribute",
                "rule.all.rules[4].condition.operator",
                "rule.all.rules[5].condition.value",
                "rule.all.rules[5].condition.component",
                "rule.all.rules[6].condition.component",
            ]
        );
        let (_, wrong) = violations(&alone(asked(A::DeviceType, O::Equals, "toaster"))).remove(0);
        assert!(wrong.starts_with("is none of DEVICE_TYPE_SMARTPHONE, "), "{wrong}");
        let (_, wrong) = violations(&alone(asked(A::IsMuted, O::Contains, "x"))).remove(0);
        assert_eq!(wrong, "CONTAINS does not go with IS_MUTED; use one of EQUALS");
    }

    #[test]
    fn rules_have_limits() {
        let condition = || alone(asked(Attribute::IsMuted, Operator::Equals, "true"));
        let deep = |levels: usize| {
            (1..levels)
                .fold(condition(), |inner, _| MembershipRule { kind: Some(Kind::Not(Box::new(inner))) })
        };
        checked(&deep(8)).expect("deep enough");
        assert_eq!(violations(&deep(9))[0].0, format!("rule{}", ".not".repeat(8)));
        let wide = |count| MembershipRule {
            kind: Some(Kind::Any(MembershipRules { rules: vec![condition(); count] })),
        };
        checked(&wide(100)).expect("wide enough");
        assert_eq!(violations(&wide(101))[0].0, "rule.any");
        let both =
            MembershipRule { kind: Some(Kind::All(MembershipRules { rules: vec![wide(60), wide(60)] })) };
        assert_eq!(violations(&both)[0].1, "has 120 conditions; at most 100 are allowed");
        let bad = MembershipRule { kind: Some(Kind::Any(MembershipRules { rules: vec![wide(90); 90] })) };
        assert!(violations(&bad).len() <= 101);
    }

    proptest! {
        #[test]
        fn no_rule_panics(
            conditions in vec((0..30_i32, 0..20_i32, any::<String>(), vec(any::<String>(), 0..3), any::<String>()), 0..9)
        ) {
            let rules = conditions.into_iter().map(|(attribute, operator, value, values, component)| {
                alone(MembershipCondition { attribute, operator, value, values, component })
            });
            for asked in rules {
                if let Ok(read) = checked(&asked) {
                    prop_assert_eq!(checked(&rule(&read)).map_err(|status| status.to_string()), Ok(read));
                }
            }
        }
    }
}
