//! `ThirdPartyAVRemove`: removes antivirus software of others.
//!
//! Products are recognised by a list that is part of the agent (`products`). A product goes by its own uninstaller, or
//! by the package manager, which removes those packages and no others: it refuses where another package needs one of
//! them. Whether it is gone is looked at afterwards, whatever its uninstaller said, and one that stays does not keep the
//! others.

mod products;

use std::process::Command;

use guardhouse_contract::{
    action::{ActionFailure, ThirdPartyAvRemoveResult, third_party_av_remove_result::Product as Removed},
    status::pack,
};

use super::system_update::Manager;
use crate::{
    outcome::{Failure, Outcome},
    system::{Ended, Stop, System, Tools, command},
    workplace::Workplace,
};
use products::{Product, Uninstaller};

/// How long the whole may take, in hours.
const TIME_LIMIT: u64 = 2;

/// Words by which products say that somebody has to agree first. Their texts are not documented; what they have in
/// common is.
const PROTECTED: [&str; 7] = [
    "maintenance token",
    "uninstall token",
    "passphrase",
    "password",
    "tamper protection",
    "anti-tamper",
    "uninstall protection",
];

/// The action, ready to begin.
#[derive(Debug)]
pub struct Removal {
    system: System,
    /// Absent where the system has none that is known: what is no package can be removed all the same.
    manager: Option<Manager>,
}

/// Checks that the agent may remove anything.
///
/// # Errors
/// It is not root.
pub fn prepare(_workplace: &Workplace) -> Result<Removal, Failure> {
    if !rustix::process::geteuid().is_root() {
        return Err(Failure::new("NOT_PERMITTED", "software is removed by root only; run the agent as root"));
    }
    let system = System::default();
    let manager = Manager::detect(&system).ok();
    Ok(Removal { system, manager })
}

/// A product that is there.
struct Found {
    product: Product,
    /// Its packages that are installed.
    packages: Vec<String>,
    version: String,
    evidence: String,
}

impl Removal {
    /// Removes every product that is found.
    pub async fn perform(self, workplace: &Workplace) -> Outcome {
        let mut result = ThirdPartyAvRemoveResult::default();
        let removed = match Tools::new(workplace, &self.system, TIME_LIMIT) {
            Ok(tools) => self.remove(&tools, &mut result),
            Err(error) => Err(Failure::new("PROGRAM_NOT_STARTED", error.to_string())),
        };
        if let Err(Failure { code, reason, .. }) = removed {
            result.failure = Some(ActionFailure { code: code.to_owned(), reason });
        }
        Outcome { succeeded: result.failure.is_none(), suppressed: false, result: pack(&result) }
    }

    fn remove(&self, tools: &Tools<'_>, result: &mut ThirdPartyAvRemoveResult) -> Result<(), Failure> {
        tools.workplace.progress("SEARCHING", None, "looking for antivirus software of others");
        let found = self.find(tools, products::known())?;
        if found.is_empty() {
            result.note = "no antivirus software of others that this agent knows was found".to_owned();
            return Ok(());
        }
        let all = found.len();
        for (place, found) in found.into_iter().enumerate() {
            let name = found.product.name.clone();
            if tools.workplace.is_cancelled() {
                let failure = ActionFailure {
                    code: "CANCELLED".to_owned(),
                    reason: "the run was cancelled before the turn of this product".to_owned(),
                };
                result.products.push(Removed { failure: Some(failure), ..described(&found) });
                continue;
            }
            let percent = u32::try_from(100 * place / all).ok();
            tools.workplace.progress("REMOVING", percent, format!("removing {name}"));
            result.products.push(self.remove_one(tools, found));
        }
        result.removed_count = count(result.products.iter().filter(|product| product.removed));
        let left: Vec<&Removed> = result.products.iter().filter(|product| !product.removed).collect();
        let Some(first) = left.first() else { return Ok(()) };
        let names: Vec<&str> = left.iter().map(|product| product.name.as_str()).collect();
        let code = match tools.workplace.is_cancelled() {
            true => "CANCELLED",
            false => "PRODUCTS_LEFT",
        };
        let reason = first.failure.as_ref().map_or("", |failure| &failure.reason);
        Err(Failure::new(code, format!("still there: {}; {}: {reason}", names.join(", "), first.name)))
    }

    /// The products that are there.
    fn find(&self, tools: &Tools<'_>, products: Vec<Product>) -> Result<Vec<Found>, Failure> {
        let installed = self.manager.map(|manager| manager.installed(tools)).transpose()?.unwrap_or_default();
        let look = |product: Product| {
            let is_part =
                |name: &str| product.packages.iter().any(|package| package == bare(name, self.manager));
            let packages: Vec<String> = installed.keys().filter(|name| is_part(name)).cloned().collect();
            let path = product.paths.iter().find(|path| self.system.exists(path));
            let evidence = match (packages.first(), path) {
                (Some(package), _) => format!("package {package}"),
                (None, Some(path)) => format!("file {path}"),
                (None, None) => return None,
            };
            let version = packages.first().and_then(|package| installed[package].versions.last().cloned());
            Some(Found { product, packages, version: version.unwrap_or_default(), evidence })
        };
        Ok(products.into_iter().filter_map(look).collect())
    }

