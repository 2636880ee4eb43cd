//! `SystemUpdate` with real package managers, real repositories and real packages, in an overlay over this machine.

mod apt;
mod others;

use guardhouse_contract::{
    action::{SystemUpdateResult, system_update_result::Change},
    link::{Order, RunEnded},
    pb::era::common::data_definition::task::os::SystemUpdate,
};

use crate::bench::{RUN, order, result};

fn update(install_optional_updates: bool) -> Order {
    order(RUN, "SystemUpdate", &SystemUpdate { install_optional_updates, ..Default::default() })
}

/// The result of a run, and what it says of each package: name, versions before and after, change, security.
fn told(ended: &RunEnded) -> (SystemUpdateResult, Vec<String>) {
    let result: SystemUpdateResult = result(ended);
    let line = |package: &guardhouse_contract::action::system_update_result::Package| {
        let change = Change::try_from(package.change).expect("known").as_str_name().to_owned();
        let security = if package.security { " security" } else { "" };
        format!("{} {}>{} {change}{security}", package.name, package.previous_version, package.version)
    };
    let lines = result.packages.iter().map(line).collect();
    (result, lines)
}

/// The code of the failure, empty when there is none.
fn code(result: &SystemUpdateResult) -> &str {
    result.failure.as_ref().map_or("", |failure| &failure.code)
}
