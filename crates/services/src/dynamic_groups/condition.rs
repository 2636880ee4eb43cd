//! Reads a condition as clients send it.

use guardhouse_contract::{
    devices::{DeviceEnrollmentStatus, DeviceFunctionalityStatus, DeviceType},
    management::{
        MembershipCondition,
        membership_condition::{Attribute, Operator},
    },
};
use guardhouse_model::dynamic_groups::{
    AddressRange, Age, Choice, Comparison, Condition, Flag, Number, Pattern, Seen, Text, TextAttribute,
    TextTest, Version, VersionAttribute, VersionTest,
};

use super::rule::Reader;

/// Most values of `ONE_OF`.
const MOST_VALUES: usize = 100;

/// Names of the families of operating systems, by their numbers.
pub const FAMILIES: [&str; 8] =
    ["", "windows", "linux", "apple", "android", "windows_mobile", "symbian", "unix"];

/// Names of the editions of operating systems, by their numbers.
pub const EDITIONS: [&str; 5] = ["", "server", "client", "mobile", "core"];

/// Reads the condition at `path`. `None`: something is wrong, and was noted.
pub fn read(reader: &mut Reader<'_>, path: &str, asked: &MembershipCondition) -> Option<Condition> {
    let attribute =
        Attribute::try_from(asked.attribute).ok().filter(|known| *known != Attribute::Unspecified);
    let operator = Operator::try_from(asked.operator).ok().filter(|known| *known != Operator::Unspecified);
    if attribute.is_none() {
        reader.fail::<()>(format!("{path}.attribute"), "is missing or not known; name what to look at");
    }
    if operator.is_none() {
        reader.fail::<()>(format!("{path}.operator"), "is missing or not known; name how to compare");
    }
    let (attribute, operator) = (attribute?, operator?);
    let mut part = Part { reader, path, asked, attribute, operator };
    part.check_members()?;
    match attribute {
        Attribute::Unspecified => None,
        Attribute::DisplayName => part.text(TextAttribute::DisplayName),
        Attribute::OriginalDisplayName => part.text(TextAttribute::OriginalDisplayName),
        Attribute::OperatingSystem => part.text(TextAttribute::OperatingSystem),
        Attribute::ComponentName => part.text(TextAttribute::Component),
        Attribute::OperatingSystemVersion => part.version(VersionAttribute::OperatingSystem),
        Attribute::AgentVersion => part.version(VersionAttribute::Agent),
        Attribute::ComponentVersion => {
            let name = part.component()?;
            part.version(VersionAttribute::Component(name))
        }
        Attribute::PrimaryLocalIpAddress => part.address(),
        Attribute::OperatingSystemFamily => part.choice(Choice::OperatingSystemFamily),
        Attribute::OperatingSystemEdition => part.choice(Choice::OperatingSystemEdition),
        Attribute::DeviceType => part.choice(Choice::DeviceType),
        Attribute::EnrollmentStatus => part.choice(Choice::EnrolmentStatus),
        Attribute::FunctionalityStatus => part.choice(Choice::FunctionalityStatus),
        Attribute::FunctionalityProblemCount => part.number(Number::ProblemCount),
        Attribute::IsMuted => part.flag(Flag::Muted),
        Attribute::IsMobile => part.flag(Flag::Mobile),
        Attribute::IsMaster => part.flag(Flag::Master),
        Attribute::LastSyncTime => part.seen(),
    }
}

/// The name that the contract has for one of several kinds; 0 has none.
pub fn name_of(choice: Choice, value: i32) -> Option<&'static str> {
    let known = |name: &'static str| (value != 0).then_some(name);
    let listed = |names: &[&'static str]| usize::try_from(value).ok().and_then(|at| names.get(at).copied());
    match choice {
        Choice::OperatingSystemFamily => listed(&FAMILIES).and_then(known),
        Choice::OperatingSystemEdition => listed(&EDITIONS).and_then(known),
        Choice::DeviceType => DeviceType::try_from(value).ok().and_then(|kind| known(kind.as_str_name())),
        Choice::EnrolmentStatus => {
            DeviceEnrollmentStatus::try_from(value).ok().and_then(|status| known(status.as_str_name()))
        }
        Choice::FunctionalityStatus => {
            DeviceFunctionalityStatus::try_from(value).ok().and_then(|status| known(status.as_str_name()))
        }
    }
}

