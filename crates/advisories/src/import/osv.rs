//! Advisories in the OSV format (<https://ossf.github.io/osv-schema/>).

use std::{borrow::Cow, cmp::Ordering, collections::BTreeMap};

use guardhouse_packages::Kind;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Advisory, Affected, AffectedPackage, Severity,
    affected::Event,
    ecosystem,
    import::Intake,
    store::StoreError,
    version::{NotAVersion, Version},
};

/// An advisory, as far as it is read.
#[derive(Debug, Deserialize)]
struct Osv {
    id: String,
    modified: Option<String>,
    withdrawn: Option<Value>,
    #[serde(default, deserialize_with = "or_nothing")]
    aliases: Vec<String>,
    #[serde(default, deserialize_with = "or_nothing")]
    upstream: Vec<String>,
    #[serde(default, deserialize_with = "or_nothing")]
    related: Vec<String>,
    summary: Option<String>,
    details: Option<String>,
    #[serde(default, deserialize_with = "or_nothing")]
    severity: Vec<Rating>,
    #[serde(default, deserialize_with = "or_nothing")]
    affected: Vec<OsvAffected>,
    #[serde(default, deserialize_with = "or_nothing")]
    references: Vec<Reference>,
    #[serde(default)]
    database_specific: Value,
}

#[derive(Debug, Deserialize)]
struct Rating {
    r#type: String,
    score: String,
}

#[derive(Debug, Deserialize)]
struct Reference {
    #[serde(default)]
    r#type: String,
    url: String,
}

#[derive(Debug, Deserialize)]
struct OsvAffected {
    package: Option<OsvPackage>,
    #[serde(default, deserialize_with = "or_nothing")]
    severity: Vec<Rating>,
    #[serde(default, deserialize_with = "or_nothing")]
    ranges: Vec<OsvRange>,
    #[serde(default, deserialize_with = "or_nothing")]
    versions: Vec<String>,
    #[serde(default)]
    ecosystem_specific: Value,
    #[serde(default)]
    database_specific: Value,
}

#[derive(Debug, Deserialize)]
struct OsvPackage {
    ecosystem: String,
    name: String,
    #[serde(default)]
    purl: Option<String>,
}

#[derive(Debug, Deserialize)]
struct OsvRange {
    r#type: String,
    #[serde(default, deserialize_with = "or_nothing")]
    events: Vec<OsvEvent>,
}

#[derive(Debug, Deserialize)]
struct OsvEvent {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
    limit: Option<String>,
}

/// A list, for which some sources write `null`.
fn or_nothing<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Reads an advisory.
pub(super) fn read(place: &str, value: Value, intake: &mut Intake<'_, '_>) -> Result<(), StoreError> {
    let id = value.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let osv = match Osv::deserialize(value) {
        Ok(osv) if !osv.id.is_empty() => osv,
        Ok(_) => {
            intake.tally.skip(place, "the member \"id\" is empty");
            return Ok(());
        }
        Err(error) => {
            let place = if id.is_empty() { place.to_owned() } else { format!("{place} ({id})") };
            intake.tally.skip(place, format!("no advisory in the OSV format: {error}"));
            return Ok(());
        }
    };
    intake.tally.format_is("osv");
    intake.tally.changed(osv.modified.as_deref().and_then(|time| time.parse::<Timestamp>().ok()));
    if osv.withdrawn.as_ref().is_some_and(|time| !time.is_null()) {
        intake.tally.leave_out("withdrawn");
        return Ok(());
    }
    let (advisory, packages) = convert(osv, &mut |reason| intake.tally.leave_out(reason));
    if packages.is_empty() {
        return Ok(());
    }
    let Some(written) = intake.writer.advisory(&advisory)? else {
        intake.tally.leave_out("a second advisory with the same id");
        return Ok(());
    };
    for package in &packages {
        intake.writer.affected(written, package)?;
    }
    Ok(())
}

