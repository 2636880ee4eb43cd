//! The API domains: one module per domain, one file per method.
//!
//! A method checks its request, calls verbs of the store and words the answer. Who calls and whether they may
//! is settled before; how a request travelled is not known here.

mod agent_releases;
mod agentless;
mod agentless_credentials;
mod agentless_findings;
mod agentless_locations;
mod agentless_schedules;
mod agentless_tasks;
mod agentless_webhooks;
pub mod agentless_workers;
mod agents;
mod asset_selections;
mod assets;
mod automation;
mod baseline_checks;
mod device_groups;
mod device_runs;
mod device_snapshots;
mod device_states;
mod devices;
mod dynamic_groups;
mod effective_policies;
mod fields;
mod findings;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod identity_questions;
mod image_vulnerabilities;
mod instances;
mod malicious_files;
mod numbered_pages;
pub mod page;
mod policies;
mod policy_assignments;
mod reports;
mod rights;
#[cfg(test)]
mod scanned;
mod sensitive_files;

use std::{path::PathBuf, sync::Arc};

use guardhouse_contract::{
    agentless::{
        agentless_methods, asset_selections_methods, baseline_checks_methods, image_vulnerabilities_methods,
        instances_methods, malicious_files_methods, sensitive_files_methods,
    },
    assets::groups_methods,
    automation::device_tasks_methods,
    devices::{device_groups_methods, devices_methods},
    link::{agent_releases_methods, device_snapshots_methods, enrolment_methods},
    management::{
        device_runs_methods, device_states_methods, dynamic_groups_methods, effective_policies_methods,
        identity_questions_methods,
    },
    policies::{policies_methods, policy_assignments_methods},
    scans::{
        agentless_findings_methods, agentless_locations_methods, agentless_schedules_methods,
        agentless_tasks_methods, agentless_webhooks_methods, agentless_workers_methods,
    },
    service::Method,
};
use guardhouse_dispatch::Dispatcher;
use guardhouse_identity::{ReportLinks, Sealing, devices::Devices, enrolment::EnrolmentTokens};
use guardhouse_locations::Folders;
use guardhouse_model::Environment;
use guardhouse_store::Store;

pub use agentless_locations::Looking;
pub use agentless_schedules::start::prepare as prepare_scheduled_scan;
pub use agentless_tasks::devices::wake as wake_scanned_devices;
pub use agentless_webhooks::delivery::{Prepared as PreparedDelivery, prepare as prepare_delivery};
pub use agents::AgentLinkService;
pub use policies::settle as settle_built_in_policies;
pub use reports::ReportMaker;

/// What the services work with.
#[derive(Debug)]
pub struct Context {
    /// Time and randomness.
    pub environment: Environment,
    /// What is kept.
    pub store: Store,
    /// The way to the devices.
    pub dispatcher: Dispatcher,
    /// Page tokens.
    pub pages: page::Pages,
    /// Makes links to reports.
    pub report_links: ReportLinks,
    /// Redeems enrolment tokens.
    pub enrolment: EnrolmentTokens,
    /// Identities of enrolled devices.
    pub devices: Devices,
    /// Certificates, DER, by which a device knows this server.
    pub trust: Vec<Vec<u8>>,
    /// The public key by which devices check versions of the agent.
    pub release_key: Vec<u8>,
    /// The queue of agentless scans.
    pub workers: Arc<agentless_workers::Service>,
    /// Encrypts secrets that the server itself has to read again: what opens locations, what webhooks are signed with.
    pub sealing: Sealing,
    /// Which folders of this machine may be locations of agentless scans.
    pub folders: Folders,
    /// What this server calls the region that it is in.
    pub region: String,
    /// Webhooks may have addresses with http that are not on this machine.
    pub insecure_webhooks: bool,
    /// Where the snapshots of devices are kept, as an absolute path. `None`: none can be taken.
    pub device_snapshots: Option<PathBuf>,
}

/// Every unary method of the contract, bound to its implementation.
#[must_use]
pub fn methods(context: &Arc<Context>) -> Vec<Method> {
    let workers = &context.workers;
    let context = || Arc::clone(context);
    [
        device_tasks_methods(&Arc::new(automation::Service(context()))),
        device_runs_methods(&Arc::new(device_runs::Service(context()))),
        devices_methods(&Arc::new(devices::Service(context()))),
        device_groups_methods(&Arc::new(device_groups::Service(context()))),
        device_states_methods(&Arc::new(device_states::Service(context()))),
        identity_questions_methods(&Arc::new(identity_questions::Service(context()))),
        groups_methods(&Arc::new(assets::Service(context()))),
        dynamic_groups_methods(&Arc::new(dynamic_groups::Service(context()))),
        policies_methods(&Arc::new(policies::Service(context()))),
        effective_policies_methods(&Arc::new(effective_policies::Service(context()))),
        policy_assignments_methods(&Arc::new(policy_assignments::Service(context()))),
        enrolment_methods(&Arc::new(agents::Service(context()))),
        agentless_methods(&Arc::new(agentless::Service(context()))),
        asset_selections_methods(&Arc::new(asset_selections::Service(context()))),
        image_vulnerabilities_methods(&Arc::new(image_vulnerabilities::Service(context()))),
        instances_methods(&Arc::new(instances::Service(context()))),
        agentless_workers_methods(workers),
        malicious_files_methods(&Arc::new(malicious_files::Service(context()))),
        sensitive_files_methods(&Arc::new(sensitive_files::Service(context()))),
        baseline_checks_methods(&Arc::new(baseline_checks::Service(context()))),
        agentless_findings_methods(&Arc::new(agentless_findings::Service(context()))),
        agentless_schedules_methods(&Arc::new(agentless_schedules::Service(context()))),
        agentless_tasks_methods(&Arc::new(agentless_tasks::Service(context()))),
        agentless_webhooks_methods(&Arc::new(agentless_webhooks::Service(context()))),
        agentless_locations_methods(&Arc::new(agentless_locations::Service(context()))),
        agent_releases_methods(&Arc::new(agent_releases::Service(context()))),
        device_snapshots_methods(&Arc::new(device_snapshots::Service(context()))),
    ]
    .concat()
}
