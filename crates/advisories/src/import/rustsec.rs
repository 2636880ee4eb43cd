//! RustSec's advisory database (<https://github.com/RustSec/advisory-db>): Markdown that begins with TOML.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use semver::{BuildMetadata, Comparator, Op, Prerelease, Version, VersionReq};
use serde::Deserialize;

use crate::{
    Advisory, Affected, AffectedPackage, Severity,
    affected::Event,
    import::{ImportError, Intake},
};

#[derive(Debug, Deserialize)]
struct FrontMatter {
    advisory: About,
    #[serde(default)]
    versions: Versions,
}

#[derive(Debug, Deserialize)]
struct About {
    id: String,
    package: String,
    date: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    cvss: Option<String>,
    informational: Option<String>,
    withdrawn: Option<toml::Value>,
    url: Option<String>,
    #[serde(default)]
    references: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Versions {
    #[serde(default)]
    patched: Vec<String>,
    #[serde(default)]
    unaffected: Vec<String>,
}

/// Reads an advisory.
pub(super) fn read(place: &str, bytes: &[u8], intake: &mut Intake<'_, '_>) -> Result<(), ImportError> {
    let (front, body) = match parse(bytes) {
        Ok(parsed) => parsed,
        Err(reason) => {
            intake.tally.skip(place, reason);
            return Ok(());
        }
    };
    intake.tally.format_is("rustsec");
    let about = front.advisory;
    intake.tally.changed(about.date.as_deref().and_then(midnight));
    if let Some(reason) = left_out(&about) {
        intake.tally.leave_out(reason);
        return Ok(());
    }
    let affected = match vulnerable(&front.versions.patched, &front.versions.unaffected) {
        Ok(events) => Affected { ranges: vec![events], ..Affected::default() },
        Err(error) => {
            intake.tally.skip(place, error);
            return Ok(());
        }
    };
    let page = format!("https://rustsec.org/advisories/{}.html", about.id);
    let advisory = Advisory {
        id: about.id,
        aliases: about.aliases,
        summary: title(body).to_owned(),
        severity: Severity::of_vectors(about.cvss.as_deref()).unwrap_or_default(),
        references: [page].into_iter().chain(about.url).chain(about.references).collect(),
    };
    match intake.writer.advisory(&advisory.tidied())? {
        Some(written) => {
            let ecosystem = "crates.io".to_owned();
            intake.writer.affected(written, &AffectedPackage { ecosystem, name: about.package, affected })?;
        }
        None => intake.tally.leave_out("a second advisory with the same id"),
    }
    Ok(())
}

fn parse(bytes: &[u8]) -> Result<(FrontMatter, &str), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let text = text.strip_prefix("```toml").ok_or("it does not begin with ```toml")?;
    let (toml, body) = text.split_once("\n```").ok_or("the line ``` after the TOML is missing")?;
    Ok((toml::from_str(toml).map_err(|error| error.to_string())?, body))
}

/// Why an advisory is not kept. Unsound code is a fault of the crate; a crate that nobody maintains is none yet.
fn left_out(about: &About) -> Option<&'static str> {
    if about.withdrawn.is_some() {
        return Some("withdrawn");
    }
    // The Rust project's own tools are listed beside the crates, and a crate may have the name of one.
    if !about.id.starts_with("RUSTSEC-") {
        return Some("about Rust's own tools, not about a crate");
    }
    match about.informational.as_deref() {
        None | Some("unsound") => None,
        Some(_) => Some("no vulnerability: unmaintained, or a notice"),
    }
}

fn midnight(date: &str) -> Option<Timestamp> {
    date.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp())
}

fn title(body: &str) -> &str {
    body.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default().trim()
}

/// The versions from the first (itself included; `None`: from the beginning) up to the second (not included).
type Stretch = (Option<Version>, Option<Version>);

/// What lies between the versions that are known to be good.
fn vulnerable(patched: &[String], unaffected: &[String]) -> Result<Vec<Event>, String> {
    let mut good = Vec::new();
    for text in patched.iter().chain(unaffected) {
        let requirement = VersionReq::parse(text).map_err(|error| format!("{text:?}: {error}"))?;
        good.extend(stretch(&requirement).ok_or_else(|| format!("{text:?} is not understood"))?);
    }
    // `None` sorts first, as a beginning should.
    good.sort();
    let mut events = Vec::new();
    let mut begin = Some(None);
    for (from, to) in good {
        let Some(bad_from) = &begin else { break };
        if from > *bad_from
            && let Some(from) = &from
        {
            events.push(introduced(bad_from.as_ref()));
            events.push(Event::Fixed(from.to_string()));
        }
        match to {
            Some(to) if begin.as_ref().is_some_and(|begin| begin.as_ref() < Some(&to)) => {
                begin = Some(Some(to))
            }
            Some(_) => {}
            None => begin = None,
        }
    }
    if let Some(bad_from) = begin {
        events.push(introduced(bad_from.as_ref()));
    }
    Ok(events)
}

fn introduced(version: Option<&Version>) -> Event {
    Event::Introduced(version.map_or_else(|| "0".to_owned(), Version::to_string))
}

