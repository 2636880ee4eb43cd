//! Landlock: which files of this machine the process sees.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, LandlockStatus, PathBeneath, PathFd, RestrictionStatus, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

/// The newest version that we know the rights of; an older kernel enforces what it has.
const VERSION: ABI = ABI::V6;

/// Leaves the process the right to read some files, and to write in one folder.
pub fn restrict(read: &[PathBuf], scratch: Option<&Path>) -> Result<Vec<String>, Box<RulesetError>> {
    enforce(read, scratch).map(|status| notes(&status)).map_err(Box::new)
}

fn enforce(read: &[PathBuf], scratch: Option<&Path>) -> Result<RestrictionStatus, RulesetError> {
    let reading = AccessFs::ReadFile | AccessFs::ReadDir;
    let writing =
        reading | AccessFs::WriteFile | AccessFs::MakeReg | AccessFs::RemoveFile | AccessFs::Truncate;
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(VERSION))?
        .handle_access(AccessNet::from_all(VERSION))?
        .scope(Scope::from_all(VERSION))?
        .create()?
        .add_rules(path_beneath_rules(read, reading))?;
    if let Some(folder) = scratch.and_then(|folder| PathFd::new(folder).ok()) {
        ruleset = ruleset.add_rule(PathBeneath::new(folder, writing))?;
    }
    ruleset.restrict_self()
}

fn notes(status: &RestrictionStatus) -> Vec<String> {
    let note = match (&status.ruleset, &status.landlock) {
        (RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced, _) => return Vec::new(),
        (_, LandlockStatus::NotEnabled) => "landlock is not enabled on this machine",
        _ => "this kernel has no landlock",
    };
    vec![format!(
        "{note}: nothing but file permissions keeps the scanner from other files until the target is open; below a \
         folder, until its end"
    )]
}
