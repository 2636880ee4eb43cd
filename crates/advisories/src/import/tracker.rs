//! The JSON of Debian's security tracker: `{source package: {id: {description, releases: {codename: …}}}}`.

use std::collections::BTreeMap;

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer as _, MapAccess, Visitor},
};
use serde_json::{Deserializer, Value, de::Read as JsonRead};

use crate::{
    Advisory, Affected, AffectedPackage, Severity, ecosystem,
    import::{ImportError, Intake, meter::Allowance},
    store::StoreError,
};

/// What the tracker says of a vulnerability in a source package.
#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(default)]
    description: Option<String>,
    releases: BTreeMap<String, Release>,
}

#[derive(Debug, Deserialize)]
struct Release {
    status: String,
    fixed_version: Option<String>,
    #[serde(default)]
    urgency: Option<String>,
    /// Why there is no security update for it.
    nodsa: Option<String>,
    nodsa_reason: Option<String>,
}

/// Reads the tracker's document, an entry at a time.
pub(super) fn read<'de, R: JsonRead<'de>>(
    place: &str,
    mut document: Deserializer<R>,
    allowance: &Allowance,
    intake: &mut Intake<'_, '_>,
) -> Result<(), ImportError> {
    intake.tally.format_is("debian-tracker");
    let mut failure = None;
    let reading = Reading { place, allowance, intake: &mut *intake, failure: &mut failure, package: None };
    let read = document.deserialize_map(reading).and_then(|()| document.end());
    match (failure, read) {
        (Some(failure), _) => Err(failure.into()),
        (None, Err(error)) => {
            intake.tally.skip(place, error);
            Ok(())
        }
        (None, Ok(())) => Ok(()),
    }
}

/// Visits the outer object, and the one of each package.
struct Reading<'a, 'w, 't> {
    place: &'a str,
    allowance: &'a Allowance,
    intake: &'a mut Intake<'w, 't>,
    failure: &'a mut Option<StoreError>,
    package: Option<&'a str>,
}

impl<'de> Visitor<'de> for Reading<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.package.is_none() {
            "an object of source packages"
        } else {
            "an object of vulnerabilities"
        })
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let Some(package) = self.package else {
                map.next_value_seed(self.of_package(&name))?;
                continue;
            };
            let value: Value = map.next_value()?;
            self.allowance.next_entry();
            if let Err(error) = self.entry(package, name, value) {
                *self.failure = Some(error);
                return Err(serde::de::Error::custom("the store failed"));
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Reading<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'w, 't> Reading<'_, 'w, 't> {
    fn of_package<'b>(&'b mut self, package: &'b str) -> Reading<'b, 'w, 't> {
        let Self { place, allowance, .. } = self;
        Reading { place, allowance, intake: self.intake, failure: self.failure, package: Some(package) }
    }

    fn entry(&mut self, package: &str, id: String, value: Value) -> Result<(), StoreError> {
        let entry = match Entry::deserialize(value) {
            Ok(entry) => entry,
            Err(error) => {
                self.intake.tally.skip(format!("{} ({package}, {id})", self.place), error);
                return Ok(());
            }
        };
        let mut packages = Vec::new();
        for (codename, release) in &entry.releases {
            match affected(release) {
                Ok(affected) => match ecosystem::debian(codename) {
                    Some(ecosystem) => {
                        packages.push(AffectedPackage { ecosystem, name: package.to_owned(), affected });
                    }
                    None => {
                        let place = format!("{} ({package}, {id})", self.place);
                        self.intake.tally.skip(place, format!("{codename:?} is no release that is known"));
                    }
                },
                Err(Unaffected::Told(reason)) => self.intake.tally.leave_out(reason),
                Err(Unaffected::Unreadable(reason)) => {
                    self.intake.tally.skip(format!("{} ({package}, {id}, {codename})", self.place), reason);
                }
            }
        }
        if packages.is_empty() {
            return Ok(());
        }
        let page = format!("https://security-tracker.debian.org/tracker/{id}");
        let advisory = Advisory {
            id,
            summary: entry.description.unwrap_or_default(),
            references: vec![page],
            ..Advisory::default()
        };
        // A vulnerability of several packages is met with each of them.
        let written = match self.intake.writer.find(&advisory.id)? {
            Some(written) => Some(written),
            None => self.intake.writer.advisory(&advisory.tidied())?,
        };
        if let Some(written) = written {
            for package in &packages {
                self.intake.writer.affected(written, package)?;
            }
        }
        Ok(())
    }
}

/// Why a release is not reported.
enum Unaffected {
    Told(&'static str),
    Unreadable(String),
}

fn affected(release: &Release) -> Result<Affected, Unaffected> {
    let fixed = match (release.status.as_str(), release.fixed_version.as_deref()) {
        ("resolved", Some("0")) => return Err(Unaffected::Told("not affected, by the tracker")),
        ("resolved", Some(version)) => Some(version),
        ("resolved", None) => {
            return Err(Unaffected::Unreadable("resolved, but without a fixed_version".to_owned()));
        }
        ("open", _) => None,
        ("undetermined", _) => return Err(Unaffected::Told("undetermined, by the tracker")),
        (status, _) => {
            let told = format!("{status:?} is no status; known are open, resolved and undetermined");
            return Err(Unaffected::Unreadable(told));
        }
    };
    let word = release.urgency.as_deref().unwrap_or_default();
    let severity = Some(Severity::of_word(word)).filter(|severity| !severity.is_silent());
    Ok(Affected { severity, note: note(release), ..Affected::below(fixed) })
}

/// What the security team says on why there is no update.
fn note(release: &Release) -> String {
    let word = |text: &Option<String>| text.clone().unwrap_or_default();
    let (remark, reason) = (word(&release.nodsa), word(&release.nodsa_reason));
    match (remark.trim(), reason.trim()) {
        ("", "") => String::new(),
        (remark, "") => format!("no DSA: {remark}"),
        ("", reason) => format!("no DSA, {reason}"),
        (remark, reason) => format!("no DSA, {reason}: {remark}"),
    }
}