/// The versions that a requirement allows: one stretch, or none. Outer `None`: an operator that is not known.
fn stretch(requirement: &VersionReq) -> Option<Option<Stretch>> {
    let mut whole: Stretch = (None, None);
    for comparator in &requirement.comparators {
        let (from, to) = bounds(comparator)?;
        whole.0 = whole.0.max(from);
        whole.1 = match (whole.1, to) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
    let is_empty = matches!(&whole, (Some(from), Some(to)) if from >= to);
    Some((!is_empty).then_some(whole))
}

fn bounds(comparator: &Comparator) -> Option<Stretch> {
    let Comparator { op, major, minor, patch, pre } = comparator;
    let lowest = Version { pre: pre.clone(), ..Version::new(*major, minor.unwrap_or(0), patch.unwrap_or(0)) };
    // The first version that does not begin with the parts that are given.
    let after_parts = match (minor, patch) {
        (Some(_), Some(_)) => next(&lowest),
        (Some(minor), None) => Some(first(*major, minor.checked_add(1)?, 0)),
        (None, _) => Some(first(major.checked_add(1)?, 0, 0)),
    };
    let after_caret = || match (*major, *minor, *patch) {
        (0, Some(0), Some(patch)) => Some(first(0, 0, patch.checked_add(1)?)),
        (0, Some(minor), _) => Some(first(0, minor.checked_add(1)?, 0)),
        (major, ..) => Some(first(major.checked_add(1)?, 0, 0)),
    };
    Some(match op {
        Op::Exact | Op::Wildcard => (Some(lowest), Some(after_parts?)),
        Op::Greater => (Some(after_parts?), None),
        Op::GreaterEq => (Some(lowest), None),
        Op::Less => (None, Some(lowest)),
        Op::LessEq => (None, Some(after_parts?)),
        Op::Tilde => {
            let end = match minor {
                Some(minor) => first(*major, minor.checked_add(1)?, 0),
                None => first(major.checked_add(1)?, 0, 0),
            };
            (Some(lowest), Some(end))
        }
        Op::Caret => (Some(lowest), Some(after_caret()?)),
        _ => return None,
    })
}

/// The first of all versions with these numbers, which is a pre-release.
fn first(major: u64, minor: u64, patch: u64) -> Version {
    let pre = Prerelease::new("0").unwrap_or(Prerelease::EMPTY);
    Version { major, minor, patch, pre, build: BuildMetadata::EMPTY }
}

/// The version right after another one.
fn next(version: &Version) -> Option<Version> {
    if version.pre.is_empty() {
        return Some(first(version.major, version.minor, version.patch.checked_add(1)?));
    }
    let pre = Prerelease::new(&format!("{}.0", version.pre)).ok()?;
    Some(Version { pre, ..version.clone() })
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::*;

    use super::*;

    fn events(patched: &[&str], unaffected: &[&str]) -> String {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let events = vulnerable(&owned(patched), &owned(unaffected)).expect("understood");
        let shown = |event: &Event| match event {
            Event::Introduced(version) => format!("[{version}"),
            Event::Fixed(version) => format!("{version})"),
            _ => "?".to_owned(),
        };
        events.iter().map(shown).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_not_good_is_vulnerable() {
        for (patched, unaffected, expected) in [
            (&[][..], &[][..], "[0"),
            (&[">= 1.2.3"], &[], "[0 1.2.3)"),
            (&["> 1.2.3"], &[], "[0 1.2.4-0)"),
            (&[">= 1.2.3"], &["< 1.0.0"], "[1.0.0 1.2.3)"),
            (&[">= 1.2.3"], &["<= 1.0.0"], "[1.0.1-0 1.2.3)"),
            (&["^0.4.13", ">= 0.5.3"], &[], "[0 0.4.13) [0.5.0-0 0.5.3)"),
            (&[">= 0.9.1, < 0.10", ">= 0.10.2"], &[], "[0 0.9.1) [0.10.0 0.10.2)"),
            (&["~1.4"], &[], "[0 1.4.0) [1.5.0-0"),
            (&["= 1.0.0"], &[], "[0 1.0.0) [1.0.1-0"),
            (&["1.*"], &[], "[0 1.0.0) [2.0.0-0"),
            (&["^0.0.3"], &[], "[0 0.0.3) [0.0.4-0"),
            (&["> 1.0.0-alpha.1"], &[], "[0 1.0.0-alpha.1.0)"),
            (&[">= 2", ">= 1"], &["< 1.5"], ""),
            (&["*"], &[], ""),
            (&["> 2, < 1"], &[], "[0"),
        ] {
            assert_eq!(events(patched, unaffected), expected, "{patched:?} {unaffected:?}");
        }
        assert!(vulnerable(&["newest".to_owned()], &[]).is_err());
    }

    proptest! {
        /// Of versions without pre-releases, requirements mean what the crate `semver` says.
        #[test]
        fn requirements_mean_what_cargo_says(
            texts in proptest::collection::vec(
                "(=|>|>=|<|<=|~|\\^) ?[0-3]\\.[0-3](\\.[0-3])?(, (>|>=|<|<=) ?[0-3]\\.[0-3]\\.[0-3])?", 0..4),
            version in "[0-4]\\.[0-4]\\.[0-4]",
        ) {
            let version: Version = version.parse().expect("a version");
            let matches = |text: &String| VersionReq::parse(text).expect("a requirement").matches(&version);
            let expected = !texts.iter().any(matches);
            let affected = Affected { ranges: vec![vulnerable(&texts, &[]).expect("understood")], ..Affected::default() };
            let order = |left: &str, right: &str| -> Result<Ordering, semver::Error> {
                Ok(left.parse::<Version>()?.cmp(&right.parse()?))
            };
            prop_assert_eq!(affected.holds(&version.to_string(), &order).expect("versions"), expected, "{:?}", texts);
        }
    }
}
