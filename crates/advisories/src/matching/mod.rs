//! Which advisories a package is affected by.

mod merge;

pub(crate) use merge::cves;

use std::{
    borrow::Cow,
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use guardhouse_packages::{Kind, Package};

use crate::{
    Affected, Finding, ecosystem,
    store::{Reader, Source, StoreError},
    version::{NotAVersion, Version},
};

/// How many answers are remembered: many packages are built from the same source.
const MOST_REMEMBERED: usize = 1024;

/// How much is told of a text that is no version, in letters.
const LONGEST_TOLD: usize = 80;

/// Compares packages with the advisories of a store, as it was when it was opened.
#[derive(Debug)]
pub struct Matcher {
    reader: Reader,
    remembered: BTreeMap<Question, Arc<Matches>>,
}

/// What advisories say of a package.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matches {
    /// The vulnerabilities, each once, by their ids.
    pub findings: Vec<Finding>,
    /// What could not be compared, so that nobody takes it for "not affected".
    pub not_compared: Vec<NotCompared>,
}

/// Advisories that could not be compared with a package.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotCompared {
    /// The package does not tell its version.
    #[error("{name} tells no version, and there are {advisories} advisories about it")]
    NoVersion {
        /// The package.
        name: String,
        /// How many advisories there are about it.
        advisories: usize,
    },
    /// The version of the package is none.
    #[error("{name} was not compared with {advisories} advisories: {error}")]
    Package {
        /// The package.
        name: String,
        /// How many advisories there are about it.
        advisories: usize,
        /// Which version.
        error: NotAVersion,
    },
    /// A version in an advisory is none.
    #[error("{name} was not compared with {advisory}: {error}")]
    Advisory {
        /// The package.
        name: String,
        /// The advisory.
        advisory: String,
        /// Which version.
        error: NotAVersion,
    },
}

/// A name in an ecosystem, and the version that is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Look {
    name: String,
    version: String,
}

/// A version of a package.
struct Parsed<'a> {
    text: &'a str,
    parsed: Result<Version, NotAVersion>,
}

impl<'a> Parsed<'a> {
    fn of(kind: Kind, text: &'a str) -> Self {
        Self { text, parsed: Version::parse(kind, text) }
    }
}

/// What decides about an answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Question {
    kind: Kind,
    ecosystem: String,
    name: String,
    looks: Vec<Look>,
    module: String,
}

impl Matcher {
    /// Opens a store, which is only read.
    ///
    /// # Errors
    /// There is no store, or it cannot be read.
    pub fn open(store: &Path) -> Result<Self, StoreError> {
        Ok(Self { reader: Reader::open(store)?, remembered: BTreeMap::new() })
    }

    /// What is compared with.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn sources(&self) -> Result<Vec<Source>, StoreError> {
        self.reader.sources()
    }

    /// Whether there are advisories for packages of this kind at all; `system` is the ecosystem of the system that
    /// they are on, empty when there is none.
    #[must_use]
    pub fn covers(&self, kind: Kind, system: &str) -> bool {
        ecosystem_of(kind, system).is_some_and(|ecosystem| {
            self.reader.has(&ecosystem) || self.reader.has(ecosystem::base(&ecosystem))
        })
    }

    /// What advisories say of a package. `system` is the ecosystem of the system that it is on
    /// ([`ecosystem::ecosystem`]); packages of languages have their own.
    ///
    /// Debian, Ubuntu and Alpine speak of source packages: what is built from an affected one is affected, and
    /// [`Finding::affected_name`] is the source. Of rpms some sources name the packages that are built, others what
    /// they are built from: both names are looked up.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn match_package(&mut self, package: &Package, system: &str) -> Result<Arc<Matches>, StoreError> {
        let Some(ecosystem) = ecosystem_of(package.kind, system) else { return Ok(Arc::default()) };
        let question = Question {
            kind: package.kind,
            looks: looks(package, &ecosystem),
            ecosystem,
            name: package.name.clone(),
            module: package.module.clone(),
        };
        if let Some(known) = self.remembered.get(&question) {
            return Ok(Arc::clone(known));
        }
        let answer = Arc::new(self.answer(&question)?);
        if self.remembered.len() >= MOST_REMEMBERED {
            self.remembered.clear();
        }
        self.remembered.insert(question, Arc::clone(&answer));
        Ok(answer)
    }

    fn answer(&self, question: &Question) -> Result<Matches, StoreError> {
        let mut found: BTreeMap<i64, Finding> = BTreeMap::new();
        // Advisories that speak of a name that was looked up before. It is the nearer one, and decides: what else is built
        // from the same source may have versions of its own, and an epoch.
        let mut decided: BTreeSet<i64> = BTreeSet::new();
        let mut not_compared = Vec::new();
        // An ecosystem without a release is about all of its releases.
        let base = ecosystem::base(&question.ecosystem);
        let ecosystems = [question.ecosystem.as_str(), base];
        let ecosystems = if question.ecosystem == base { &ecosystems[..1] } else { &ecosystems[..] };
        for look in &question.looks {
            let version = Parsed::of(question.kind, &look.version);
            let mut told = BTreeSet::new();
            for ecosystem in ecosystems {
                let rows = self.reader.affected(ecosystem, &look.name)?;
                if rows.is_empty() {
                    continue;
                }
                // What lists this very text is affected all the same.
                not_compared.extend(unfit(&question.name, &version, rows.len()));
                for (number, affected) in rows {
                    if decided.contains(&number)
                        || found.contains_key(&number)
                        || !fits_module(&affected, question)
                    {
                        continue;
                    }
                    told.insert(number);
                    match verdict(question.kind, &affected, &version) {
                        Ok(None) => {}
                        Ok(Some(fixed)) => {
                            if let Some(finding) = self.finding(number, affected, fixed, look, question)? {
                                found.insert(number, finding);
                            }
                        }
                        // Told once for the package already.
                        Err(_) if version.parsed.is_err() => {}
                        Err(error) => {
                            let Some(row) = self.reader.advisory(number)? else { continue };
                            let (name, advisory) = (question.name.clone(), row.advisory.id);
                            let error = shortened(error);
                            not_compared.push(NotCompared::Advisory { name, advisory, error });
                        }
                    }
                }
            }
            decided.append(&mut told);
        }
        Ok(Matches { findings: merge::merged(found.into_values().collect()), not_compared })
    }

    fn finding(
        &self,
        number: i64,
        affected: Affected,
        fixed: Option<String>,
        look: &Look,
        question: &Question,
    ) -> Result<Option<Finding>, StoreError> {
        let Some(row) = self.reader.advisory(number)? else { return Ok(None) };
        let advisory = row.advisory;
        let summary = match (advisory.summary.as_str(), affected.note.as_str()) {
            (summary, "") => summary.to_owned(),
            ("", note) => note.to_owned(),
            (summary, note) => format!("{summary} ({note})"),
        };
        let is_itself = look.name == question.name;
        Ok(Some(Finding {
            advisory: advisory.id,
            aliases: advisory.aliases,
            source: row.source,
            summary,
            severity: affected.severity.unwrap_or(advisory.severity),
            fixed,
            affected_name: if is_itself { String::new() } else { look.name.clone() },
            compared_version: look.version.clone(),
            references: advisory.references,
            suppressed: None,
        }))
    }
}

