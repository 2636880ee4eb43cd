use proptest::prelude::*;

use super::*;

fn finding(advisory: &str, aliases: &[&str], affected_name: &str) -> Finding {
    Finding {
        advisory: advisory.to_owned(),
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
        source: String::new(),
        summary: String::new(),
        severity: crate::Severity::default(),
        fixed: None,
        affected_name: affected_name.to_owned(),
        compared_version: String::new(),
        references: vec![],
        suppressed: None,
    }
}

fn at(day: &str) -> Timestamp {
    format!("{day}T12:00:00Z").parse().expect("a moment")
}

#[test]
fn a_rule_ignores_what_it_names() {
    let package = Package { name: "linux-libc-dev".to_owned(), ..Package::default() };
    let one = finding("GHSA-a", &["CVE-2024-1"], "linux");
    let update = finding("DSA-1-1", &["CVE-2024-1", "CVE-2024-2"], "linux");
    for (rule, finding, expected) in [
        ("advisory = 'GHSA-a'", &one, true),
        ("advisory = 'CVE-2024-1'", &one, true),
        ("advisory = 'CVE-2024-1'", &update, false),
        ("advisory = 'DSA-1-1'", &update, true),
        ("advisory = 'CVE-2024-9'", &one, false),
        ("package = 'linux-libc-dev'", &one, true),
        ("package = 'linux'", &one, true),
        ("package = 'linux-*'", &one, true),
        ("package = 'linu'", &one, false),
        ("path = 'var/lib/dpkg/**'", &one, true),
        ("path = '/var/lib/dpkg/status'", &one, true),
        ("path = 'srv/**'", &one, false),
        ("advisory = 'CVE-2024-1'\npackage = 'openssl'", &one, false),
        ("advisory = 'CVE-2024-1'\nuntil = 2026-12-31", &one, true),
        ("advisory = 'CVE-2024-1'\nuntil = 2026-11-22", &one, true),
        ("advisory = 'CVE-2024-1'\nuntil = 2026-11-21", &one, false),
    ] {
        let text = format!("\n[[ignore]]\n{rule}\nreason = 'because'\n");
        let rules = Rules::parse("rules.toml", &text).expect(rule);
        let found = rules.suppression(finding, &package, "var/lib/dpkg/status", at("2026-11-22"));
        assert_eq!(found.is_some(), expected, "{rule}");
        if let Some(found) = found {
            assert_eq!((found.by.as_str(), found.reason.as_str()), ("rules.toml, line 2", "because"));
        }
    }
}

#[test]
fn what_has_expired_is_told() {
    let text = "[[ignore]]\nadvisory = 'A'\nreason = 'r'\nuntil = 2026-01-31\n";
    let rules = Rules::parse("rules.toml", text).expect("rules");
    assert_eq!(rules.expired(at("2026-01-31")), Vec::<String>::new());
    let expected = "rules.toml, line 1: the rule was for until 2026-01-31 and is not obeyed any more";
    assert_eq!(rules.expired(at("2026-02-01")), [expected]);
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line() {
    for (text, said) in [
        ("[[ignore]]\nadvisory = 'A'\n", "reason"),
        ("[[ignore]]\nadvisory = 'A'\nreason = ' '\n", "line 1: \"reason\" is empty"),
        ("\n\n[[ignore]]\nreason = 'r'\n", "line 3: a rule for everything is refused"),
        ("[[ignore]]\nadvisory = 'A'\nreason = 'r'\nuntl = 2026-01-01\n", "line 4"),
        ("[[ignored]]\nadvisory = 'A'\n", "unknown field `ignored`"),
        ("[[ignore]]\nadvisory = 'A'\nreason = 'r'\nuntil = 12:00:00\n", "has to be a day"),
        ("[[ignore]]\nadvisory = ''\nreason = 'r'\n", "has to have 1 to"),
        ("advisory", "TOML"),
    ] {
        let error = Rules::parse("rules.toml", text).expect_err(text);
        assert!(error.to_string().contains(said), "{text}: {error}");
    }
    assert!(Rules::parse("rules.toml", "").expect("no rules").rules.is_empty());
}

#[test]
fn patterns_are_those_of_the_shell() {
    for (pattern, text, expected) in [
        ("*", "a", true),
        ("*", "", true),
        ("*", "a/b", false),
        ("**", "a/b", true),
        ("a/**", "a/b/c", true),
        ("a/**", "a", false),
        ("**/b", "b", true),
        ("**/b", "a/c/b", true),
        ("**/b", "ab", false),
        ("a/**/b", "a/b", true),
        ("a/**/b", "a/x/y/b", true),
        ("a/*/b", "a/x/y/b", false),
        ("?", "/", false),
        ("l?nux-*", "linux-image", true),
        ("a*b*c", "aXbYc", true),
        ("a*b*c", "aXbY", false),
        ("ž*", "žluťoučký", true),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
    }
    // What makes a naive matcher slow.
    assert!(!matches(&"*a".repeat(500), &"a".repeat(499)));
}

/// The same by trying everything.
fn naive(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['*', '*', '/', rest @ ..] => {
            naive(rest, text) || (0..text.len()).any(|at| text[at] == '/' && naive(rest, &text[at + 1..]))
        }
        ['*', '*', rest @ ..] => (0..=text.len()).any(|at| naive(rest, &text[at..])),
        ['*', rest @ ..] => (0..=text.len())
            .take_while(|at| *at == 0 || text[at - 1] != '/')
            .any(|at| naive(rest, &text[at..])),
        [sign, rest @ ..] => match text {
            [letter, after @ ..] => {
                (sign == letter || (*sign == '?' && *letter != '/')) && naive(rest, after)
            }
            [] => false,
        },
    }
}

proptest! {
    #[test]
    fn patterns_mean_what_trying_everything_says(pattern in "[ab/?*]{0,6}", text in "[ab/]{0,7}") {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(matches(&pattern, &text), naive(&chars(&pattern), &chars(&text)));
    }

    #[test]
    fn hostile_files_end(file in crate::hostile::file("advisory_rules")) {
        let _ = Rules::parse("hostile", &String::from_utf8_lossy(&file));
    }
}
