//! A rule as a condition of SQL over `devices` and their `facts`.
//!
//! The condition is never null. Patterns are not asked of the database: the engines speak different dialects, some
//! patterns take them very long, and neither ignores case as the model does. The condition holds for every device that
//! could fit whatever its patterns say, and the model judges those that are left. So a rule without patterns is
//! judged by the database alone.

use guardhouse_model::{
    Timestamp,
    dynamic_groups::{
        Choice, Comparison, Condition, Flag, Number, Rule, Seen, TextAttribute, TextTest, VersionAttribute,
        VersionTest,
    },
};

use crate::engine::{Transaction, Value};

/// A condition in the making. What varies travels as values, so that no rule becomes a statement.
pub struct Compiler<'a> {
    /// What stands for `$1`, `$2`, …
    values: Vec<Value<'a>>,
    /// The function that says where a text has another one in it.
    find: &'static str,
    now: Timestamp,
}

impl<'a> Compiler<'a> {
    /// A compiler whose first values are already taken.
    pub fn new(transaction: &Transaction<'_>, values: Vec<Value<'a>>, now: Timestamp) -> Self {
        let find = match transaction {
            Transaction::Sqlite(_) => "instr",
            Transaction::Postgres(_) => "strpos",
        };
        Self { values, find, now }
    }

    /// The values of all that was compiled.
    pub fn into_values(self) -> Vec<Value<'a>> {
        self.values
    }

    /// A condition that holds for all devices that the rule picks, and for no others unless it has patterns.
    pub fn rule(&mut self, rule: &'a Rule) -> String {
        self.bound(rule, true)
    }

    /// What a pattern says is not known: `upper` takes it for true, where that makes more devices fit.
    fn bound(&mut self, rule: &'a Rule, upper: bool) -> String {
        match rule {
            Rule::All(rules) => self.join(rules, upper, "and", "1 = 1"),
            Rule::Any(rules) => self.join(rules, upper, "or", "1 = 0"),
            Rule::Not(rule) => format!("not {}", self.bound(rule, !upper)),
            Rule::Condition(condition) => self.condition(condition, upper),
        }
    }

    fn join(&mut self, rules: &'a [Rule], upper: bool, by: &str, none: &str) -> String {
        let parts: Vec<String> = rules.iter().map(|rule| self.bound(rule, upper)).collect();
        if parts.is_empty() { format!("({none})") } else { format!("({})", parts.join(&format!(" {by} "))) }
    }

    fn condition(&mut self, condition: &'a Condition, upper: bool) -> String {
        match condition {
            Condition::Text { attribute, test } => match attribute {
                TextAttribute::DisplayName => self.text("facts.display_name", test, upper),
                TextAttribute::OriginalDisplayName => self.text("facts.original_display_name", test, upper),
                TextAttribute::OperatingSystem => self.text("operating_system", test, upper),
                TextAttribute::Component => {
                    let test = self.text("name", test, upper);
                    installed(&test)
                }
            },
            Condition::Version { attribute, test } => match attribute {
                VersionAttribute::OperatingSystem => self.version("operating_system_version", test),
                VersionAttribute::Agent => self.version("agent_version", test),
                VersionAttribute::Component(name) => {
                    let name = self.value(name.folded());
                    let test = self.version("version", test);
                    installed(&format!("name = {name} and {test}"))
                }
            },
            Condition::Address(ranges) => {
                let mut parts = Vec::with_capacity(ranges.len());
                for range in ranges {
                    let first = self.value(range.first().as_bytes());
                    let last = self.value(range.last().as_bytes());
                    parts.push(format!("(primary_address >= {first} and primary_address <= {last})"));
                }
                known_and_any("primary_address", &parts)
            }
            Condition::Choice { attribute, values } => {
                let column = match attribute {
                    Choice::OperatingSystemFamily => "operating_system_family",
                    Choice::OperatingSystemEdition => "operating_system_edition",
                    Choice::DeviceType => "device_type",
                    Choice::EnrolmentStatus => "enrolment_status",
                    Choice::FunctionalityStatus => "functionality_status",
                };
                if values.is_empty() {
                    return format!("({column} <> 0)");
                }
                let values: Vec<String> = values.iter().map(|&value| self.value(value)).collect();
                format!("({column} <> 0 and {column} in ({}))", values.join(", "))
            }
            Condition::Flag { attribute, value } => {
                let column = match attribute {
                    Flag::Muted => "is_muted",
                    Flag::Mobile => "is_mobile",
                    Flag::Master => "is_master",
                };
                format!("({column} = {})", self.value(*value))
            }
            Condition::Number { attribute: Number::ProblemCount, comparison, value } => {
                format!("(problem_count {} {})", operator(*comparison), self.value(*value))
            }
            Condition::Seen(seen) => {
                let threshold = seen.threshold(self.now).map(|threshold| self.value(threshold));
                let test = match (seen, threshold) {
                    (Seen::Within(_), Some(threshold)) => format!(" and last_sync_time >= {threshold}"),
                    (Seen::NotFor(_), Some(threshold)) => format!(" and last_sync_time < {threshold}"),
                    _ => String::new(),
                };
                // With null the first half is false, whatever the second one is.
                format!("(last_sync_time is not null{test})")
            }
        }
    }

    fn text(&mut self, column: &str, test: &'a TextTest, upper: bool) -> String {
        match test {
            TextTest::Known => format!("({column} <> '')"),
            TextTest::OneOf(texts) => {
                let texts: Vec<String> = texts.iter().map(|text| self.value(text.folded())).collect();
                if texts.is_empty() {
                    "(1 = 0)".to_owned()
                } else {
                    format!("({column} in ({}))", texts.join(", "))
                }
            }
            TextTest::Contains(part) => {
                let part = self.value(part.folded());
                format!("({}({column}, {part}) > 0)", self.find)
            }
            TextTest::StartsWith(part) => {
                let part = self.value(part.folded());
                format!("(substr({column}, 1, length({part})) = {part})")
            }
            TextTest::EndsWith(part) => {
                let part = self.value(part.folded());
                // Of a text that is too short there is less than the part, wherever it begins.
                format!("(substr({column}, length({column}) - length({part}) + 1) = {part})")
            }
            TextTest::Matches(_) if upper => format!("({column} <> '')"),
            TextTest::Matches(_) => "(1 = 0)".to_owned(),
        }
    }

    fn version(&mut self, column: &str, test: &'a VersionTest) -> String {
        match test {
            VersionTest::Known => format!("(length({column}) > 0)"),
            VersionTest::OneOf(versions) => {
                let mut parts = Vec::with_capacity(versions.len());
                for version in versions {
                    parts.push(format!("{column} = {}", self.value(version.key().as_bytes())));
                }
                if parts.is_empty() { "(1 = 0)".to_owned() } else { format!("({})", parts.join(" or ")) }
            }
            VersionTest::Compares(comparison, version) => {
                let key = self.value(version.key().as_bytes());
                format!("(length({column}) > 0 and {column} {} {key})", operator(*comparison))
            }
        }
    }

    /// The place of a value.
    fn value(&mut self, value: impl Into<Value<'a>>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }
}

/// One of the components fits.
fn installed(test: &str) -> String {
    format!(
        "(exists (select 1 from device_components where device_components.device_uuid = devices.uuid and {test}))"
    )
}

fn known_and_any(column: &str, parts: &[String]) -> String {
    if parts.is_empty() {
        format!("(length({column}) > 0)")
    } else {
        format!("(length({column}) > 0 and ({}))", parts.join(" or "))
    }
}

fn operator(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}