/// What stands before the names of a kind in the contract.
fn prefix(choice: Choice) -> &'static str {
    match choice {
        Choice::OperatingSystemFamily | Choice::OperatingSystemEdition => "",
        Choice::DeviceType => "DEVICE_TYPE_",
        Choice::EnrolmentStatus => "DEVICE_ENROLLMENT_STATUS_",
        Choice::FunctionalityStatus => "DEVICE_FUNCTIONALITY_STATUS_",
    }
}

struct Part<'a, 'r> {
    reader: &'a mut Reader<'r>,
    path: &'a str,
    asked: &'a MembershipCondition,
    attribute: Attribute,
    operator: Operator,
}

impl Part<'_, '_> {
    /// Whether just those members are set that the operator reads.
    fn check_members(&mut self) -> Option<()> {
        let asked = self.asked;
        let wants_value = !matches!(self.operator, Operator::OneOf | Operator::Known);
        let mut is_good = true;
        let mut wrong = |member: &str, wrong: String| {
            is_good = false;
            self.reader.fail::<()>(format!("{}.{member}", self.path), wrong);
        };
        let operator = self.operator.as_str_name();
        if wants_value && asked.value.is_empty() {
            wrong("value", format!("is missing; {operator} compares with it"));
        }
        if !wants_value && !asked.value.is_empty() {
            wrong("value", format!("has no meaning for {operator}; leave it out"));
        }
        if self.operator == Operator::OneOf {
            if asked.values.is_empty() {
                wrong("values", "is empty; name at least one value".to_owned());
            } else if asked.values.len() > MOST_VALUES {
                wrong(
                    "values",
                    format!("has {} values; at most {MOST_VALUES} are allowed", asked.values.len()),
                );
            }
        } else if !asked.values.is_empty() {
            wrong("values", format!("has no meaning for {operator}, only for ONE_OF; leave it out"));
        }
        if self.attribute != Attribute::ComponentVersion && !asked.component.is_empty() {
            wrong("component", "has a meaning only for COMPONENT_VERSION; leave it out".to_owned());
        }
        is_good.then_some(())
    }

    fn component(&mut self) -> Option<Text> {
        Text::new(&self.asked.component).map_or_else(
            |wrong| self.reader.fail(format!("{}.component", self.path), wrong.to_string()),
            Some,
        )
    }

    fn text(&mut self, attribute: TextAttribute) -> Option<Condition> {
        let test = match self.operator {
            Operator::Known => TextTest::Known,
            Operator::Equals => TextTest::OneOf(vec![self.value(Text::new)?]),
            Operator::OneOf => TextTest::OneOf(self.values(Text::new)?),
            Operator::Contains => TextTest::Contains(self.value(Text::new)?),
            Operator::StartsWith => TextTest::StartsWith(self.value(Text::new)?),
            Operator::EndsWith => TextTest::EndsWith(self.value(Text::new)?),
            Operator::Matches => TextTest::Matches(self.value(Pattern::new)?),
            _ => {
                return self
                    .other_operator("EQUALS, ONE_OF, KNOWN, CONTAINS, STARTS_WITH, ENDS_WITH and MATCHES");
            }
        };
        Some(Condition::Text { attribute, test })
    }

    fn version(&mut self, attribute: VersionAttribute) -> Option<Condition> {
        let test = match (self.operator, self.comparison()) {
            (Operator::Known, _) => VersionTest::Known,
            (Operator::Equals, _) => VersionTest::OneOf(vec![self.value(Version::new)?]),
            (Operator::OneOf, _) => VersionTest::OneOf(self.values(Version::new)?),
            (_, Some(comparison)) => VersionTest::Compares(comparison, self.value(Version::new)?),
            _ => {
                return self.other_operator(
                    "EQUALS, ONE_OF, KNOWN, LESS, LESS_OR_EQUAL, GREATER and GREATER_OR_EQUAL",
                );
            }
        };
        Some(Condition::Version { attribute, test })
    }