/// The ecosystem of a package; `None` for one of a system whose advisories are not known.
fn ecosystem_of(kind: Kind, system: &str) -> Option<String> {
    if let Some(language) = ecosystem::of_language(kind) {
        return Some(language.to_owned());
    }
    (ecosystem::kind(system) == Some(kind)).then(|| ecosystem::normalised(system).into_owned())
}

/// Under which names the advisories of a package may be kept, the nearest first.
fn looks(package: &Package, ecosystem: &str) -> Vec<Look> {
    let name = ecosystem::normalised_name(package.kind, &package.name).into_owned();
    let own = Look { name, version: package.version.clone() };
    let Some(source) = package.source.as_ref().filter(|source| !source.name.is_empty()) else {
        return vec![own];
    };
    let version = if source.version.is_empty() { &package.version } else { &source.version };
    let built_from = Look { name: source.name.clone(), version: version.clone() };
    match (package.kind, ecosystem::base(ecosystem)) {
        (Kind::Rpm, _) => {
            // The name of the file of a source rpm has no epoch; it is that of what is built from it.
            let version = match package.version.split_once(':') {
                Some((epoch, _)) if !version.contains(':') => format!("{epoch}:{version}"),
                _ => version.clone(),
            };
            let built_from = Look { version, ..built_from };
            if built_from == own { vec![own] } else { vec![own, built_from] }
        }
        // Their secdb names what is built, too.
        (Kind::Apk, "Wolfi" | "Chainguard") if built_from != own => vec![own, built_from],
        (Kind::Deb | Kind::Apk, _) => vec![built_from],
        _ => vec![own],
    }
}

/// What is the matter with the version of a package.
fn unfit(name: &str, version: &Parsed<'_>, advisories: usize) -> Option<NotCompared> {
    let name = name.to_owned();
    match &version.parsed {
        Ok(_) => None,
        Err(_) if version.text.is_empty() => Some(NotCompared::NoVersion { name, advisories }),
        Err(error) => Some(NotCompared::Package { name, advisories, error: shortened(error.clone()) }),
    }
}

/// Without the rest of a text that is far longer than any version.
fn shortened(mut error: NotAVersion) -> NotAVersion {
    if error.text.chars().count() > LONGEST_TOLD {
        error.text = error.text.chars().take(LONGEST_TOLD).chain(['…']).collect();
    }
    error
}

/// Whether a package is affected, and the version that fixes it.
fn verdict(
    kind: Kind,
    affected: &Affected,
    version: &Parsed<'_>,
) -> Result<Option<Option<String>>, NotAVersion> {
    // The version of the package takes part in every comparison, and is read once.
    let parse = |text: &str| match &version.parsed {
        Ok(parsed) if text == version.text => Ok(Cow::Borrowed(parsed)),
        Err(error) if text == version.text => Err(error.clone()),
        _ => Version::parse(kind, text).map(Cow::Owned),
    };
    let order = |left: &str, right: &str| {
        let order = parse(left)?.as_ref().partial_cmp(parse(right)?.as_ref());
        // Both are of the same kind.
        Ok::<_, NotAVersion>(order.unwrap_or(Ordering::Equal))
    };
    if !affected.holds(version.text, &order)? {
        return Ok(None);
    }
    // A listed version is affected also where the fix cannot be told.
    Ok(Some(affected.fix(version.text, &order).unwrap_or(None).map(str::to_owned)))
}

/// Fixes that were built in a module are not for packages that were not, nor for other streams of it.
fn fits_module(affected: &Affected, question: &Question) -> bool {
    let Some(module) = &affected.module else { return true };
    let is_of_a_module =
        !question.module.is_empty() || question.looks.iter().any(|look| look.version.contains(".module"));
    if !is_of_a_module || module.is_empty() || question.module.is_empty() {
        return is_of_a_module;
    }
    let rest = question.module.strip_prefix(module.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}
