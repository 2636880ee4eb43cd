//! `SystemUpdate`: installs updates of the operating system through its own package manager.
//!
//! What became of each package is not what the package manager says, but what its database says before and after.
//! Until the installation begins, the run can be cancelled and nothing is changed. From then on the package manager is
//! never stopped: not by a cancelled run, not by the end of the runner or of the agent.

mod apk;
mod apt;
mod compare;
mod diagnosis;
mod dnf;
mod manager;
mod pacman;
mod rpm;
mod zypper;

use guardhouse_contract::{
    action::{ActionFailure, SystemUpdateResult, system_update_result::Change},
    pb::era::common::data_definition::task::os::SystemUpdate,
    status::pack,
};

use crate::{
    outcome::{Failure, Outcome},
    power,
    system::{System, Tools},
    workplace::Workplace,
};
pub(crate) use manager::Manager;
use manager::{Offer, Selection};

/// How long the whole may take, in hours: a slow line and many updates take long, a package that asks a question nobody
/// answers takes for ever.
const TIME_LIMIT: u64 = 6;

/// The action, ready to begin.
#[derive(Debug)]
pub struct Update {
    request: SystemUpdate,
    system: System,
    manager: Manager,
}

/// Looks for the package manager.
///
/// # Errors
/// The system has none that is known, or is not kept by one.
pub fn prepare(request: &SystemUpdate, _workplace: &Workplace) -> Result<Update, Failure> {
    let system = System::default();
    let manager = Manager::detect(&system)?;
    if !rustix::process::geteuid().is_root() {
        return Err(Failure::new(
            "NOT_PERMITTED",
            "updates are installed by root only; run the agent as root",
        ));
    }
    Ok(Update { request: *request, system, manager })
}

impl Update {
    /// Installs the updates that are wanted.
    pub async fn perform(self, workplace: &Workplace) -> Outcome {
        let tools = match Tools::new(workplace, &self.system, TIME_LIMIT) {
            Ok(tools) => tools,
            Err(error) => return Failure::new("PROGRAM_NOT_STARTED", error.to_string()).into(),
        };
        let package_manager = self.manager.name().to_owned();
        let mut result = SystemUpdateResult { package_manager, ..Default::default() };
        if let Err(failure) = self.update(&tools, &mut result) {
            result.failure = Some(told(failure));
        }
        result.output = Some(tools.output());
        // What was left half done would be worse after a restart.
        if result.failure.is_none() && result.reboot_required && self.request.allow_reboot {
            let actions = self.request.reboot_actions.unwrap_or_default();
            match power::schedule(workplace, true, &actions, "Updates of this computer need a restart.").await
            {
                Ok(reboot) => result.reboot = Some(reboot),
                Err(failure) => result.failure = Some(told(failure)),
            }
        }
        Outcome { succeeded: result.failure.is_none(), suppressed: false, result: pack(&result) }
    }

    fn update(&self, tools: &Tools<'_>, result: &mut SystemUpdateResult) -> Result<(), Failure> {
        let manager = self.manager;
        tools.may_go_on()?;
        tools.workplace.progress("REFRESHING", None, "asking the repositories for updates");
        result.exit_code = manager.refresh(tools)?;

        tools.workplace.progress("RESOLVING", None, "looking for what can be updated");
        let before = manager.installed(tools)?;
        let Offer { updates, tells_security } = manager.offer(tools, &before)?;
        result.security_only = tells_security && !self.request.install_optional_updates;
        let selection = Selection::new(updates, result.security_only);
        let mut notes = Vec::new();
        if !tells_security && !self.request.install_optional_updates {
            notes.push(format!(
                "{} cannot tell here which updates close a hole, so all of them are wanted",
                manager.name()
            ));
        }

        let mut failure = None;
        if selection.wanted.is_empty() {
            notes.push(
                if selection.unwanted.is_empty() { "there is nothing to update" } else { NOTHING_WANTED }
                    .to_owned(),
            );
            result.packages = compare::packages(&before, &before, &selection, "");
        } else {
            let count = selection.wanted.len();
            tools.workplace.progress("DOWNLOADING", None, format!("downloading {count} updates"));
            result.exit_code = manager.download(tools, &selection)?;
            tools.may_go_on()?;

            tools.workplace.progress("INSTALLING", None, format!("installing {count} updates"));
            let installed = manager.install(tools, &selection);
            tools.workplace.progress("VERIFYING", None, "looking at what is installed now");
            tools.look_at_what_is_done();
            let after = manager.installed(tools)?;
            let (said, code) =
                installed.as_ref().map_or(("", result.exit_code), |ended| (&ended.said, ended.code));
            result.exit_code = code;
            result.packages = compare::packages(&before, &after, &selection, said);
            failure = match installed {
                Err(failure) => Some(failure),
                Ok(ended) => {
                    diagnosis::of_installation(&result.packages, &ended, manager.succeeded(ended.code))
                }
            };
        }
        count(result);
        if let Some(reason) = manager.restart_pending(tools) {
            result.reboot_required = true;
            notes.push(format!("a restart is due: {reason}"));
        }
        result.note = notes.join("; ");
        failure.map_or(Ok(()), Err)
    }
}

fn told(Failure { code, reason, .. }: Failure) -> ActionFailure {
    ActionFailure { code: code.to_owned(), reason }
}

/// The note when only optional updates are there.
const NOTHING_WANTED: &str = "there is nothing to update but what is optional or kept back";

fn count(result: &mut SystemUpdateResult) {
    let count = |changes: &[Change]| {
        let counted = result.packages.iter().filter(|package| changes.contains(&package.change()));
        u32::try_from(counted.count()).unwrap_or(u32::MAX)
    };
    let (changed, skipped, failed) = (
        count(&[Change::Updated, Change::Installed, Change::Removed]),
        count(&[Change::Skipped]),
        count(&[Change::Failed]),
    );
    (result.changed_count, result.skipped_count, result.failed_count) = (changed, skipped, failed);
}
