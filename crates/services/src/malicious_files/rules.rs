//! Rules that take files for good: what requests say of them, and how they are shown.

use guardhouse_contract::{
    Status,
    agentless::{
        MaliciousFileWhitelistConfig, MaliciousFileWhitelistConfigChange,
        UpdateMaliciousFileWhitelistConfigRequest,
    },
};
use guardhouse_store::{MaliciousRule, MaliciousRuleChange, MaliciousRuleRefusal, RuleScope};

use super::words;
use crate::fields::Checks;

/// Every name of a malicious file, and every asset.
const ALL: &str = "ALL";
/// The assets of a selection.
const SELECTION: &str = "SELECTION_KEY";
/// What a rule looks at.
const FIELD: &str = "fileMd5";
/// How it compares.
const OPERATOR: &str = "strEqual";
/// Which scans it is about.
const SOURCE: &str = "agentless";

/// What a request says of a rule, apart from its id and its remark.
pub struct Asked<'a> {
    /// `EventName`.
    pub event_name: &'a str,
    /// `Field`.
    pub field: &'a str,
    /// `FieldValue`.
    pub field_value: &'a str,
    /// `Operator`.
    pub operator: &'a str,
    /// `Source`.
    pub source: &'a str,
    /// `TargetType`.
    pub target_type: &'a str,
    /// `TargetValue`.
    pub target_value: &'a str,
}

impl<'a> From<&'a UpdateMaliciousFileWhitelistConfigRequest> for Asked<'a> {
    fn from(request: &'a UpdateMaliciousFileWhitelistConfigRequest) -> Self {
        Self {
            event_name: &request.event_name,
            field: &request.field,
            field_value: &request.field_value,
            operator: &request.operator,
            source: &request.source,
            target_type: &request.target_type,
            target_value: &request.target_value,
        }
    }
}

impl<'a> From<&'a MaliciousFileWhitelistConfigChange> for Asked<'a> {
    fn from(change: &'a MaliciousFileWhitelistConfigChange) -> Self {
        Self {
            event_name: &change.event_name,
            field: &change.field,
            field_value: &change.field_value,
            operator: &change.operator,
            source: &change.source,
            target_type: &change.target_type,
            target_value: &change.target_value,
        }
    }
}

impl Asked<'_> {
    /// The change that is asked for. Where `place` is given, parameters are those of that element of `ConfigList`.
    pub fn read(
        &self,
        checks: &mut Checks,
        id: Option<i64>,
        remark: Option<String>,
        place: Option<usize>,
    ) -> MaliciousRuleChange {
        for (name, word, known) in [
            ("EventName", self.event_name, ALL),
            ("Field", self.field, FIELD),
            ("Operator", self.operator, OPERATOR),
        ] {
            if ![known, ""].contains(&word) {
                checks.fail(parameter(name, place), format!("is {word:?}; only {known} is possible here"));
            }
        }
        source_at(checks, &parameter("Source", place), self.source);
        let value = parameter("FieldValue", place);
        let md5 = match (self.field_value, id) {
            ("", Some(_)) => None,
            ("", None) => {
                checks.fail(value, "is missing: a new rule needs the MD5 of the files that it is about");
                None
            }
            (text, _) => Some(words::md5(checks, &value, text)),
        };
        if let Some(remark) = &remark {
            words::text(checks, &parameter("Remark", place), remark);
        }
        MaliciousRuleChange { id, md5, remark, scope: self.scope(checks, place) }
    }

    /// On which assets; `None`: that is not said.
    fn scope(&self, checks: &mut Checks, place: Option<usize>) -> Option<RuleScope> {
        let mut wrong = |name, why: String| {
            checks.fail(parameter(name, place), why);
            None
        };
        let value = self.target_value;
        match self.target_type {
            "" if value.is_empty() => None,
            "" | ALL if ["", ALL].contains(&value) => Some(RuleScope::All),
            "" | ALL => {
                wrong("TargetValue", format!("is {value:?}; only {ALL} goes with the TargetType {ALL}"))
            }
            SELECTION => match value.parse().ok().filter(|key| *key > 0) {
                Some(key) => Some(RuleScope::Selection(key)),
                None => wrong(
                    "TargetValue",
                    format!("is {value:?}; the key of a selection is needed, which is a number like 123456"),
                ),
            },
            other => wrong("TargetType", format!("is {other:?}; only {ALL} and {SELECTION} are possible")),
        }
    }
}

/// Checks `Source`.
pub fn source(checks: &mut Checks, word: &str) {
    source_at(checks, "Source", word);
}

/// Checks `EventName`, by which rules are listed.
pub fn event_name(checks: &mut Checks, word: &str) {
    if ![ALL, ""].contains(&word) {
        checks.fail("EventName", format!("is {word:?}; only {ALL} is possible here"));
    }
}

fn source_at(checks: &mut Checks, field: &str, word: &str) {
    if ![SOURCE, ""].contains(&word) {
        checks.fail(field, format!("is {word:?}; only {SOURCE} is possible here"));
    }
}

/// A parameter as clients spell it.
fn parameter(name: &str, place: Option<usize>) -> String {
    place.map_or_else(|| name.to_owned(), |place| format!("ConfigList[{place}].{name}"))
}

