//! Parameters of malicious files.

use guardhouse_model::agentless::{MaliciousLevel, MaliciousOperation, MaliciousType};
use guardhouse_store::Likeness;

use crate::fields::{Checks, LONGEST_DESCRIPTION};

/// Reads `Levels`: words with commas between them; of none, all are wanted.
pub fn levels(checks: &mut Checks, words: &str) -> Vec<MaliciousLevel> {
    let mut levels = Vec::new();
    for word in words.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match MaliciousLevel::named(word) {
            Some(level) => levels.push(level),
            None => {
                checks.fail("Levels", format!("has {word:?}; serious, suspicious and remind are known"));
            }
        }
    }
    levels
}

/// Reads `MaliciousType`, in either language; empty: it does not matter.
pub fn kind(checks: &mut Checks, name: &str) -> Option<MaliciousType> {
    let kind = MaliciousType::named(name);
    if kind.is_none() && !name.is_empty() {
        let wrong = format!("is {name:?}; WebShell, Malicious Software and Malicious Script are known");
        checks.fail("MaliciousType", wrong);
    }
    kind
}

/// Reads `Dealed`; empty: it does not matter.
pub fn dealed(checks: &mut Checks, word: &str) -> Option<bool> {
    match word {
        "" => None,
        "Y" | "y" => Some(true),
        "N" | "n" => Some(false),
        _ => {
            checks.fail("Dealed", format!("is {word:?}; Y and N are known"));
            None
        }
    }
}

/// Reads `Operation`.
pub fn operation(checks: &mut Checks, word: &str) -> Option<MaliciousOperation> {
    let operation = MaliciousOperation::named(word);
    if operation.is_none() {
        let known = MaliciousOperation::ALL.map(MaliciousOperation::word).join(", ");
        checks.fail("Operation", format!("is {word:?}; known are {known}"));
    }
    operation
}

/// Reads `Scenario`.
pub fn scenario(checks: &mut Checks, word: &str) -> Likeness {
    match word {
        "" | "default" => Likeness::Type,
        "same_file_md5" => Likeness::Md5,
        _ => {
            checks.fail("Scenario", format!("is {word:?}; default and same_file_md5 are known"));
            Likeness::Type
        }
    }
}

/// Reads an MD5, as it is kept.
pub fn md5(checks: &mut Checks, field: &str, text: &str) -> String {
    let md5 = text.trim().to_ascii_lowercase();
    if md5.len() != 32 || !md5.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        checks.fail(field, format!("is {text:?}; an MD5 has 32 hexadecimal digits"));
    }
    md5
}

/// Checks a text that people write.
pub fn text(checks: &mut Checks, field: &str, text: &str) {
    let length = text.chars().count();
    if length > LONGEST_DESCRIPTION {
        checks.fail(field, format!("has {length} characters; at most {LONGEST_DESCRIPTION} are kept"));
    }
    if text.contains('\0') {
        checks.fail(field, "has a character of the number 0, which is not kept");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(read: impl FnOnce(&mut Checks)) -> Vec<String> {
        let mut checks = Checks::default();
        read(&mut checks);
        let status = checks.finish().err();
        status.iter().flat_map(|status| status.violations()).map(|one| one.field.clone()).collect()
    }

    #[test]
    fn words_are_read() {
        let mut checks = Checks::default();
        let both = [MaliciousLevel::Serious, MaliciousLevel::Remind];
        assert_eq!(levels(&mut checks, "serious, remind,"), both);
        assert_eq!(levels(&mut checks, ""), []);
        assert_eq!(kind(&mut checks, "恶意脚本"), Some(MaliciousType::Script));
        assert_eq!(kind(&mut checks, ""), None);
        assert_eq!(
            [dealed(&mut checks, "y"), dealed(&mut checks, "N"), dealed(&mut checks, "")],
            [Some(true), Some(false), None]
        );
        assert_eq!(operation(&mut checks, "mark_mis_info"), Some(MaliciousOperation::MarkMisInfo));
        assert_eq!(
            (scenario(&mut checks, ""), scenario(&mut checks, "same_file_md5")),
            (Likeness::Type, Likeness::Md5)
        );
        assert_eq!(md5(&mut checks, "FieldValue", &"Ab".repeat(16)), "ab".repeat(16));
        text(&mut checks, "Note", "ä");
        checks.finish().expect("all are good");
    }

    #[test]
    fn what_is_not_known_is_refused_by_its_name() {
        assert_eq!(
            wrong(|checks| {
                levels(checks, "serious,high");
            }),
            ["Levels"]
        );
        assert_eq!(
            wrong(|checks| {
                kind(checks, "webshell");
            }),
            ["MaliciousType"]
        );
        assert_eq!(
            wrong(|checks| {
                dealed(checks, "yes");
            }),
            ["Dealed"]
        );
        assert_eq!(
            wrong(|checks| {
                operation(checks, "delete");
            }),
            ["Operation"]
        );
        assert_eq!(
            wrong(|checks| {
                scenario(checks, "same");
            }),
            ["Scenario"]
        );
        for text in ["", "12", &"g".repeat(32), &"0".repeat(33)] {
            assert_eq!(
                wrong(|checks| {
                    md5(checks, "FieldValue", text);
                }),
                ["FieldValue"],
                "{text}"
            );
        }
        assert_eq!(wrong(|checks| text(checks, "Note", "a\0")), ["Note"]);
        assert_eq!(wrong(|checks| text(checks, "Note", &"ä".repeat(LONGEST_DESCRIPTION + 1))), ["Note"]);
    }
}
