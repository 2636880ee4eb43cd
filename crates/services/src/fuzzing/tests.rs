use guardhouse_test_images::seeds::keep;
use proptest::{prelude::*, sample::Index};

use super::*;

/// Rules with conditions of every kind of value.
const RULES: [&str; 2] = [
    r#"{"all":{"rules":[{"condition":{"attribute":"DISPLAY_NAME","operator":"MATCHES","value":"^web-\\d+(a|b)*$"}},
        {"any":{"rules":[{"condition":{"attribute":"AGENT_VERSION","operator":"LESS","value":"1.10.0-rc.1"}},
            {"condition":{"attribute":"LAST_SYNC_TIME","operator":"NOT_SEEN_FOR","value":"14d"}}]}}]}}"#,
    r#"{"not":{"condition":{"attribute":"PRIMARY_LOCAL_IP_ADDRESS","operator":"ONE_OF","values":["192.0.2.0","::1"]}}}"#,
];

/// A cadence of each unit.
const CADENCES: [&str; 3] = [
    r#"{"unit":"HOURS","count":5,"start":"03:30","timeZone":"Europe/Vienna","firstDay":"2026-03-29"}"#,
    r#"{"unit":"DAYS","count":2,"start":"00:00"}"#,
    r#"{"unit":"WEEKS","count":2,"days":["DAY_MONDAY","DAY_SUNDAY"],"start":"23:59","firstDay":"1969-12-29"}"#,
];

/// A text for each parameter.
const TEXTS: [&str; 5] = [
    "https://[::ffff:169.254.169.254]:8443/hook?x=1",
    "http://localhost:8080/",
    r#"{"type":"uuid","target":"s-1,m-2"}"#,
    r#"[{"Type":"cve","Name":"CVE-2024-1","AliasName":"a"},{"name":"b","type":"sca"}]"#,
    r#"[{"name":"instanceName","value":"web"},{"name":"platform","value":"Debian"}]"#,
];

/// A report with everything that there is to report, as the command writes it.
const REPORT: &str = include_str!("../../../report/tests/forms/golden/report.json");

#[test]
fn seeds_are_accepted() {
    let hand_on = |target, seeds: &[&str]| {
        for (number, seed) in seeds.iter().enumerate() {
            keep(target, &number.to_string(), seed.as_bytes());
        }
    };
    for rule in RULES {
        let [asked] = read::<MembershipRule>(rule.as_bytes()).try_into().expect(rule);
        rule::read(&mut Checks::default(), "rule", Some(&asked)).expect(rule);
    }
    hand_on("membership_rules", &RULES);
    for text in CADENCES {
        let [mut asked] = read::<Cadence>(text.as_bytes()).try_into().expect(text);
        let kept = cadence::read(&mut asked, "cadence", Timestamp::UNIX_EPOCH).expect(text);
        assert!(kept.next(Timestamp::UNIX_EPOCH).is_some(), "{text}");
    }
    hand_on("cadences", &CADENCES);
    let accepted = |text: &&str| {
        let accepts = |read: fn(&mut Checks, &str)| {
            let mut checks = Checks::default();
            read(&mut checks, text);
            checks.finish().is_ok()
        };
        webhook::check(text, false).is_ok()
            || accepts(|checks, text| drop(whitelist::read(checks, text.to_owned())))
            || accepts(|checks, text| drop(entries::read(checks, text, None)))
            || accepts(|checks, text| drop(criteria::read(checks, text)))
    };
    assert_eq!(TEXTS.iter().filter(|text| !accepted(text)).collect::<Vec<_>>(), [&TEXTS[0]]);
    hand_on("parameter_texts", &TEXTS);
    let report: Report = serde_json::from_str(REPORT).expect("the report of a scan");
    assert!(!findings::of(&report).0.is_empty());
    hand_on("worker_reports", &[REPORT]);
}

/// A text with some of its bytes changed.
fn changed(text: &str, changes: &[(Index, u8)]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for (place, byte) in changes {
        let place = place.index(bytes.len());
        bytes[place] = *byte;
    }
    bytes
}

fn changes() -> impl Strategy<Value = Vec<(Index, u8)>> {
    let byte = prop::sample::select(b"{}[]\",:.@%-/\\(*+0129aZ\0\n\xff".to_vec());
    prop::collection::vec((any::<Index>(), byte), 0..6)
}

proptest! {
    #[test]
    fn changed_rules_are_accepted_or_refused(rule in prop::sample::select(&RULES), changes in changes()) {
        membership_rule(&changed(rule, &changes));
    }

    #[test]
    fn changed_cadences_are_accepted_or_refused(cadence in prop::sample::select(&CADENCES), changes in changes()) {
        schedule_cadence(&changed(cadence, &changes));
    }

    #[test]
    fn changed_texts_are_accepted_or_refused(text in prop::sample::select(&TEXTS), changes in changes()) {
        parameter_text(&String::from_utf8_lossy(&changed(text, &changes)));
    }

    #[test]
    fn arbitrary_bytes_are_no_danger(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        membership_rule(&bytes);
        schedule_cadence(&bytes);
        worker_report(&bytes);
        parameter_text(&String::from_utf8_lossy(&bytes));
    }
}

proptest! {
    // A report is long.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn changed_reports_are_no_danger(changes in changes()) {
        worker_report(&changed(REPORT, &changes));
    }
}