/// Why rules were not changed.
pub fn refused(refusal: &MaliciousRuleRefusal, changes: &[Option<i64>], is_batch: bool) -> Status {
    let named = |name, place| parameter(name, is_batch.then_some(place));
    match *refusal {
        MaliciousRuleRefusal::NotFound(place) => {
            let id = changes.get(place).copied().flatten().unwrap_or_default();
            Status::invalid_field(named("ConfigId", place), format!("is {id}; there is no such rule"))
        }
        MaliciousRuleRefusal::Taken(place, Some(other)) => Status::invalid_field(
            named("FieldValue", place),
            format!("is that of rule {other} already: change or delete that one"),
        ),
        MaliciousRuleRefusal::Taken(place, None) => {
            Status::invalid_field(named("FieldValue", place), "is that of an element before it, too")
        }
        MaliciousRuleRefusal::NoSelection(place) => Status::invalid_field(
            named("TargetValue", place),
            "there is no such selection; CreateAssetSelectionConfig makes one",
        ),
    }
}

/// That there is no rule with this id.
pub fn unknown(field: &str, ids: &[i64]) -> Status {
    let ids: Vec<_> = ids.iter().map(i64::to_string).collect();
    Status::invalid_field(field, format!("has {}; there is no such rule", ids.join(", ")))
}

/// A rule, as it is shown.
pub fn shown(rule: MaliciousRule) -> MaliciousFileWhitelistConfig {
    let (target_type, target_value) = match rule.says.scope {
        RuleScope::All => (ALL, ALL.to_owned()),
        RuleScope::Selection(key) => (SELECTION, key.to_string()),
    };
    MaliciousFileWhitelistConfig {
        count: String::new(),
        event_name: ALL.to_owned(),
        field: FIELD.to_owned(),
        field_value: rule.says.md5,
        gmt_create: rule.create_time.as_millisecond().to_string(),
        gmt_modified: rule.update_time.as_millisecond().to_string(),
        id: rule.id,
        operator: OPERATOR.to_owned(),
        remark: rule.says.remark,
        source: SOURCE.to_owned(),
        target_type: target_type.to_owned(),
        target_value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Asked<'static> = Asked {
        event_name: "",
        field: "",
        field_value: "",
        operator: "",
        source: "",
        target_type: "",
        target_value: "",
    };
    const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

    #[test]
    fn a_rule_is_about_an_md5() {
        let mut checks = Checks::default();
        let whole = Asked {
            event_name: "ALL",
            field: "fileMd5",
            field_value: &MD5.to_uppercase(),
            operator: "strEqual",
            source: "agentless",
            target_type: "ALL",
            target_value: "ALL",
        };
        let read = whole.read(&mut checks, None, Some("why".to_owned()), None);
        let expected = MaliciousRuleChange {
            id: None,
            md5: Some(MD5.to_owned()),
            remark: Some("why".to_owned()),
            scope: Some(RuleScope::All),
        };
        assert_eq!(read, expected);
        assert_eq!(NOTHING.read(&mut checks, Some(7), None, None).md5, None, "it stays");
        checks.finish().expect("good");
    }

    #[test]
    fn a_rule_may_be_about_a_selection() {
        for (target_type, target_value, expected) in [
            ("", "", Ok(None)),
            ("ALL", "", Ok(Some(RuleScope::All))),
            ("", "ALL", Ok(Some(RuleScope::All))),
            ("SELECTION_KEY", "123456", Ok(Some(RuleScope::Selection(123_456)))),
            ("SELECTION_KEY", "", Err("TargetValue")),
            ("SELECTION_KEY", "ALL", Err("TargetValue")),
            ("SELECTION_KEY", "-1", Err("TargetValue")),
            ("ALL", "123456", Err("TargetValue")),
            ("", "123456", Err("TargetValue")),
            ("GROUP", "1", Err("TargetType")),
        ] {
            let mut checks = Checks::default();
            let read = Asked { target_type, target_value, ..NOTHING }.read(&mut checks, Some(1), None, None);
            let checked = checks.finish().map_err(|status| status.violations()[0].field.clone());
            let expected = expected.map_err(str::to_owned);
            assert_eq!(checked.map(|()| read.scope), expected, "{target_type} {target_value}");
        }
    }

    #[test]
    fn everything_else_is_refused_by_its_name() {
        let table = [
            (Asked { event_name: "Trojan", ..NOTHING }, "EventName"),
            (Asked { field: "path", ..NOTHING }, "Field"),
            (Asked { field_value: "abc", ..NOTHING }, "FieldValue"),
            (Asked { operator: "contains", ..NOTHING }, "Operator"),
            (Asked { source: "image", ..NOTHING }, "Source"),
            (Asked { target_type: "GROUP", ..NOTHING }, "TargetType"),
            (Asked { target_value: "1", ..NOTHING }, "TargetValue"),
        ];
        for (asked, name) in table {
            let mut checks = Checks::default();
            asked.read(&mut checks, Some(1), None, Some(2));
            let status = checks.finish().expect_err(name);
            assert_eq!(status.violations()[0].field, format!("ConfigList[2].{name}"));
        }
        let mut checks = Checks::default();
        NOTHING.read(&mut checks, None, None, None);
        assert_eq!(checks.finish().expect_err("no value").violations()[0].field, "FieldValue");
    }

    #[test]
    fn refusals_name_their_place() {
        let field = |refusal, is_batch| {
            let status = refused(&refusal, &[None, Some(9)], is_batch);
            let violation = &status.violations()[0];
            (violation.field.clone(), violation.description.clone())
        };
        let (name, why) = field(MaliciousRuleRefusal::NotFound(1), true);
        assert_eq!((name.as_str(), why.contains('9')), ("ConfigList[1].ConfigId", true));
        let (name, why) = field(MaliciousRuleRefusal::Taken(0, Some(4)), false);
        assert_eq!((name.as_str(), why.contains("rule 4")), ("FieldValue", true));
        assert_eq!(field(MaliciousRuleRefusal::Taken(1, None), true).0, "ConfigList[1].FieldValue");
        assert_eq!(field(MaliciousRuleRefusal::NoSelection(0), false).0, "TargetValue");
    }
}
