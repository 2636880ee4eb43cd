//! Reads a rule as clients send it. Everything that is wrong in it is noted with its path.

use guardhouse_contract::management::{self, MembershipRule, MembershipRules, membership_rule::Kind};
use guardhouse_model::dynamic_groups::{MAX_CONDITIONS, MAX_DEPTH, Rule};

use crate::{dynamic_groups::condition, fields::Checks};

/// Most errors of one rule that are told; who has more made the same one again and again.
const MOST_ERRORS: usize = 100;

/// Reads the rule at `path`. `None`: something is wrong, and was noted.
pub fn read(checks: &mut Checks, path: &str, rule: Option<&MembershipRule>) -> Option<Rule> {
    let mut reader = Reader { checks, conditions: 0, errors: 0 };
    let rule = match rule {
        Some(rule) => reader.rule(path, rule, 1),
        None => reader.fail(path, "is missing; name which devices the group has"),
    };
    if reader.conditions > MAX_CONDITIONS {
        let conditions = reader.conditions;
        return reader
            .fail(path, format!("has {conditions} conditions; at most {MAX_CONDITIONS} are allowed"));
    }
    rule.filter(|_| reader.errors == 0)
}

/// What was read of a rule so far.
pub struct Reader<'a> {
    checks: &'a mut Checks,
    conditions: usize,
    errors: usize,
}

impl Reader<'_> {
    /// Notes that something is wrong at `path`.
    pub fn fail<T>(&mut self, path: impl Into<String>, wrong: impl Into<String>) -> Option<T> {
        self.errors += 1;
        if self.errors <= MOST_ERRORS {
            self.checks.fail(path, wrong);
        }
        None
    }

    fn rule(&mut self, path: &str, rule: &MembershipRule, depth: usize) -> Option<Rule> {
        if depth > MAX_DEPTH {
            return self.fail(path, format!("is nested too deep; rules nest at most {MAX_DEPTH} levels"));
        }
        match &rule.kind {
            None => self.fail(path, "is empty; set one of \"all\", \"any\", \"not\" and \"condition\""),
            Some(Kind::All(rules)) => self.rules(&format!("{path}.all"), rules, depth).map(Rule::All),
            Some(Kind::Any(rules)) => self.rules(&format!("{path}.any"), rules, depth).map(Rule::Any),
            Some(Kind::Not(rule)) => {
                let rule = self.rule(&format!("{path}.not"), rule, depth + 1)?;
                Some(Rule::Not(Box::new(rule)))
            }
            Some(Kind::Condition(condition)) => {
                self.conditions += 1;
                self.condition(&format!("{path}.condition"), condition)
            }
        }
    }

    fn rules(&mut self, path: &str, rules: &MembershipRules, depth: usize) -> Option<Vec<Rule>> {
        let mut read = Vec::with_capacity(rules.rules.len().min(MAX_CONDITIONS));
        for (index, rule) in rules.rules.iter().enumerate() {
            // Also of empty rules there are no more than of conditions.
            if index == MAX_CONDITIONS {
                return self.fail(path, format!("has more than {MAX_CONDITIONS} rules"));
            }
            read.extend(self.rule(&format!("{path}.rules[{index}]"), rule, depth + 1));
        }
        Some(read)
    }

    fn condition(&mut self, path: &str, asked: &management::MembershipCondition) -> Option<Rule> {
        condition::read(self, path, asked).map(Rule::Condition)
    }
}
