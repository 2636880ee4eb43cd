//! What is known about packages: the local store of advisories, VEX statements, and the rules of the user.

use std::fs;

use guardhouse_advisories::{Matcher, StoreError, ecosystem, ignore::Rules, vex::Vex};
use guardhouse_image::tree::Os;
use guardhouse_model::Timestamp;
use guardhouse_packages::{Kind, Package};
use guardhouse_report::AdvisorySource;

use crate::{
    Error, Knowledge,
    assemble::{Judge, Judgement},
};

/// The advisories of the store, if there is one.
pub struct StoreJudge {
    matcher: Option<Matcher>,
    vex: Vex,
    rules: Option<Rules>,
    now: Timestamp,
}

impl StoreJudge {
    /// Opens what there is.
    ///
    /// # Errors
    /// One of the files cannot be read, or is not what it should be.
    pub fn open(knowledge: &Knowledge, now: Timestamp) -> Result<Self, Error> {
        let Knowledge { store, is_required, vex, ignore } = knowledge;
        let matcher = if *is_required || store.exists() { Some(Matcher::open(store)?) } else { None };
        let mut statements = Vex::default();
        for file in vex {
            statements.read_file(file)?;
        }
        let rules = ignore.as_ref().map(|file| {
            let text = fs::read_to_string(file)
                .map_err(|source| Error::RulesUnread { file: file.clone(), source })?;
            Ok::<_, Error>(Rules::parse(&file.display().to_string(), &text)?)
        });
        Ok(Self { matcher, vex: statements, rules: rules.transpose()?, now })
    }

    /// What of VEX documents and rules has no effect, and why.
    pub fn notes(&self) -> Vec<String> {
        let expired = self.rules.as_ref().map(|rules| rules.expired(self.now)).unwrap_or_default();
        self.vex.notes().iter().cloned().chain(expired).collect()
    }
}

impl Judge for StoreJudge {
    fn ecosystem(&self, os: &Os) -> String {
        ecosystem::ecosystem(&os.id, &os.version, &os.codename, &os.id_like.join(" ")).unwrap_or_default()
    }

    fn sources(&self) -> Result<Vec<AdvisorySource>, StoreError> {
        let Some(matcher) = &self.matcher else { return Ok(Vec::new()) };
        let sources = matcher.sources()?.into_iter().map(|source| AdvisorySource {
            name: source.name,
            imported: source.imported,
            newest: source.newest,
            count: source.advisories,
        });
        Ok(sources.collect())
    }

    fn covers(&self, kind: Kind, ecosystem: &str) -> bool {
        self.matcher.as_ref().is_some_and(|matcher| matcher.covers(kind, ecosystem))
    }

    fn judge(&mut self, package: &Package, path: &str, ecosystem: &str) -> Result<Judgement, StoreError> {
        let Some(matcher) = &mut self.matcher else { return Ok(Judgement::default()) };
        let matches = matcher.match_package(package, ecosystem)?;
        let mut findings = matches.findings.clone();
        let path = path.trim_start_matches('/');
        for finding in &mut findings {
            let stated = self.vex.suppression(finding, package, ecosystem);
            finding.suppressed = stated.or_else(|| {
                self.rules.as_ref().and_then(|rules| rules.suppression(finding, package, path, self.now))
            });
        }
        let not_compared = matches.not_compared.iter().map(ToString::to_string).collect();
        Ok(Judgement { findings, not_compared })
    }
}