    fn remove_one(&self, tools: &Tools<'_>, found: Found) -> Removed {
        let begin = tools.mark();
        let mut removed = described(&found);
        let removal = self.carry_out(tools, &found, &mut removed);
        removed.output = Some(tools.output_since(begin));
        let source = found.product.source.clone();
        let left = self.find(tools, vec![found.product]);
        removed.removed = matches!(&left, Ok(left) if left.is_empty());
        if !removed.removed {
            let failure = match (left, removal) {
                (Err(failure), _) | (_, Err(failure)) => failure,
                (Ok(_), Ok(last)) => still_there(last.as_ref()),
            };
            let reason = format!("{} (see {source})", failure.reason);
            removed.failure = Some(ActionFailure { code: failure.code.to_owned(), reason });
        }
        removed
    }

    /// Runs what removes a product: its own uninstaller, then the package manager if packages of it are left. Answers how
    /// the last command ended, with what all of them said.
    fn carry_out(
        &self,
        tools: &Tools<'_>,
        found: &Found,
        removed: &mut Removed,
    ) -> Result<Option<Ended>, Failure> {
        let mut last: Option<Ended> = None;
        let mut packages = found.packages.clone();
        let uninstaller = found.product.uninstaller.as_ref();
        if let Some(uninstaller) = uninstaller.filter(|uninstaller| self.system.exists(&uninstaller.program))
        {
            last = Some(run(tools, &mut by_uninstaller(tools, uninstaller), removed)?);
            let left = self.find(tools, vec![found.product.clone()])?;
            packages = left.into_iter().flat_map(|left| left.packages).collect();
        }
        if let Some(manager) = self.manager.filter(|_| !packages.is_empty()) {
            let Ended { code, said } = run(tools, &mut manager.removal(tools, &packages), removed)?;
            let before = last.map_or(String::new(), |last| last.said);
            last = Some(Ended { code, said: before + &said });
        }
        Ok(last)
    }
}

fn run(tools: &Tools<'_>, command: &mut Command, removed: &mut Removed) -> Result<Ended, Failure> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    removed.command = words.join(" ");
    tools.too_late_to_cancel();
    let ended = tools.run_when_free(command, Stop::Never, Manager::is_busy, &mut || {})?;
    removed.exit_code = ended.code;
    Ok(ended)
}

fn by_uninstaller(tools: &Tools<'_>, uninstaller: &Uninstaller) -> Command {
    let mut command = command(tools.system, &uninstaller.program);
    command.args(&uninstaller.arguments).envs(&uninstaller.environment);
    command
}

/// The name of a package without the architecture that is part of it for this package manager.
fn bare(name: &str, manager: Option<Manager>) -> &str {
    match manager {
        Some(Manager::Apt) => name.split(':').next().unwrap_or(name),
        Some(Manager::Dnf | Manager::Zypper) => name.rsplit_once('.').map_or(name, |(name, _)| name),
        Some(Manager::Pacman | Manager::Apk) | None => name,
    }
}

fn described(found: &Found) -> Removed {
    let (name, version) = (found.product.name.clone(), found.version.clone());
    Removed { name, version, evidence: found.evidence.clone(), ..Default::default() }
}

fn still_there(last: Option<&Ended>) -> Failure {
    let Some(ended) = last else {
        let reason =
            "it has neither an uninstaller where its vendor puts it nor a package; remove it by hand";
        return Failure::new("NO_UNINSTALLER", reason);
    };
    let telling = |line: &&str| {
        let line = line.to_lowercase();
        PROTECTED.iter().any(|word| line.contains(word))
    };
    if let Some(line) = ended.said.lines().find(telling) {
        let reason = format!(
            "the product is protected against that; lift the protection where it is managed, then repeat the task: {}",
            line.trim()
        );
        return Failure::new("UNINSTALL_PROTECTED", reason);
    }
    let last = ended.said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it wrote nothing").trim();
    let reason = format!("it is still there, though its removal ended with exit code {}: {last}", ended.code);
    Failure::new("UNINSTALL_FAILED", reason)
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_product_stays() {
        let ended = |said: &str| Some(Ended { code: 1, said: said.to_owned() });
        let table = [
            (None, "NO_UNINSTALLER"),
            (ended("Removing\nERROR: a Maintenance Token is required\n"), "UNINSTALL_PROTECTED"),
            (ended("Enter the uninstall password:"), "UNINSTALL_PROTECTED"),
            (ended("dependency problems prevent removal of clamav-base"), "UNINSTALL_FAILED"),
            (ended(""), "UNINSTALL_FAILED"),
        ];
        for (last, code) in table {
            assert_eq!(still_there(last.as_ref()).code, code, "{last:?}");
        }
    }

    #[test]
    fn names_of_packages() {
        assert_eq!(bare("ds-agent:i386", Some(Manager::Apt)), "ds-agent");
        assert_eq!(bare("ds_agent.x86_64", Some(Manager::Dnf)), "ds_agent");
        assert_eq!(bare("clamav", Some(Manager::Apk)), "clamav");
    }
}
