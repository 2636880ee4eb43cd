//! Every form of a report that has everything in it, hostile texts included, as a golden file; and what a form says when
//! there is little to say.

mod decisions;
mod sample;

use std::{env, fs, io, path::Path};

use guardhouse_report::{Report, cyclonedx, html, json, sarif, spdx, table, table::Style};
use uuid::Uuid;

/// The number that goes into the documents that want one.
const SERIAL: Uuid = Uuid::from_u128(0x3e67_1687_395b_41f5_a30f_a589_21a6_9b79);

fn text(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut written = Vec::new();
    write(&mut written).expect("a vector takes everything");
    String::from_utf8(written).expect("every form is UTF-8")
}

fn plain_table(report: &Report) -> String {
    text(|out| table::write(report, Style { colour: false, width: Some(120) }, out))
}

/// Compares with a golden file. With `UPDATE_GOLDEN=1` it is written anew.
fn assert_golden(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/forms/golden").join(name);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, found).expect("the golden file can be written");
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    for (index, (expected, found)) in golden.lines().zip(found.lines()).enumerate() {
        assert_eq!(
            expected,
            found,
            "{name}, line {}; UPDATE_GOLDEN=1 cargo test -p guardhouse-report writes it anew",
            index + 1
        );
    }
    assert_eq!(golden.len(), found.len(), "{name} has another length; UPDATE_GOLDEN=1 writes it anew");
}

#[test]
fn the_table_is_the_golden_one() {
    assert_golden("report.txt", &plain_table(&sample::everything()));
}

#[test]
fn a_coloured_table_is_the_plain_one_with_colours() {
    let coloured =
        text(|out| table::write(&sample::everything(), Style { colour: true, width: Some(120) }, out));
    let mut plain = String::new();
    let mut parts = coloured.split('\u{1b}');
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (colour, rest) = part.split_once('m').expect("an escape sequence of a colour");
        assert!(colour.starts_with('[') && colour.len() <= 5, "{colour:?}");
        plain.push_str(rest);
    }
    assert_ne!(coloured, plain);
    assert_eq!(plain, plain_table(&sample::everything()));
}

#[test]
fn json_is_the_golden_one() {
    assert_golden("report.json", &text(|out| json::write(&sample::everything(), out)));
}

#[test]
fn json_can_be_read_back() {
    let written = text(|out| json::write(&sample::everything(), out));
    let report: Report = serde_json::from_str(&written).expect("a report");
    assert_eq!(written, text(|out| json::write(&report, out)));
}

#[test]
fn sarif_is_the_golden_one() {
    assert_golden("report.sarif", &text(|out| sarif::write(&sample::everything(), out)));
}

#[test]
fn cyclonedx_is_the_golden_one() {
    assert_golden("report.cdx.json", &text(|out| cyclonedx::write(&sample::everything(), SERIAL, out)));
}

#[test]
fn spdx_is_the_golden_one() {
    assert_golden("report.spdx.json", &text(|out| spdx::write(&sample::everything(), SERIAL, out)));
}

#[test]
fn html_is_the_golden_one() {
    assert_golden("report.html", &text(|out| html::write(&sample::everything(), out)));
}

#[test]
fn an_empty_report_has_every_form_too() {
    let report = sample::nothing_compared();
    assert_golden("empty.sarif", &text(|out| sarif::write(&report, out)));
    assert_golden("empty.cdx.json", &text(|out| cyclonedx::write(&report, SERIAL, out)));
    assert_golden("empty.spdx.json", &text(|out| spdx::write(&report, SERIAL, out)));
}