    fn address(&mut self) -> Option<Condition> {
        let range = match self.operator {
            Operator::Known => return Some(Condition::Address(Vec::new())),
            Operator::OneOf => return self.values(AddressRange::one).map(Condition::Address),
            Operator::Equals => AddressRange::one,
            Operator::InNetwork => AddressRange::network,
            Operator::Less => AddressRange::below,
            Operator::LessOrEqual => AddressRange::at_most,
            Operator::Greater => AddressRange::above,
            Operator::GreaterOrEqual => AddressRange::at_least,
            _ => {
                return self.other_operator(
                    "EQUALS, ONE_OF, KNOWN, IN_NETWORK, LESS, LESS_OR_EQUAL, GREATER and GREATER_OR_EQUAL",
                );
            }
        };
        Some(Condition::Address(vec![self.value(range)?]))
    }

    fn choice(&mut self, attribute: Choice) -> Option<Condition> {
        let named = |text: &str| {
            let known = (1..=i32::from(u8::MAX)).map_while(|value| Some((value, name_of(attribute, value)?)));
            let is_it = |name: &str| {
                let short = name.strip_prefix(prefix(attribute)).unwrap_or(name);
                text.eq_ignore_ascii_case(name) || text.eq_ignore_ascii_case(short)
            };
            known.clone().find(|(_, name)| is_it(name)).map(|(value, _)| value).ok_or_else(|| {
                let names: Vec<_> = known.map(|(_, name)| name).collect();
                format!("is none of {}", names.join(", "))
            })
        };
        let values = match self.operator {
            Operator::Known => Vec::new(),
            Operator::Equals => vec![self.value(named)?],
            Operator::OneOf => self.values(named)?,
            _ => return self.other_operator("EQUALS, ONE_OF and KNOWN"),
        };
        Some(Condition::Choice { attribute, values })
    }

    fn flag(&mut self, attribute: Flag) -> Option<Condition> {
        if self.operator != Operator::Equals {
            return self.other_operator("EQUALS");
        }
        let value = self.value(|text| match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("is neither \"true\" nor \"false\""),
        })?;
        Some(Condition::Flag { attribute, value })
    }

    fn number(&mut self, attribute: Number) -> Option<Condition> {
        let comparison = match self.operator {
            Operator::Equals => Comparison::Equal,
            _ => match self.comparison() {
                Some(comparison) => comparison,
                None => {
                    return self.other_operator("EQUALS, LESS, LESS_OR_EQUAL, GREATER and GREATER_OR_EQUAL");
                }
            },
        };
        let value =
            self.value(|text| text.parse().map_err(|_| "is not a whole number from 0 to 4294967295"))?;
        Some(Condition::Number { attribute, comparison, value })
    }

    fn seen(&mut self) -> Option<Condition> {
        let seen = match self.operator {
            Operator::Known => Seen::Ever,
            Operator::SeenWithin => Seen::Within(self.value(Age::new)?),
            Operator::NotSeenFor => Seen::NotFor(self.value(Age::new)?),
            _ => return self.other_operator("KNOWN, SEEN_WITHIN and NOT_SEEN_FOR"),
        };
        Some(Condition::Seen(seen))
    }

    fn comparison(&self) -> Option<Comparison> {
        match self.operator {
            Operator::Less => Some(Comparison::Less),
            Operator::LessOrEqual => Some(Comparison::LessOrEqual),
            Operator::Greater => Some(Comparison::Greater),
            Operator::GreaterOrEqual => Some(Comparison::GreaterOrEqual),
            _ => None,
        }
    }

    fn value<T, E: ToString>(&mut self, read: impl Fn(&str) -> Result<T, E>) -> Option<T> {
        read(&self.asked.value)
            .map_or_else(|wrong| self.reader.fail(format!("{}.value", self.path), wrong.to_string()), Some)
    }

    fn values<T, E: ToString>(&mut self, read: impl Fn(&str) -> Result<T, E>) -> Option<Vec<T>> {
        let mut values = Vec::with_capacity(self.asked.values.len());
        for (index, text) in self.asked.values.iter().enumerate() {
            match read(text) {
                Ok(value) => values.push(value),
                Err(wrong) => {
                    self.reader.fail::<()>(format!("{}.values[{index}]", self.path), wrong.to_string());
                }
            }
        }
        (values.len() == self.asked.values.len()).then_some(values)
    }

    fn other_operator<T>(&mut self, good: &str) -> Option<T> {
        let wrong = format!(
            "{} does not go with {}; use one of {good}",
            self.operator.as_str_name(),
            self.attribute.as_str_name()
        );
        self.reader.fail(format!("{}.operator", self.path), wrong)
    }
}