fn convert(osv: Osv, leave_out: &mut impl FnMut(&'static str)) -> (Advisory, Vec<AffectedPackage>) {
    if osv.affected.is_empty() {
        leave_out("about no package");
    }
    let summary = osv.summary.filter(|text| !text.trim().is_empty()).or(osv.details).unwrap_or_default();
    let mut packages = Vec::new();
    for affected in osv.affected {
        match convert_affected(affected, &summary) {
            Ok(package) => packages.push(package),
            Err(reason) => leave_out(reason),
        }
    }
    let is_of_a_system = packages
        .iter()
        .any(|package: &AffectedPackage| ecosystem::kind(&package.ecosystem).is_some_and(Kind::is_system));
    let mut aliases = osv.aliases;
    aliases.extend(osv.upstream);
    aliases.extend(own_cve(&osv.id));
    if is_of_a_system {
        // An update of a distribution says there which vulnerabilities it is for; elsewhere "related" means others.
        aliases.extend(osv.related.into_iter().filter(|id| id.starts_with("CVE-")));
    }
    // A package that was made to do harm has no vector: there is no vulnerability in it, it is one.
    let of_its_kind =
        || if osv.id.starts_with("MAL-") { Severity::of_word("malicious") } else { Severity::default() };
    let severity = severity(&osv.severity, [&osv.database_specific]).unwrap_or_else(of_its_kind);
    let references = references(osv.references, &osv.id);
    (Advisory { id: osv.id, aliases, summary, severity, references }.tidied(), packages)
}

/// `CVE-2024-1` of `DEBIAN-CVE-2024-1`: what a distribution says of one vulnerability.
fn own_cve(id: &str) -> Option<String> {
    id.find("-CVE-").and_then(|at| id.get(at.saturating_add(1)..)).map(str::to_owned)
}

fn convert_affected(from: OsvAffected, summary: &str) -> Result<AffectedPackage, &'static str> {
    let package = from.package.ok_or("about commits, not about versions")?;
    let kind = ecosystem::kind(&package.ecosystem).ok_or("of an ecosystem that is not compared")?;
    for specific in [&from.database_specific, &from.ecosystem_specific] {
        match text(specific, "informational") {
            "unmaintained" | "notice" => return Err("no vulnerability: unmaintained, or a notice"),
            _ => {}
        }
    }
    let ranges = from.ranges.into_iter().filter(|range| !range.r#type.eq_ignore_ascii_case("GIT"));
    let ranges: Vec<Vec<Event>> =
        ranges.map(|range| range.events.into_iter().flat_map(events).collect()).collect();
    if ranges.is_empty() && from.versions.is_empty() {
        return Err("about commits, not about versions");
    }
    let mut affected = Affected {
        module: module(kind, &ranges, package.purl.as_deref(), summary),
        ranges,
        versions: from.versions,
        severity: severity(&from.severity, [&from.ecosystem_specific, &from.database_specific]),
        note: String::new(),
    };
    compact(kind, &mut affected);
    Ok(AffectedPackage {
        ecosystem: ecosystem::normalised(&package.ecosystem).into_owned(),
        name: ecosystem::normalised_name(kind, &package.name).into_owned(),
        affected,
    })
}

/// Leaves out the listed versions that the ranges hold. Each version takes part in many comparisons, and is read once.
fn compact(kind: Kind, affected: &mut Affected) {
    let texts = affected
        .ranges
        .iter()
        .flatten()
        .map(Event::version)
        .chain(affected.versions.iter().map(String::as_str));
    let read = texts.map(|text| (text.to_owned(), Version::parse(kind, text)));
    let read: BTreeMap<String, Result<Version, NotAVersion>> = read.collect();
    let parse = |text: &str| match read.get(text) {
        Some(Ok(version)) => Ok(Cow::Borrowed(version)),
        Some(Err(error)) => Err(error.clone()),
        None => Version::parse(kind, text).map(Cow::Owned),
    };
    affected.compact(&|left, right| {
        let order = parse(left)?.as_ref().partial_cmp(parse(right)?.as_ref());
        Ok::<_, NotAVersion>(order.unwrap_or(Ordering::Equal))
    });
}

fn events(event: OsvEvent) -> impl Iterator<Item = Event> {
    let introduced = event.introduced.map(Event::Introduced);
    let fixed = event.fixed.map(Event::Fixed);
    let last_affected = event.last_affected.map(Event::LastAffected);
    [introduced, fixed, last_affected, event.limit.map(Event::Limit)].into_iter().flatten()
}

/// Which module the rpms are of, when the version of a fix says that they are of one: the purl names it, or the
/// summary does (`Moderate: nodejs:18 security update`).
fn module(kind: Kind, ranges: &[Vec<Event>], purl: Option<&str>, summary: &str) -> Option<String> {
    let of_a_module = |event: &Event| match event {
        Event::Fixed(version) | Event::LastAffected(version) => version.contains(".module"),
        Event::Introduced(_) | Event::Limit(_) => false,
    };
    if kind != Kind::Rpm || !ranges.iter().flatten().any(of_a_module) {
        return None;
    }
    let from_purl = purl.and_then(|purl| {
        let (_, qualifiers) = purl.split_once('?')?;
        let value = qualifiers.split('&').find_map(|pair| pair.strip_prefix("rpmmod="))?;
        name_and_stream(&value.replace("%3A", ":").replace("%3a", ":"))
    });
    let from_summary = || summary.split_whitespace().find_map(name_and_stream);
    Some(from_purl.or_else(from_summary).unwrap_or_default())
}

/// `nodejs:18` of `nodejs:18` or `nodejs:18:8090020240110`.
fn name_and_stream(text: &str) -> Option<String> {
    let mut parts = text.split(':');
    let (name, stream) = (parts.next()?, parts.next()?);
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte))
    };
    (is_word(name) && is_word(stream)).then(|| format!("{name}:{stream}"))
}

/// The vectors before the words that some sources have instead.
fn severity<const N: usize>(ratings: &[Rating], specific: [&Value; N]) -> Option<Severity> {
    let vectors = ratings.iter().filter(|rating| rating.r#type.starts_with("CVSS"));
    let word = || {
        let own = ratings.iter().find(|rating| !rating.r#type.starts_with("CVSS"));
        let own = own.map_or("", |rating| rating.score.as_str());
        let words =
            specific.iter().flat_map(|specific| ["severity", "urgency"].map(|name| text(specific, name)));
        [own].into_iter().chain(words).find(|word| !word.is_empty()).map(Severity::of_word)
    };
    Severity::of_vectors(vectors.map(|rating| rating.score.as_str())).or_else(word)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The pages that say most come first.
fn references(references: Vec<Reference>, id: &str) -> Vec<String> {
    let rank = |reference: &Reference| match reference.r#type.as_str() {
        "ADVISORY" => 0,
        "FIX" => 1,
        "REPORT" | "ARTICLE" => 2,
        "PACKAGE" => 4,
        _ => 3,
    };
    let mut references = references;
    references.sort_by_key(rank);
    let mut pages: Vec<String> = Vec::new();
    for reference in references {
        if !pages.contains(&reference.url) && pages.len() < 32 {
            pages.push(reference.url);
        }
    }
    if pages.is_empty() {
        pages.push(format!("https://osv.dev/vulnerability/{id}"));
    }
    pages
}