#[test]
fn fingerprints_do_not_depend_on_the_scan() {
    let fingerprints = |report: &Report| -> Vec<String> {
        let sarif: serde_json::Value =
            serde_json::from_str(&text(|out| sarif::write(report, out))).expect("JSON");
        let results = sarif["runs"][0]["results"].as_array().expect("results").iter();
        let mut prints: Vec<_> = results.map(|result| result["partialFingerprints"].to_string()).collect();
        prints.sort();
        prints
    };
    let first = sample::everything();
    let mut second = sample::everything();
    second.ended = first.ended + jiff::SignedDuration::from_hours(24);
    second.findings.reverse();
    second.problems.clear();
    let mut distinct = fingerprints(&first);
    distinct.dedup();
    assert_eq!(distinct.len(), first.findings.len());
    assert_eq!(distinct, fingerprints(&second));
}

#[test]
fn no_form_lets_a_text_act() {
    let report = sample::everything();
    let forms = [
        plain_table(&report),
        text(|out| json::write(&report, out)),
        text(|out| sarif::write(&report, out)),
        text(|out| cyclonedx::write(&report, SERIAL, out)),
        text(|out| spdx::write(&report, SERIAL, out)),
        text(|out| html::write(&report, out)),
    ];
    for form in &forms {
        let acting = form.chars().find(|character| {
            (character.is_control() && *character != '\n')
                || matches!(character, '\u{202a}'..='\u{202e}' | '\u{200b}')
        });
        assert_eq!(acting, None);
    }
    let page = text(|out| html::write(&report, out));
    for markup in ["<script", "<img", "javascript:", "onerror=\""] {
        assert!(!page.to_lowercase().contains(markup), "{markup}");
    }
}

#[test]
fn nothing_found_is_only_said_with_what_was_compared() {
    let report = plain_table(&sample::clean());
    assert!(
        report.contains(
            "Found: 0 vulnerabilities among 1 package.\nCompared with:\n  debian: 40000 advisories"
        ),
        "{report}"
    );
    assert!(report.contains("imported 2026-11-20 (2 days ago)"), "{report}");
}

#[test]
fn nothing_compared_is_not_nothing_found() {
    let report = sample::nothing_compared();
    let table = plain_table(&report);
    assert!(table.contains("NOTHING WAS COMPARED: there are no advisories."), "{table}");
    assert!(!table.contains("0 vulnerabilities"), "{table}");
    let page = text(|out| html::write(&report, out));
    assert!(page.contains("Nothing was compared: there are no advisories"), "{page}");
    assert!(!page.contains("0 vulnerabilities among"), "{page}");
}

#[test]
fn a_volume_that_was_not_read_is_said_before_the_result() {
    let mut report = sample::clean();
    report.problems = sample::everything().problems;
    let table = plain_table(&report);
    let problem = table.find("NOT SCANNED WHOLLY").expect("the problems");
    let result =
        table.find("Found: 0 vulnerabilities among 1 package, in what could be scanned").expect("the result");
    assert!(problem < result, "{table}");
    let page = text(|out| html::write(&report, out));
    let problem = page.find("Not scanned wholly").expect("the problems");
    let result =
        page.find("0 vulnerabilities among 1 package, in what could be scanned").expect("the result");
    assert!(problem < result, "{page}");
}

#[test]
fn every_form_says_what_was_not_run() {
    let mut report = sample::clean();
    let forms = |report: &Report| {
        [
            plain_table(report),
            text(|out| cyclonedx::write(report, SERIAL, out)),
            text(|out| spdx::write(report, SERIAL, out)),
            text(|out| html::write(report, out)),
        ]
    };
    assert!(forms(&report).iter().all(|form| form.contains("binary, webshell")));
    for project in &mut report.projects {
        project.run = true;
    }
    assert!(!forms(&report).iter().any(|form| form.contains("binary") || form.contains("ot run")));
}

#[test]
fn many_problems_of_a_kind_are_counted() {
    let mut report = sample::clean();
    let problem = sample::everything().problems.swap_remove(0);
    report.problems = vec![problem; 25];
    let table = plain_table(&report);
    assert!(table.contains("NOT SCANNED WHOLLY: 25 problems"), "{table}");
    assert!(table.contains(": 5 more; the JSON form lists them all"), "{table}");
}
